"""Normalised forms against their definition."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from graftrec.errors import InputError
from graftrec.graph.bipartite import bipartite_graph
from graftrec.graph.normalize import EXPONENTS, normalize
from tests.graph.small_graphs import dense_normalized, random_matrix

KINDS = {
    "none": (0, 0),
    "symmetric": (0.5, 0.5),
    "left": (0.5, 0),
    "right": (0, 0.5),
    "l1_left": (1, 0),
    "l1_right": (0, 1),
}
VALUES = st.sampled_from([0.0, 0.0, 0.0, 0.5, 1.0, 2.0, 7.25])
MATRICES = array_shapes(min_dims=2, max_dims=2, max_side=7).flatmap(
    lambda shape: arrays(np.float64, shape, elements=VALUES)
)


def test_every_kind_is_tested() -> None:
    assert set(KINDS) == set(EXPONENTS)


@pytest.mark.parametrize("kind", KINDS)
@given(dense=MATRICES)
@example(dense=np.zeros((2, 3)))
@example(dense=np.array([[0.0, 0.0], [0.0, 4.0]]))
@settings(max_examples=40, deadline=None)
def test_equals_the_dense_computation(kind: str, dense: np.ndarray) -> None:
    normalized = normalize(sp.csr_matrix(dense), kind)
    np.testing.assert_allclose(normalized.toarray(), dense_normalized(dense, *KINDS[kind]), rtol=1e-12)


def test_symmetric_by_hand() -> None:
    matrix = sp.csr_matrix(np.array([[1, 3], [0, 1]], dtype=np.float32))
    expected = [[0.5, 3 / 4], [0, 1 / 2]]
    np.testing.assert_allclose(normalize(matrix, "symmetric").toarray(), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_of_interactions_is_the_block_of_the_normalized_adjacency(kind: str) -> None:
    matrix = random_matrix(weighted=True)
    adjacency = normalize(bipartite_graph(matrix).adjacency, kind)
    num_users = matrix.shape[0]
    np.testing.assert_allclose(
        adjacency[:num_users, num_users:].toarray(), normalize(matrix, kind).toarray(), rtol=1e-6
    )


def test_l1_left_gives_means_of_neighbours() -> None:
    sums = normalize(random_matrix(weighted=True), "l1_left").toarray().sum(axis=1)
    np.testing.assert_allclose(sums, [1, 1, 1, 1, 1, 1, 0], rtol=1e-6)


def test_precision_is_kept() -> None:
    assert normalize(random_matrix(), "symmetric").dtype == np.float32


def test_the_given_matrix_is_left_alone() -> None:
    matrix = random_matrix(weighted=True)
    before = matrix.toarray()
    normalize(matrix, "symmetric")
    np.testing.assert_array_equal(matrix.toarray(), before)


def test_unknown_kind_is_refused() -> None:
    with pytest.raises(InputError, match="normalization='sym' is unknown; choose one of none, symmetric, left"):
        normalize(random_matrix(), "sym")
