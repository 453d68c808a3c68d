"""Small training runs with a real Trainer."""

from collections.abc import Sequence
from functools import partial

import pytorch_lightning as pl
import torch

from graftrec.data.dataset import Dataset
from graftrec.data.sampling import NegativeSampler, Positives
from graftrec.data.weightings import Binary
from graftrec.features.nodes import NodeFeatures
from graftrec.graph.bipartite import Bipartite
from graftrec.nn.encoders.base import Encoder
from graftrec.nn.encoders.gat import GAT
from graftrec.nn.encoders.gatedgcn import GatedGCN
from graftrec.nn.encoders.gcn import GCN
from graftrec.nn.encoders.gin import GIN
from graftrec.nn.encoders.identity import Identity
from graftrec.nn.encoders.lightgcn import LightGCN
from graftrec.nn.heads import DotHead, Head
from graftrec.nn.inputs import IdInput
from graftrec.nn.recommender import Recommender
from graftrec.nn.scorers import Dot
from graftrec.objectives.bpr import BPR
from graftrec.objectives.l2 import L2
from graftrec.objectives.objective import Objective
from graftrec.recommend.evaluation import RankingProtocol
from graftrec.recommend.interest import InterestTask
from graftrec.training.datamodule import EpochBatches, GraphDataModule
from graftrec.training.interest import InterestModule
from graftrec.training.ranking import OptimizerFactory, RankingModule, SchedulerFactory
from graftrec.training.schedulers import constant

ENCODERS = {
    "identity": Identity,
    "lightgcn": LightGCN,
    "gcn": partial(GCN, dropout=0.2),
    "gat": partial(GAT, dropout=0.2, attention_dropout=0.2),
    "gin": partial(GIN, dropout=0.2),
    "gatedgcn": partial(GatedGCN, dropout=0.2),
}
ADAM = partial(torch.optim.Adam, lr=0.02)
BPR_AND_L2 = Objective({"bpr": BPR(), "l2": L2()}, {"bpr": 1.0, "l2": 1e-4})


def data_module(
    dataset: Dataset, batch_size: int = 128, seed: int = 0, mask: str = "train_and_valid"
) -> GraphDataModule:
    """Uniform negatives, an unweighted graph, no features."""
    batches = EpochBatches(Positives(dataset.train), NegativeSampler(), batch_size, seed)
    protocol = RankingProtocol(k=(5, 10), mask=mask, block_size=16)
    graph = Bipartite(Binary())(dataset)
    return GraphDataModule(graph, NodeFeatures(), batches, protocol.validation(dataset), protocol.test(dataset))


def ranking_module(
    data: GraphDataModule,
    encoder: str = "lightgcn",
    objective: Objective = BPR_AND_L2,
    optimizer: OptimizerFactory = ADAM,
    scheduler: SchedulerFactory = constant,
    seed: int = 0,
) -> RankingModule:
    """Ids of 16 dimensions through ``encoder``."""
    torch.manual_seed(seed)
    made: Encoder = ENCODERS[encoder](dim=16)
    recommender = Recommender(IdInput(data.nodes, dim=16), made, Dot())
    return RankingModule(recommender, objective, data, optimizer, scheduler, seed)


def interest_data(dataset: Dataset, per_positive: int = 1) -> GraphDataModule[InterestTask]:
    """As ``data_module``, with labelled pairs to judge."""
    sampler = NegativeSampler(per_positive=per_positive)
    batches = EpochBatches(Positives(dataset.train), sampler, batch_size=128, seed=0)
    tasks = (InterestTask.sample(dataset, part, seed=0) for part in ("valid", "test"))
    return GraphDataModule(Bipartite(Binary())(dataset), NodeFeatures(), batches, *tasks)


def interest_module(data: GraphDataModule[InterestTask], head: Head | None = None) -> InterestModule:
    """LightGCN on ids of 16 dimensions."""
    torch.manual_seed(0)
    recommender = Recommender(IdInput(data.nodes, dim=16), LightGCN(dim=16), Dot())
    return InterestModule(recommender, head or DotHead(), data, ADAM, constant, seed=0)


def fit(
    module: pl.LightningModule,
    data: GraphDataModule,
    epochs: int,
    logger: pl.loggers.Logger | bool = False,
    callbacks: Sequence[pl.Callback] = (),
) -> pl.Trainer:
    """A quiet run on the CPU that validates after every epoch and saves nothing."""
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=epochs,
        logger=logger,
        callbacks=list(callbacks),
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, data)
    return trainer
