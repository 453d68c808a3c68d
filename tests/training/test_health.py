"""What the callback measures of a model that trains."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from graftrec.data.dataset import Dataset
from graftrec.errors import InputError
from graftrec.features.nodes import NodeFeatures
from graftrec.nn.encoders.lightgcn import LightGCN
from graftrec.nn.inputs import InitialisedInput
from graftrec.nn.recommender import Recommender
from graftrec.nn.scorers import Dot
from graftrec.training.csv_logger import EpochCSVLogger
from graftrec.training.health import Health
from graftrec.training.ranking import RankingModule
from graftrec.training.schedulers import constant
from tests.training.runs import ADAM, BPR_AND_L2, data_module, fit, ranking_module


def curves(path: Path, module: RankingModule, data: object, epochs: int, every: int = 1) -> pl.DataFrame:
    """metrics.csv of a training with the callback."""
    fit(module, data, epochs, EpochCSVLogger(path), [Health(every)])
    return pl.read_csv(path)


def initialised(data: object, dataset: Dataset, **settings: object) -> RankingModule:
    """LightGCN on random vectors of users and items as texts."""
    generator = np.random.default_rng(0)
    blocks = [generator.normal(size=(n, 16)).astype(np.float32) for n in (dataset.num_users, dataset.num_items)]
    data.features = NodeFeatures(*blocks)
    recommender = Recommender(InitialisedInput(data.nodes, 16, **settings), LightGCN(dim=16), Dot())
    return RankingModule(recommender, BPR_AND_L2, data, ADAM, constant, seed=0)


def test_many_layers_are_smoother_than_one(synthetic: Dataset, tmp_path: Path) -> None:
    data = data_module(synthetic)
    module = ranking_module(data)
    module.recommender.encoder = LightGCN(dim=16, num_layers=8)
    (row,) = curves(tmp_path / "metrics.csv", module, data, epochs=1).to_dicts()
    values = [row[f"health/smoothness/{layer}"] for layer in range(9)]
    assert values[0] < values[1] < values[2] < values[8]
    assert values[8] > 0.9


def test_learned_pairs_come_together(synthetic: Dataset, tmp_path: Path) -> None:
    data = data_module(synthetic)
    first, *_, last = curves(tmp_path / "metrics.csv", ranking_module(data), data, epochs=8)["health/alignment"]
    assert last < 0.7 * first


def test_drift_grows_from_a_trained_start_and_is_none_of_a_frozen_one(synthetic: Dataset, tmp_path: Path) -> None:
    data = data_module(synthetic)
    moved = curves(tmp_path / "moved.csv", initialised(data, synthetic), data, 4)["health/drift"]
    assert 0 < moved[0] < moved[1] < moved[3]
    frozen = curves(tmp_path / "frozen.csv", initialised(data, synthetic, trained=False), data, 2)["health/drift"]
    assert frozen.to_list() == pytest.approx([0, 0], abs=1e-6)


def test_inputs_without_a_start_have_no_drift(synthetic: Dataset, tmp_path: Path) -> None:
    data = data_module(synthetic)
    assert "health/drift" not in curves(tmp_path / "metrics.csv", ranking_module(data), data, 1).columns


def test_only_every_so_many_epochs(synthetic: Dataset, tmp_path: Path) -> None:
    data = data_module(synthetic)
    table = curves(tmp_path / "metrics.csv", ranking_module(data), data, epochs=5, every=2)
    assert table.filter(pl.col("health/uniformity").is_not_null())["epoch"].to_list() == [1, 3]


def test_training_is_the_same_with_and_without(synthetic: Dataset, tmp_path: Path) -> None:
    trained = []
    for callbacks in ([], [Health()]):
        data = data_module(synthetic)
        module = ranking_module(data, encoder="gat")  # with dropout
        fit(module, data, 2, callbacks=callbacks)
        trained.append(module.recommender.input.weight)
    assert torch.equal(*trained)


def test_never_is_no_number_of_epochs() -> None:
    with pytest.raises(InputError, match="every_n_epochs=0 must be 1 or more"):
        Health(0)
