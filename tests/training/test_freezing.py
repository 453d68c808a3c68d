"""Frozen parameters: what the optimizer does with them, and when they are trained."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from graftrec.data.dataset import Dataset
from graftrec.features.nodes import NodeFeatures, mean_of_items
from graftrec.nn.encoders.lightgcn import LightGCN
from graftrec.nn.inputs import InitialisedInput
from graftrec.nn.recommender import Recommender
from graftrec.nn.scorers import Dot
from graftrec.training.datamodule import GraphDataModule
from graftrec.training.ranking import OptimizerFactory, RankingModule
from graftrec.training.schedulers import constant
from tests.training.runs import BPR_AND_L2, data_module, fit

OPTIMIZERS = [
    partial(torch.optim.Adam, lr=0.02, weight_decay=0.1),
    partial(torch.optim.AdamW, lr=0.02, weight_decay=0.1, fused=True),
    partial(torch.optim.SGD, lr=0.02, weight_decay=0.1, momentum=0.9),
]


class Tables(pl.Callback):
    """The table after every epoch."""

    def __init__(self) -> None:
        self.seen: list[Tensor] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.seen.append(pl_module.recommender.input.weight.detach().clone())


def prepared(dataset: Dataset, users: bool = True) -> GraphDataModule:
    """Random item vectors of 16 numbers, and, with ``users``, their means."""
    data = data_module(dataset)
    items = np.random.default_rng(0).normal(size=(dataset.num_items, 16)).astype(np.float32)
    data.features = NodeFeatures(mean_of_items(dataset.train, items) if users else None, items)
    return data


def module(data: GraphDataModule, optimizer: OptimizerFactory = OPTIMIZERS[0], **settings: int) -> RankingModule:
    torch.manual_seed(0)
    recommender = Recommender(InitialisedInput(data.nodes, 16, **settings), LightGCN(dim=16), Dot())
    return RankingModule(recommender, BPR_AND_L2, data, optimizer, constant, seed=0)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o.func.__name__)
def test_the_table_stays_for_its_epochs_then_moves(synthetic: Dataset, optimizer: OptimizerFactory) -> None:
    data, tables = prepared(synthetic), Tables()
    own = module(data, optimizer, unfreeze_after=2)
    start = own.recommender.input.weight.detach().clone()
    fit(own, data, epochs=4, callbacks=[tables])
    assert [torch.equal(table, start) for table in tables.seen] == [True, True, False, False]


def test_no_momentum_is_gathered_while_frozen(synthetic: Dataset) -> None:
    """The first step after the freeze is Adam's first: lr * sign(gradient), whatever came before."""
    data = prepared(synthetic)
    own = module(data, partial(torch.optim.Adam, lr=0.02), unfreeze_after=2)
    steps = len(data.batches)
    trainer = fit(own, data, epochs=3)
    (state,) = trainer.optimizers[0].state.values()
    assert int(state["step"]) == steps


def test_never_trained_never_moves(synthetic: Dataset) -> None:
    data, tables = prepared(synthetic), Tables()
    own = module(data, trained=False)
    with pytest.warns(UserWarning, match="Nothing is trained while the input is frozen"):
        own.warn_of_nothing_to_train()
    fit(own, data, epochs=2, callbacks=[tables])
    assert torch.equal(tables.seen[-1], own.recommender.input.start)


def test_users_by_id_are_trained_beside_frozen_items(synthetic: Dataset, recwarn: pytest.WarningsRecorder) -> None:
    data = prepared(synthetic, users=False)
    own = module(data, trained=False)
    own.warn_of_nothing_to_train()
    assert not [w for w in recwarn if "Nothing is trained" in str(w.message)]
    before = own.recommender.input().detach().clone()
    fit(own, data, epochs=1)
    users, items = data.graph.space.split((own.recommender.input() != before).any(1))
    assert users.all()
    assert not items.any()


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_resumed_at_any_epoch_gives_the_same_table(synthetic: Dataset, tmp_path: Path, stop: int) -> None:
    whole, data = Tables(), prepared(synthetic)
    fit(module(data, unfreeze_after=2), data, epochs=4, callbacks=[whole])
    first = module(data, unfreeze_after=2)
    fit(first, data, epochs=stop).save_checkpoint(tmp_path / "last.ckpt")
    resumed = module(data, unfreeze_after=2)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=4,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(resumed, data, ckpt_path=str(tmp_path / "last.ckpt"), weights_only=True)
    assert torch.equal(resumed.recommender.input.weight, whole.seen[-1])


def test_cold_items_keep_their_text(synthetic: Dataset) -> None:
    """Items that come up as negatives alone are not pushed away."""
    train = synthetic.train
    dataset = replace(synthetic, train=train.select(train.item >= 5))
    data = prepared(dataset)
    own = module(data)
    before = own.recommender.input().detach().clone()
    fit(own, data, epochs=2)
    items = data.graph.space.split((own.recommender.input() != before).any(1))[1]
    assert items.tolist() == [False] * 5 + [True] * (dataset.num_items - 5)
