"""What all recommenders of this folder have in common."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from graftrec.baselines.base import Baseline, TrainingData
from graftrec.baselines.chebycf import ChebyCF
from graftrec.baselines.gfcf import GFCF
from graftrec.baselines.ials import IALS
from graftrec.baselines.item_knn import ItemKNN
from graftrec.baselines.rp3beta import RP3Beta
from graftrec.baselines.slim import SLIM
from graftrec.baselines.user_knn import UserKNN
from graftrec.data.dataset import Dataset
from graftrec.errors import InputError
from graftrec.recommend.evaluation import RankingProtocol, evaluate
from tests.baselines.cells import CELLS, METHODS, data_of, scores_of

FEATURES = np.random.default_rng(0).normal(size=(CELLS.shape[1], 6)).astype(np.float32)
every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)


@every_method
def test_scores_are_float32_and_written_in_place_for_users_in_any_order(method: Baseline) -> None:
    fitted, everyone = method.fit(data_of(CELLS, FEATURES)), scores_of(method, CELLS, FEATURES)
    users = torch.tensor([7, 0, 5, 7])
    out = torch.full((4, CELLS.shape[1]), 9.0)
    returned = fitted.scores(users, out=out)
    assert (returned.data_ptr(), returned.dtype, fitted.scores(users).dtype) == (out.data_ptr(), *[torch.float32] * 2)
    np.testing.assert_allclose(out, everyone[users], atol=1e-6)
    np.testing.assert_allclose(fitted.scores(users), everyone[users], atol=1e-6)


@every_method
def test_hiding_items_in_one_block_leaves_the_next_as_it_was(method: Baseline) -> None:
    fitted = method.fit(data_of(CELLS, FEATURES))
    before = fitted.scores(torch.tensor([1])).clone()
    fitted.scores(torch.tensor([1])).fill_(-torch.inf)
    assert torch.equal(fitted.scores(torch.tensor([1])), before)


@every_method
def test_a_second_fit_gives_the_same_scores(method: Baseline) -> None:
    np.testing.assert_array_equal(scores_of(method, CELLS, FEATURES), scores_of(method, CELLS, FEATURES))


@every_method
def test_users_and_items_without_training_are_scored_without_nan(method: Baseline) -> None:
    assert np.isfinite(scores_of(method, CELLS, FEATURES)).all()


@pytest.mark.parametrize("method", METHODS[1:-1], ids=lambda method: type(method).__name__)
def test_planted_groups_are_found(method: Baseline, synthetic: Dataset) -> None:
    protocol = RankingProtocol(k=(10,), mask="train")
    data = TrainingData(synthetic.train)
    found, popular = (evaluate(m.fit(data), protocol.test(synthetic)).values for m in (method, METHODS[0]))
    assert found["recall@10"] > 1.5 * popular["recall@10"]


def test_once_computes_again_only_for_other_settings() -> None:
    data, calls = data_of(CELLS), []
    for settings in (1, 1, 2, 1):
        data.once("name", settings, lambda settings=settings: calls.append(settings))
    assert calls == [1, 2, 1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ItemKNN(0, 1.0), "item-kNN's neighbours=0 must be >= 1"),
        (lambda: ItemKNN(5, -3.0), "item-kNN's shrinkage=-3.0 must be >= 0"),
        (lambda: UserKNN(-1, 1.0), "user-kNN's neighbours=-1 must be >= 1"),
        (lambda: RP3Beta(1.0, 0.5, 0), "RP3beta's neighbours=0 must be >= 1"),
        (lambda: SLIM(1.0, -5.0, 10), "SLIM's l2=-5.0 must be >= 0"),
        (lambda: IALS(8, 0.1, 0.0, 1.0, 3), "iALS's penalty=0.0 must be > 0"),
        (lambda: IALS(8, 0.0, 0.1, 1.0, 3), "iALS's unobserved=0.0 must be > 0"),
        (lambda: IALS(8, 0.1, 0.1, 1.0, -3), "iALS's epochs=-3 must be >= 1"),
        (lambda: GFCF(0, 0.3), "GF-CF's rank=0 must be >= 1"),
        (lambda: ChebyCF(0, 1.5, 8, 0.2, 0.4), "ChebyCF's order=0 must be >= 1"),
        (lambda: ChebyCF(8, float("nan"), 8, 0.2, 0.4), "ChebyCF's flatness=nan must be > 0"),
    ],
)
def test_settings_without_scores_are_refused(make: Callable[[], Baseline], message: str) -> None:
    with pytest.raises(InputError) as refused:
        make()
    assert str(refused.value).startswith(message)
