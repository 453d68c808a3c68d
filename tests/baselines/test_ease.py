import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graftrec.baselines import ease
from graftrec.baselines.ease import EASE, invert
from graftrec.errors import InputError
from tests.baselines.cells import scores_of
from tests.small_data import random_matrix


def closed_form(cells: np.ndarray, penalty: float) -> np.ndarray:
    """R B in float64, B as in the paper's Algorithm 1."""
    cells = cells.astype(float)
    inverse = np.linalg.inv(cells.T @ cells + penalty * np.eye(cells.shape[1]))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return cells @ weights


@given(
    shape=st.sampled_from([(11, 7), (7, 11), (70, 90)]),
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.1, 0.4, 0.8]),
    penalty=st.sampled_from([0.5, 10.0, 500.0]),
)
@pytest.mark.filterwarnings("ignore:Changing the sparsity structure")
def test_scores_are_those_of_the_closed_form(shape: tuple[int, int], seed: int, share: float, penalty: float) -> None:
    cells = random_matrix(*shape, share, seed)
    np.testing.assert_allclose(scores_of(EASE(penalty), cells), closed_form(cells, penalty), atol=1e-5)


def test_weights_minimise_the_penalised_error_of_every_item_without_itself() -> None:
    cells = random_matrix(30, 6, 0.4, seed=1).astype(float)
    expected = np.zeros((6, 6))
    for item in range(6):  # ridge regression on the other items
        others = np.delete(np.arange(6), item)
        inner = cells[:, others].T @ cells[:, others] + 2.0 * np.eye(5)
        expected[others, item] = np.linalg.solve(inner, cells[:, others].T @ cells[:, item])
    np.testing.assert_allclose(scores_of(EASE(2.0), cells > 0), cells @ expected, atol=1e-5)


@pytest.mark.parametrize("block", [2, 3, 7, 100])
def test_matrix_is_inverted_in_its_own_memory(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(ease, "BLOCK", block)
    root = np.random.default_rng(0).normal(size=(7, 7))
    matrix = torch.from_numpy((root @ root.T + np.eye(7)).astype(np.float32))
    expected, place = np.linalg.inv(matrix.double()), matrix.data_ptr()
    invert(matrix)
    np.testing.assert_allclose(matrix, expected, atol=1e-4)
    assert matrix.data_ptr() == place


def test_blocks_are_as_accurate_as_lapack_on_an_ill_conditioned_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = random_matrix(400, 300, 0.9, seed=3).astype(np.float32)
    gram = torch.from_numpy(cells.T @ cells + np.eye(300, dtype=np.float32))
    exact = np.linalg.inv(gram.double())
    lapack = torch.cholesky_inverse(torch.linalg.cholesky(gram))
    monkeypatch.setattr(ease, "BLOCK", 256)
    invert(gram)
    assert np.abs(gram - exact).max() < 3 * np.abs(lapack - exact).max()


def test_penalty_must_be_positive() -> None:
    with pytest.raises(InputError, match="must be > 0"):
        EASE(0.0)


def test_a_matrix_that_float32_cannot_invert_is_refused() -> None:
    with pytest.raises(InputError, match="raise its penalty"):
        invert(torch.ones(3, 3))


@pytest.mark.parametrize("sides", [(29_858, 40_981), (40_981, 29_858)])
def test_memory_is_that_of_one_matrix_of_the_fewer(sides: tuple[int, int]) -> None:
    degrees = (np.ones(side, dtype=np.int64) for side in sides)
    assert EASE(1.0).memory_gib(*degrees) == pytest.approx(3.32 + 0.68, abs=0.01)  # and six blocks of 1,024 rows
