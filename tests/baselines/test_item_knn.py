from math import sqrt

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graftrec.baselines.base import TrainingData
from graftrec.baselines.item_knn import ItemKNN
from graftrec.baselines.scorers import SparseProduct
from tests.small_data import from_matrix, random_matrix

CELLS = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [1, 0, 0, 0]])


def naive_similarity(cells: np.ndarray, shrinkage: float) -> np.ndarray:
    """Shrunk cosine [I, I], cell by cell, zero on the diagonal."""
    degree, num_items = cells.sum(0), cells.shape[1]
    similarity = np.zeros((num_items, num_items), dtype=np.float32)
    for first in range(num_items):
        for second in range(num_items):
            both = (cells[:, first] & cells[:, second]).sum()
            if first != second and both:
                similarity[first, second] = both / (sqrt(degree[first]) * sqrt(degree[second]) + shrinkage)
    return similarity


def fitted(cells: np.ndarray, neighbours: int, shrinkage: float) -> SparseProduct:
    return ItemKNN(neighbours, shrinkage).fit(TrainingData(from_matrix(cells)))


def naive_scores(cells: np.ndarray, neighbours: int, shrinkage: float) -> np.ndarray:
    """Scores [U, I] from each item's nearest, of equals the lowest-numbered."""
    kept = np.zeros((cells.shape[1], cells.shape[1]))
    for item, row in enumerate(naive_similarity(cells, shrinkage)):
        nearest = sorted(np.flatnonzero(row), key=lambda other, row=row: (-row[other], other))[:neighbours]
        kept[item, nearest] = row[nearest]
    return cells @ kept.T


@given(
    seed=st.integers(0, 10_000),
    share=st.sampled_from([0.1, 0.4, 0.8]),
    neighbours=st.sampled_from([1, 2, 3, 20]),
    shrinkage=st.sampled_from([0.0, 1.0, 10.0]),
)
@pytest.mark.filterwarnings("ignore:Changing the sparsity structure")
def test_scores_are_the_naive_ones(seed: int, share: float, neighbours: int, shrinkage: float) -> None:
    cells = random_matrix(7, 6, share, seed)
    scores = fitted(cells, neighbours, shrinkage).scores(torch.arange(7))
    np.testing.assert_allclose(scores, naive_scores(cells, neighbours, shrinkage), atol=1e-6)


def test_similarity_by_hand() -> None:
    scores = fitted(CELLS, 10, 1.0).scores(torch.tensor([3]))
    # The user has item 0 alone: shared with item 1 by two of three and three users, with item 2 by one.
    np.testing.assert_allclose(scores, [[0, 2 / (3 + 1), 1 / (sqrt(6) + 1), 0]], atol=1e-6)


def test_deviations_by_hand() -> None:
    model = ItemKNN(neighbours=1, shrinkage=0.0, deviations=True).fit(TrainingData(from_matrix(CELLS)))
    scores = model.scores(torch.tensor([3]))
    # Means 3/4, 3/4, 1/2, 0. Nearest: item 1 of 0, 2 of 1, 1 of 2; item 3 has none. The user has item 0.
    np.testing.assert_allclose(scores, [[3 / 4 - 3 / 4, 3 / 4 - 1 / 2, 1 / 2 - 3 / 4, 0]], atol=1e-6)


@given(seed=st.integers(0, 10_000), neighbours=st.sampled_from([1, 2, 20]), shrinkage=st.sampled_from([0.0, 5.0]))
@pytest.mark.filterwarnings("ignore:Changing the sparsity structure")
def test_deviations_are_the_naive_weighted_means(seed: int, neighbours: int, shrinkage: float) -> None:
    cells = random_matrix(7, 6, 0.4, seed)
    mean, similarity = cells.mean(0), naive_similarity(cells, shrinkage)
    expected = np.tile(mean, (7, 1))
    for item, row in enumerate(similarity):
        nearest = sorted(np.flatnonzero(row), key=lambda other, row=row: (-row[other], other))[:neighbours]
        if nearest:
            expected[:, item] += (cells - mean)[:, nearest] @ row[nearest] / row[nearest].sum()
    model = ItemKNN(neighbours, shrinkage, deviations=True).fit(TrainingData(from_matrix(cells)))
    np.testing.assert_allclose(model.scores(torch.arange(7)), expected, atol=1e-6)


def test_settings_of_a_grid_share_one_similarity_and_do_not_disturb_each_other() -> None:
    data = TrainingData(from_matrix(CELLS))
    for neighbours, shrinkage in ((1, 0.0), (3, 0.0), (3, 1.0), (1, 0.0)):
        scores = ItemKNN(neighbours, shrinkage).fit(data).scores(torch.arange(4))
        np.testing.assert_allclose(scores, naive_scores(CELLS, neighbours, shrinkage), atol=1e-6)


def test_scores_are_written_in_place() -> None:
    model = fitted(CELLS, 2, 0.0)
    out = torch.full((2, 4), 9.0)
    returned = model.scores(torch.tensor([0, 3]), out=out)
    assert returned.data_ptr() == out.data_ptr()
    assert out.tolist() == model.scores(torch.tensor([0, 3])).tolist()
