import numpy as np
import pytest

from graftrec.baselines.rp3beta import RP3Beta
from tests.baselines.cells import CELLS, scores_of


def walk(cells: np.ndarray, alpha: float, beta: float, neighbours: int) -> np.ndarray:
    """Scores [U, I], one path at a time."""
    num_items = cells.shape[1]
    steps = np.zeros((num_items, num_items))
    for start in range(num_items):
        for user in np.flatnonzero(cells[:, start]):
            for end in np.flatnonzero(cells[user]):
                probability = (1 / cells[:, start].sum()) ** alpha * (1 / cells[user].sum()) ** alpha
                steps[start, end] += probability / cells[:, end].sum() ** beta
    np.fill_diagonal(steps, 0)
    for row in steps:
        row[np.argsort(-row.astype(np.float32), kind="stable")[neighbours:]] = 0
    return cells @ steps


@pytest.mark.parametrize("alpha", [0.5, 1.0])
@pytest.mark.parametrize("beta", [0.0, 0.7])
@pytest.mark.parametrize("neighbours", [2, 20])
def test_scores_are_the_probabilities_of_all_paths(alpha: float, beta: float, neighbours: int) -> None:
    np.testing.assert_allclose(
        scores_of(RP3Beta(alpha, beta, neighbours), CELLS), walk(CELLS, alpha, beta, neighbours), atol=1e-5
    )


def test_walk_by_hand() -> None:
    cells = np.array([[1, 1, 0], [0, 1, 1]])
    # User 0 has items 0 and 1. To item 2 leads one path: item 1 (two users), user 1 (two items): 1/2 * 1/2; degree 1.
    assert scores_of(RP3Beta(1.0, 0.0, 5), cells)[0, 2] == pytest.approx(0.25)
    assert scores_of(RP3Beta(1.0, 1.0, 5), cells)[0, 0] == pytest.approx(0.25)
    assert scores_of(RP3Beta(1.0, 1.0, 5), cells)[0, 1] == pytest.approx(0.5 / 2)  # from item 0, over degree 2
