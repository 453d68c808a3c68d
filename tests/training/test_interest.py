"""Binary cross-entropy on planted groups."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import polars as pl
import pytest
import torch

from graftrec.data.dataset import Dataset
from graftrec.data.filters import Filter
from graftrec.data.sources.synthetic import SyntheticSource
from graftrec.data.splits.random import RandomSplit
from graftrec.errors import InputError
from graftrec.nn.heads import BilinearHead, DotHead, Head, MLPHead
from graftrec.recommend.interest import PairScorer, judge
from graftrec.training.csv_logger import EpochCSVLogger
from tests.small_data import prepare
from tests.training.runs import fit, interest_data, interest_module

pytestmark = pytest.mark.filterwarnings("ignore::pytorch_lightning.utilities.warnings.PossibleUserWarning")


@pytest.fixture(scope="module")
def skewed() -> Dataset:
    """200 users and 100 items of 4 planted groups, a few items of each group much wanted."""
    sizes = {"num_users": 200, "num_items": 100, "num_interactions": 4000, "num_groups": 4}
    source = SyntheticSource(name="synthetic", skew=1.0, item_text=[], user_text=[], **sizes)
    return prepare(source, Filter(min_user=5, min_item=3), RandomSplit())


@pytest.mark.parametrize("make", [DotHead, partial(BilinearHead, dim=16), partial(MLPHead, dim=16)])
def test_planted_groups_are_told_from_popularity(make: Callable[[], Head], skewed: Dataset) -> None:
    torch.manual_seed(0)
    head = make()
    data = interest_data(skewed)
    module = interest_module(data, head)
    fit(module, data, 15)
    with torch.no_grad():
        factors = module.recommender.eval().factors(module.graph)
    values = judge(PairScorer(head, *factors), data.validation, data.test)["test"].values
    assert values["popularity_matched/popularity_roc_auc"] == pytest.approx(0.5, abs=0.06)
    assert values["uniform/popularity_roc_auc"] > 0.55
    assert values["popularity_matched/roc_auc"] > 0.65
    assert values["popularity_matched/left_out"] == 0


def test_loss_by_hand(synthetic: Dataset) -> None:
    data = interest_data(synthetic, per_positive=3)
    module = interest_module(data)
    module.log = lambda *_, **__: None  # type: ignore[method-assign]
    batch = next(iter(data.batches))
    loss = module.loss(batch)
    users, items = module.recommender.factors(module.graph)
    total = 0.0
    for user, item, negatives in zip(batch.users, batch.items, batch.negatives, strict=True):
        total += math.log1p(math.exp(-(users[user] @ items[item]).item()))
        total += sum(math.log1p(math.exp((users[user] @ items[n]).item())) for n in negatives)
    assert loss.item() == pytest.approx(total / (4 * len(batch.users)), rel=1e-5)


def test_curves_and_test_are_the_judgement_of_the_same_vectors(synthetic: Dataset, tmp_path: Path) -> None:
    data = interest_data(synthetic)
    module = interest_module(data)
    trainer = fit(module, data, 2, logger=EpochCSVLogger(tmp_path / "metrics.csv"))
    with torch.no_grad():
        results = judge(PairScorer(module.head, *module.recommender.factors(module.graph)), data.validation, data.test)
    last = pl.read_csv(tmp_path / "metrics.csv").to_dicts()[-1]
    for name in ("uniform/roc_auc", "popularity_matched/f1", "uniform/threshold"):
        assert last[f"valid/{name}"] == pytest.approx(results["valid"].values[name], rel=1e-6)
    tested = trainer.test(module, data, verbose=False)[0]
    for name in ("uniform/roc_auc", "popularity_matched/f1", "uniform/threshold"):
        assert tested[f"test/{name}"] == pytest.approx(results["test"].values[name], rel=1e-6)


def test_no_negatives_are_refused(synthetic: Dataset) -> None:
    with pytest.raises(InputError, match=r"per_positive=0: set it to 1 or more"):
        interest_module(interest_data(synthetic, per_positive=0))
