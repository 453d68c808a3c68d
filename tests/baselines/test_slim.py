import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import ElasticNet

from graftrec.baselines import slim
from graftrec.baselines.scorers import SparseProduct
from graftrec.baselines.slim import SLIM
from tests.baselines.cells import data_of
from tests.small_data import random_matrix


@pytest.fixture(autouse=True)
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last digits, as the oracles are."""
    monkeypatch.setattr(slim, "TOLERANCE", 1e-6)


def weights_of(model: SparseProduct) -> np.ndarray:
    return model.right.toarray()


def elastic_net(cells: np.ndarray, l1: float, l2: float) -> np.ndarray:
    """scikit-learn's answer, item by item [I, I]; its objective is ours over the number of users."""
    num_users, num_items = cells.shape
    strength = (l1 + l2) / num_users
    weights = np.zeros((num_items, num_items))
    for item in range(num_items):
        others = np.delete(np.arange(num_items), item)
        net = ElasticNet(
            strength, l1_ratio=l1 / (l1 + l2), fit_intercept=False, positive=True, tol=1e-10, max_iter=10_000
        )
        weights[others, item] = net.fit(cells[:, others], cells[:, item]).coef_
    return weights


@given(seed=st.integers(0, 10_000), l1=st.sampled_from([0.1, 1.0, 2.5]), l2=st.sampled_from([0.5, 5.0]))
@pytest.mark.filterwarnings("ignore:Changing the sparsity structure")
def test_weights_satisfy_the_optimality_conditions(seed: int, l1: float, l2: float) -> None:
    cells = random_matrix(20, 8, 0.4, seed).astype(float)
    weights = weights_of(SLIM(l1, l2, neighbours=8).fit(data_of(cells > 0)))
    gradient = cells.T @ (cells @ weights - cells) + l1 + l2 * weights
    off = ~np.eye(8, dtype=bool)
    assert (weights >= 0).all()
    assert np.diag(weights).tolist() == [0] * 8
    np.testing.assert_allclose(gradient[off & (weights > 0)], 0, atol=1e-4)
    assert (gradient[off] > -1e-4).all()


@pytest.mark.parametrize("cells_at_once", [1, 60, 2**20])
def test_weights_are_those_of_scikit_learn_whatever_the_block(
    monkeypatch: pytest.MonkeyPatch, cells_at_once: int
) -> None:
    monkeypatch.setattr(slim, "CELLS", cells_at_once)
    cells = random_matrix(40, 12, 0.3, seed=5)
    weights = weights_of(SLIM(0.5, 3.0, neighbours=12).fit(data_of(cells)))
    np.testing.assert_allclose(weights, elastic_net(cells.astype(float), 0.5, 3.0), atol=1e-5)


def test_only_the_nearest_items_have_weights() -> None:
    cells = random_matrix(40, 12, 0.4, seed=5)
    both = cells.T.astype(float) @ cells
    cosine = both / np.sqrt(np.outer(np.diag(both), np.diag(both))) - np.eye(12)
    weights = weights_of(SLIM(0.1, 1.0, neighbours=3).fit(data_of(cells)))
    nearest = np.argsort(-cosine, axis=1, kind="stable")[:, :3]
    assert all(set(np.flatnonzero(weights[:, item])) <= set(nearest[item]) for item in range(12))
    assert (weights > 0).sum(0).max() == 3
