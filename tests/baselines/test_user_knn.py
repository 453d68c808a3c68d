from math import sqrt

import numpy as np
import pytest
import torch

from graftrec.baselines.item_knn import ItemKNN
from graftrec.baselines.user_knn import UserKNN
from tests.baselines.cells import CELLS, data_of, scores_of


@pytest.mark.parametrize("neighbours", [1, 3, 50])
@pytest.mark.parametrize("shrinkage", [0.0, 4.0])
def test_scores_are_sums_over_the_nearest_users(neighbours: int, shrinkage: float) -> None:
    degree, expected = CELLS.sum(1), np.zeros(CELLS.shape)
    for user, row in enumerate(CELLS):
        both = (CELLS & row).sum(1)
        cosine = [
            np.float32(b / (sqrt(degree[user] * degree[v]) + shrinkage)) if b and v != user else 0.0
            for v, b in enumerate(both)
        ]
        for other in sorted(range(len(CELLS)), key=lambda v: (-cosine[v], v))[:neighbours]:
            expected[user] += cosine[other] * CELLS[other]
    np.testing.assert_allclose(scores_of(UserKNN(neighbours, shrinkage), CELLS), expected, atol=1e-5)


def test_users_of_a_matrix_are_the_items_of_its_transpose() -> None:
    by_users = UserKNN(3, 1.0).fit(data_of(CELLS))
    by_items = ItemKNN(3, 1.0).fit(data_of(CELLS.T))
    assert (by_users.left != by_items.right.T).nnz == 0
    assert by_users.scores(torch.tensor([5])).abs().sum() == 0  # a user without items has no neighbours
