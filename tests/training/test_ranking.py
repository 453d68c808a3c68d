from functools import partial
from pathlib import Path

import polars as pl
import pytest
import torch
from pytorch_lightning import Callback

from graftrec.baselines.base import TrainingData
from graftrec.baselines.popularity import Popularity
from graftrec.data.dataset import Dataset
from graftrec.objectives.bpr import BPR
from graftrec.objectives.objective import Objective
from graftrec.objectives.step import Batch
from graftrec.recommend.evaluation import evaluate
from graftrec.scoring import FactorScorer
from graftrec.training.csv_logger import EpochCSVLogger
from graftrec.training.ranking import RankingModule
from graftrec.training.schedulers import linear_decay
from tests.training.runs import ENCODERS, data_module, fit, ranking_module

pytestmark = pytest.mark.filterwarnings("ignore::pytorch_lightning.utilities.warnings.PossibleUserWarning")


class BatchRecorder(Callback):
    """Keeps the users of every training batch, by epoch."""

    def __init__(self) -> None:
        self.users: dict[int, list[list[int]]] = {}

    def on_train_batch_start(self, trainer: object, module: RankingModule, batch: Batch, batch_idx: int) -> None:
        self.users.setdefault(module.current_epoch, []).append(batch.users.tolist())


@pytest.fixture(scope="module")
def curves(synthetic: Dataset, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """The learning curves of a LightGCN over five epochs."""
    path = tmp_path_factory.mktemp("run") / "metrics.csv"
    data = data_module(synthetic)
    fit(ranking_module(data), data, 5, logger=EpochCSVLogger(path))
    return pl.read_csv(path)


def scorer_of(module: RankingModule) -> FactorScorer:
    """The trained embeddings, without dropout."""
    with torch.no_grad():
        return FactorScorer(*module.recommender.eval().factors(module.graph))


def test_loss_falls(curves: pl.DataFrame) -> None:
    losses = curves["train/loss"].to_list()
    assert losses == sorted(losses, reverse=True)
    assert losses[-1] < 0.9 * losses[0]


def test_logged_names(curves: pl.DataFrame) -> None:
    ranked = {
        f"{name}@{k}" for name in ("recall", "precision", "f1", "ndcg", "hit_rate", "map", "mrr") for k in (5, 10)
    }
    ranked |= {f"{name}@{k}" for name in ("f1_of_means", "coverage") for k in (5, 10)} | {"num_users"}
    ranked |= {f"{name}@{k}" for name in ("gini", "novelty", "popularity") for k in (5, 10)}
    losses = {"train/loss", "train/loss/bpr", "train/loss/l2"}
    assert set(curves.columns) == {"epoch", *losses, *(f"valid/{name}" for name in ranked)}


def test_one_row_an_epoch_holds_training_and_validation(curves: pl.DataFrame) -> None:
    assert curves["epoch"].to_list() == [0, 1, 2, 3, 4]
    assert curves.null_count().sum_horizontal().item() == 0


def test_logged_loss_is_the_weighted_sum_of_its_terms(curves: pl.DataFrame) -> None:
    expected = (curves["train/loss/bpr"] + 1e-4 * curves["train/loss/l2"]).to_list()
    assert curves["train/loss"].to_list() == pytest.approx(expected, rel=1e-5)


def test_trained_lightgcn_beats_popularity_on_planted_groups(synthetic: Dataset) -> None:
    data = data_module(synthetic)
    module = ranking_module(data)
    fit(module, data, 30)
    popularity = Popularity().fit(TrainingData(synthetic.train))
    trained, popular = (evaluate(model, data.test) for model in (scorer_of(module), popularity))
    assert trained.values["recall@10"] > 1.5 * popular.values["recall@10"]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_same_seed_gives_the_same_metrics(encoder: str, synthetic: Dataset) -> None:
    runs = []
    for _ in range(2):
        data = data_module(synthetic)
        trainer = fit(ranking_module(data, encoder), data, 2)
        runs.append({name: value.item() for name, value in trainer.callback_metrics.items()})
    assert runs[0] == runs[1]


def test_another_seed_gives_another_loss(synthetic: Dataset) -> None:
    losses = []
    for seed in (0, 1):
        data = data_module(synthetic, seed=seed)
        losses.append(fit(ranking_module(data, seed=seed), data, 1).callback_metrics["train/loss"].item())
    assert losses[0] != losses[1]


def test_dropout_follows_the_modules_seed(synthetic: Dataset) -> None:
    losses = []
    for seed in (0, 1):
        data = data_module(synthetic)
        module = ranking_module(data, "gcn")
        module.seed = seed
        losses.append(fit(module, data, 1).callback_metrics["train/loss"].item())
    assert losses[0] != losses[1]


@pytest.mark.parametrize("encoder", ["lightgcn", "gcn"])
def test_validation_is_the_evaluation_of_the_same_embeddings(encoder: str, synthetic: Dataset) -> None:
    data = data_module(synthetic)
    module = ranking_module(data, encoder)
    fit(module, data, 2)
    assert module.results["valid"].values == evaluate(scorer_of(module), data.validation).values


@pytest.mark.parametrize("mask", ["train", "train_and_valid"])
def test_test_is_the_evaluation_of_the_same_embeddings(mask: str, synthetic: Dataset) -> None:
    data = data_module(synthetic, mask=mask)
    module = ranking_module(data)
    fit(module, data, 2).test(module, data, verbose=False)
    assert module.results["test"].values == evaluate(scorer_of(module), data.test).values


def test_logged_validation_values_are_the_results(synthetic: Dataset) -> None:
    data = data_module(synthetic)
    module = ranking_module(data)
    logged = fit(module, data, 1).callback_metrics
    expected = {f"valid/{name}": value for name, value in module.results["valid"].values.items()}
    assert {name: logged[name].item() for name in expected} == pytest.approx(expected, rel=1e-6)


def test_every_epoch_sees_its_own_batches(synthetic: Dataset) -> None:
    data, recorder = data_module(synthetic), BatchRecorder()
    fit(ranking_module(data), data, 3, callbacks=[recorder])
    for epoch in range(3):
        expected = data_module(synthetic).batches
        expected.epoch = epoch
        assert recorder.users[epoch] == [batch.users.tolist() for batch in expected]


def test_steps_are_those_of_gradient_descent_by_hand(synthetic: Dataset) -> None:
    data = data_module(synthetic, batch_size=400)
    bpr = Objective({"bpr": BPR()}, {"bpr": 1.0})
    module = ranking_module(data, "identity", bpr, partial(torch.optim.SGD, lr=5.0))
    weight = module.recommender.input.weight
    expected = weight.detach().clone()
    for batch in data_module(synthetic, batch_size=400).batches:
        expected -= 5.0 * bpr_gradient(expected, batch, synthetic.num_users)
    fit(module, data, 1)
    torch.testing.assert_close(weight.detach(), expected, rtol=0, atol=1e-5)


def bpr_gradient(weight: torch.Tensor, batch: Batch, num_users: int) -> torch.Tensor:
    """d/dw of mean -ln sigmoid(u . (i - j)): with s = sigmoid(-u . (i - j)), -s (i - j), -s u and s u."""
    users, items, negatives = batch.users, num_users + batch.items, num_users + batch.negatives[:, 0]
    user, difference = weight[users], weight[items] - weight[negatives]
    slope = torch.sigmoid(-(user * difference).sum(1, keepdim=True)) / len(users)
    gradient = torch.zeros_like(weight)
    gradient.index_add_(0, users, -slope * difference)
    gradient.index_add_(0, items, -slope * user)
    return gradient.index_add_(0, negatives, slope * user)


def test_schedule_is_stepped_every_batch_and_ends_with_the_run(synthetic: Dataset) -> None:
    data = data_module(synthetic)
    rates = RateRecorder()
    fit(ranking_module(data, scheduler=linear_decay), data, 2, callbacks=[rates])
    steps = 2 * len(data.batches)
    assert rates.used == pytest.approx([0.02 * (1 - step / steps) for step in range(steps)])


class RateRecorder(Callback):
    """Keeps the learning rate of every step."""

    def __init__(self) -> None:
        self.used: list[float] = []

    def on_train_batch_start(self, trainer: object, module: RankingModule, batch: Batch, batch_idx: int) -> None:
        self.used.append(module.optimizers().param_groups[0]["lr"])


def test_run_writes_nothing_but_its_curves(synthetic: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = data_module(synthetic)
    fit(ranking_module(data), data, 1, logger=EpochCSVLogger(tmp_path / "metrics.csv"))
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.csv"]
