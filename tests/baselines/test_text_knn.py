import numpy as np
import pytest

from graftrec.baselines.text_knn import TextKNN
from tests.baselines.cells import CELLS, scores_of


@pytest.mark.parametrize("centred", [False, True])
def test_score_is_the_mean_cosine_with_the_users_items(centred: bool) -> None:
    features = np.random.default_rng(0).normal(1.0, 1.0, size=(9, 5)).astype(np.float32)
    features[2] = 0  # an item without text
    vectors = features.copy()
    if centred:
        vectors[features.any(1)] -= features[features.any(1)].mean(0)
    expected = np.zeros(CELLS.shape)
    for user, row in enumerate(CELLS):
        for item in range(9):
            for mine in np.flatnonzero(row):
                norm = np.linalg.norm(vectors[item]) * np.linalg.norm(vectors[mine])
                expected[user, item] += vectors[item] @ vectors[mine] / norm / row.sum() if norm else 0
    np.testing.assert_allclose(scores_of(TextKNN(centred), CELLS, features), expected, atol=1e-5)
