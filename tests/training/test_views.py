"""Terms with views and weights of their own: one training, whatever interrupts it."""

from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from graftrec.data.dataset import Dataset
from graftrec.features.nodes import NodeFeatures
from graftrec.graph.views import EdgeDropout, NodeMask, Noise, Pass
from graftrec.objectives.bpr import BPR
from graftrec.objectives.contrast import SGL, SimGCL, XSimGCL
from graftrec.objectives.objective import Objective
from graftrec.objectives.rlmrec import FeatureAlignment, FeatureReconstruction
from graftrec.training.datamodule import GraphDataModule
from graftrec.training.ranking import RankingModule
from tests.training.runs import data_module, fit, ranking_module

pytestmark = pytest.mark.filterwarnings("ignore::pytorch_lightning.utilities.warnings.PossibleUserWarning")


def made(dataset: Dataset, encoder: str = "lightgcn", seed: int = 0) -> tuple[RankingModule, GraphDataModule]:
    """A module with every kind of view, shared and its own, by epoch and by step, with and without weights."""
    numbers = np.random.default_rng(0)
    user, item = (numbers.normal(size=(n, 12)).astype(np.float32) for n in (dataset.num_users, dataset.num_items))
    features = NodeFeatures(user, item)
    torch.manual_seed(0)
    terms = {
        "bpr": BPR(),
        "sgl": SGL(drop="node", rate=0.3),
        "simgcl": SimGCL(),
        "xsimgcl": XSimGCL(layer=0 if encoder == "identity" else 1),
        "con": FeatureAlignment(features, dim=16),
        "gen": FeatureReconstruction(features, dim=16),
    }
    views = {"mask": NodeMask(16, 0.2), "drop": EdgeDropout(0.2), "noise": Noise(0.1)}
    objective = Objective(terms, dict.fromkeys(terms, 0.3), views)
    data = data_module(dataset)
    return ranking_module(data, encoder, objective, seed=seed), data


def vectors(module: pl.LightningModule) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in module.named_parameters()}


@pytest.mark.parametrize("encoder", ["lightgcn", "gat", "gatedgcn", "identity"])
def test_same_seed_gives_the_same_weights_and_another_others(encoder: str, synthetic: Dataset) -> None:
    trained = []
    for seed in (0, 0, 1):
        module, data = made(synthetic, encoder)
        module.seed = seed
        fit(module, data, 1)
        trained.append(vectors(module))
    assert all(torch.equal(trained[0][name], trained[1][name]) for name in trained[0])
    assert all(not torch.equal(trained[0][name], trained[2][name]) for name in trained[0])


def test_a_resumed_training_ends_with_the_same_weights(synthetic: Dataset, tmp_path: Path) -> None:
    whole, data = made(synthetic)
    fit(whole, data, 4)
    half, data = made(synthetic)
    before = vectors(half)
    fit(half, data, 2).save_checkpoint(tmp_path / "half.ckpt")
    rest, data = made(synthetic)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=4,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(rest, data, ckpt_path=tmp_path / "half.ckpt", weights_only=True)
    assert all(torch.equal(vectors(rest)[name], value) for name, value in vectors(whole).items())
    assert all(not torch.equal(before[name], value) for name, value in vectors(half).items())


def test_validation_sees_no_view(synthetic: Dataset) -> None:
    module, _ = made(synthetic)
    with torch.no_grad():
        plain = module.recommender.encode(Pass(module.graph, module.recommender.input()))
        users, items = module.recommender.factors(module.graph)
    assert torch.equal(torch.cat([users, items]), plain.nodes)
