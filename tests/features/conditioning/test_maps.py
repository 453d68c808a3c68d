"""Each conditioning by hand, and what all have in common."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA as SklearnPCA

from graftrec.errors import InputError
from graftrec.features.conditioning.base import Conditioning
from graftrec.features.conditioning.center import Center
from graftrec.features.conditioning.pca import PCA
from graftrec.features.conditioning.random_projection import RandomProjection
from graftrec.features.conditioning.select import Select
from tests.features.conditioning.vectors import anisotropic

ALL = [Center(), PCA(4), PCA(4, whiten=True), PCA(whiten=True), RandomProjection(4), Select(4), Select(4, "random")]
WITH_DIM = [PCA, RandomProjection, Select]


def test_center_by_hand() -> None:
    vectors = np.array([[1, 2], [3, 6]], dtype=np.float32)
    assert Center().fit(vectors)(vectors).tolist() == [[-1, -2], [1, 2]]


def test_principal_component_by_hand() -> None:
    vectors = np.array([[0, 0], [3, 4], [6, 8]], dtype=np.float32)  # all on one line, 5 apart
    np.testing.assert_allclose(np.abs(PCA(1).fit(vectors)(vectors)), [[5], [0], [5]], atol=1e-5)


def test_principal_components_are_those_of_scikit_learn() -> None:
    vectors = anisotropic(200, 12).astype(np.float64)
    ours, theirs = PCA(5).fit(vectors.astype(np.float32)), SklearnPCA(5, svd_solver="full").fit(vectors)
    np.testing.assert_allclose(np.abs(ours(vectors.astype(np.float32))), np.abs(theirs.transform(vectors)), atol=1e-3)


@pytest.mark.parametrize("dim", [None, 7])
def test_whitened_vectors_have_the_identity_as_covariance(dim: int | None) -> None:
    vectors = anisotropic(500, 12)
    white = PCA(dim, whiten=True).fit(vectors)(vectors)
    np.testing.assert_allclose(white.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(white.T), np.eye(dim or 12), atol=1e-3)


def test_whitening_leaves_out_directions_that_the_items_do_not_span() -> None:
    vectors = anisotropic(300, 6)
    doubled = np.concatenate([vectors, vectors], axis=1)  # twelve numbers, six directions
    white = PCA(whiten=True).fit(doubled)(doubled)
    np.testing.assert_allclose(np.cov(white.T), np.eye(6), atol=1e-3)


def test_variance_picks_the_planted_numbers() -> None:
    generator = np.random.default_rng(0)
    vectors = generator.normal(5, 0.1, (100, 20))
    vectors[:, [17, 3, 8]] += generator.normal(0, 1, (100, 3))
    vectors = vectors.astype(np.float32)
    np.testing.assert_array_equal(Select(3).fit(vectors)(vectors), vectors[:, [3, 8, 17]])


def test_uniform_takes_numbers_at_equal_distances() -> None:
    vectors = np.arange(20, dtype=np.float32).reshape(2, 10)
    np.testing.assert_array_equal(Select(4, "uniform").fit(vectors)(vectors)[0], [0, 2, 5, 7])


def test_random_numbers_depend_on_the_seed_alone() -> None:
    vectors = anisotropic(5, 100)
    first, again, other = (Select(10, "random", seed).fit(vectors)(vectors) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert set(first[0]) <= set(vectors[0])


def test_random_projection_keeps_distances_on_average() -> None:
    vectors = anisotropic(60, 400)
    projected = RandomProjection(200).fit(vectors)(vectors)
    pairs = np.triu_indices(60, 1)
    before, after = (np.linalg.norm(v[pairs[0]] - v[pairs[1]], axis=1) for v in (vectors, projected))
    assert (after / before).mean() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("conditioning", ALL, ids=repr)
def test_width_is_told_beforehand(conditioning: Conditioning) -> None:
    vectors = anisotropic(50, 8)
    assert conditioning.fit(vectors)(vectors).shape == (50, conditioning.width(8, 50))


@pytest.mark.parametrize("conditioning", ALL, ids=repr)
@given(seed=st.integers(0, 1000))
def test_the_map_commutes_with_a_mean(conditioning: Conditioning, seed: int) -> None:
    vectors = anisotropic(40, 8, seed)
    fitted = conditioning.fit(vectors)
    np.testing.assert_allclose(fitted(vectors[:7].mean(0, keepdims=True))[0], fitted(vectors[:7]).mean(0), atol=1e-3)


@pytest.mark.parametrize("conditioning", ALL, ids=repr)
def test_equal_vectors_give_equal_maps(conditioning: Conditioning) -> None:
    vectors = anisotropic(1200, 40)  # large enough for scikit-learn's randomised solver
    first, again = (conditioning.fit(vectors.copy())(vectors) for _ in range(2))
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("kind", WITH_DIM)
@pytest.mark.parametrize("dim", [0, 9, 2.5])
def test_dim_beyond_the_width_is_refused(kind: type, dim: object) -> None:
    with pytest.raises(InputError, match=rf"conditioning.dim={dim} must be a whole number from 1 to 8, the numbers in"):
        kind(dim).width(8, 100)


def test_more_directions_than_items_are_refused() -> None:
    assert PCA(5).width(8, 6) == 5
    with pytest.raises(InputError, match=r"dim=6 directions need more than 6 items .* there are 6; .*select"):
        PCA(6).width(8, 6)


def test_unknown_selection_is_refused() -> None:
    with pytest.raises(InputError, match=r"conditioning.by='best' is unknown; choose one of variance, uniform, random"):
        Select(3, "best")
