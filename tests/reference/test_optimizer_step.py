"""Training steps of BPR on matrix factorisation against the same steps in numpy."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import scipy.sparse as sp
import torch

from graftrec.data.interactions import Interactions
from graftrec.data.sampling import NegativeSampler, Positives
from graftrec.features.nodes import NodeFeatures
from graftrec.graph.bipartite import bipartite_graph
from graftrec.nn.encoders.identity import Identity
from graftrec.nn.inputs import IdInput
from graftrec.nn.recommender import Recommender
from graftrec.nn.scorers import Dot
from graftrec.objectives.bpr import BPR
from graftrec.objectives.objective import Objective
from graftrec.objectives.step import Batch
from graftrec.recommend.evaluation import RankingTask
from graftrec.training.datamodule import EpochBatches, GraphDataModule
from graftrec.training.ranking import RankingModule
from graftrec.training.schedulers import constant

NUM_USERS, NUM_ITEMS, RATE, SEED = 3, 4, 0.1, 5
Update = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (weights, gradient) to new weights


def batches() -> EpochBatches:
    """All five training pairs in one batch an epoch."""
    user, item = np.array([[0, 0, 1, 2, 2], [0, 1, 1, 2, 3]])
    train = Interactions(NUM_USERS, NUM_ITEMS, user, item, np.ones(5, dtype=np.int64))
    return EpochBatches(Positives(train), NegativeSampler(per_positive=2), batch_size=5, seed=SEED)


def data_module() -> GraphDataModule:
    """The training pairs, and one held-out pair that is never ranked."""
    held_out = Interactions(NUM_USERS, NUM_ITEMS, *np.array([[1], [0], [1]]))
    task = RankingTask(held_out, sp.csr_matrix((NUM_USERS, NUM_ITEMS)), held_out, k=(1,), block_size=3)
    graph = bipartite_graph(sp.csr_matrix(np.eye(NUM_USERS, NUM_ITEMS, dtype=np.float32)))
    return GraphDataModule(graph, NodeFeatures(), batches(), task, task)


def trained(optimizer: Callable[..., torch.optim.Optimizer], steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights [N, d] before and after ``steps`` epochs of one batch, by the project's own training."""
    data = data_module()
    torch.manual_seed(SEED)
    ids = IdInput(data.nodes, dim=2, std=1.0)
    before = ids().detach().numpy().copy()
    objective = Objective({"bpr": BPR()}, {"bpr": 1.0})
    module = RankingModule(Recommender(ids, Identity(dim=2), Dot()), objective, data, optimizer, constant, SEED)
    switches = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
    quiet: dict[str, Any] = dict.fromkeys(switches, False)
    trainer = pl.Trainer(accelerator="cpu", max_epochs=steps, limit_val_batches=0, log_every_n_steps=1, **quiet)
    trainer.fit(module, data)
    return before, ids().detach().numpy()


def bpr_gradient(weights: np.ndarray, batch: Batch) -> np.ndarray:
    """d/dW of the mean over comparisons of -ln sigmoid(<u, i> - <u, j>)."""
    gradient, count = np.zeros_like(weights), batch.negatives.numel()
    for user, item, row in zip(batch.users.tolist(), batch.items.tolist(), batch.negatives.tolist(), strict=True):
        for negative in row:
            u, i, j = user, NUM_USERS + item, NUM_USERS + negative
            slope = -1 / (1 + np.exp(weights[u] @ (weights[i] - weights[j]))) / count
            gradient[u] += slope * (weights[i] - weights[j])
            gradient[i] += slope * weights[u]
            gradient[j] -= slope * weights[u]
    return gradient


def by_hand(weights: np.ndarray, update: Update, steps: int) -> np.ndarray:
    """The same steps without torch."""
    weights, epochs = weights.astype(np.float64), batches()
    for epochs.epoch in range(steps):
        (batch,) = epochs
        weights = update(weights, bpr_gradient(weights, batch))
    return weights


def sgd() -> Update:
    """Plain gradient descent."""
    return lambda weights, gradient: weights - RATE * gradient


class Adam:
    """Kingma & Ba, ICLR 2015, algorithm 1."""

    def __init__(self) -> None:
        self.step, self.mean, self.square = 0, 0.0, 0.0

    def __call__(self, weights: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        self.step += 1
        self.mean = 0.9 * self.mean + 0.1 * gradient
        self.square = 0.999 * self.square + 0.001 * gradient**2
        mean, square = self.mean / (1 - 0.9**self.step), self.square / (1 - 0.999**self.step)
        new: np.ndarray = weights - RATE * mean / (np.sqrt(square) + 1e-8)
        return new


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize(
    ("optimizer", "make_update"),
    [(torch.optim.SGD, sgd), (torch.optim.Adam, Adam)],
    ids=["sgd", "adam"],
)
def test_training_equals_the_steps_by_hand(
    optimizer: type[torch.optim.Optimizer], make_update: Callable[[], Update], steps: int
) -> None:
    before, after = trained(partial(optimizer, lr=RATE), steps)
    np.testing.assert_allclose(after, by_hand(before, make_update(), steps), rtol=1e-5, atol=1e-5)
