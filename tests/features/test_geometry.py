"""Mean cosine and effective rank by hand."""

import numpy as np
import pytest

from graftrec.features.conditioning.center import Center
from graftrec.features.conditioning.pca import PCA
from graftrec.features.geometry import Geometry
from tests.features.conditioning.vectors import anisotropic


def test_mean_cosine_is_that_of_all_pairs() -> None:
    vectors = anisotropic(30, 7)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    naive = np.mean([unit[i] @ unit[j] for i in range(30) for j in range(30) if i != j])
    assert Geometry.of(vectors).mean_cosine == pytest.approx(naive, abs=1e-6)


@pytest.mark.parametrize("wide", [False, True])
def test_effective_rank_by_hand(wide: bool) -> None:
    vectors = np.zeros((3, 9) if wide else (9, 3), dtype=np.float32)
    vectors[:3, :3] = np.diag([2.0, 1.0, 1.0])  # shares 1/2, 1/4, 1/4: entropy 1.5 ln 2
    assert Geometry.of(vectors).effective_rank == pytest.approx(2**1.5)


def test_rows_of_zeros_are_left_out() -> None:
    vectors = np.array([[1, 0], [0, 0], [1, 0]], dtype=np.float32)
    assert Geometry.of(vectors) == Geometry(2, 1.0, pytest.approx(1.0))


@pytest.mark.parametrize("rows", [0, 1])
def test_too_few_vectors_have_no_pairs(rows: int) -> None:
    assert Geometry.of(np.ones((rows, 4), dtype=np.float32)).mean_cosine == 0


def test_a_sample_is_near_the_whole_and_always_the_same() -> None:
    vectors = anisotropic(3000, 10)
    whole, sample = Geometry.of(vectors, sample=3000), Geometry.of(vectors, sample=500)
    assert sample == Geometry.of(vectors, sample=500)
    assert sample.mean_cosine == pytest.approx(whole.mean_cosine, abs=0.01)
    assert sample.effective_rank == pytest.approx(whole.effective_rank, rel=0.05)


def test_conditioning_evens_out_anisotropic_vectors() -> None:
    vectors = anisotropic(400, 16)
    before, centred, white = (
        Geometry.of(v) for v in (vectors, Center().fit(vectors)(vectors), PCA(whiten=True).fit(vectors)(vectors))
    )
    assert before.mean_cosine > 0.9
    assert abs(centred.mean_cosine) < 0.01
    assert before.effective_rank < centred.effective_rank < white.effective_rank
    assert white.effective_rank == pytest.approx(16, abs=0.01)
