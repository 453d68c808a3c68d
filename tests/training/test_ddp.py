"""Two processes with a part of every batch each do what one process does with the whole."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from torch import Tensor

from graftrec.data.dataset import Dataset
from graftrec.data.sampling import NegativeSampler
from graftrec.errors import InputError
from graftrec.objectives.alignment import Alignment, Uniformity
from graftrec.objectives.bce import BCE
from graftrec.objectives.bpr import BPR
from graftrec.objectives.contrast import SimGCL
from graftrec.objectives.l2 import L2
from graftrec.objectives.objective import Objective
from graftrec.objectives.simplex import CosineContrastive
from graftrec.objectives.softmax import SampledSoftmax
from graftrec.objectives.step import Batch, Step, Term
from graftrec.pipeline.build import build_trainer, num_processes
from graftrec.pipeline.config import config_folder
from graftrec.pipeline.processes import Fit, fit_in_processes
from graftrec.pipeline.run_folder import RunFolder
from graftrec.training.base import GraphModule
from graftrec.training.csv_logger import EpochCSVLogger
from graftrec.training.datamodule import GraphDataModule
from graftrec.training.processes import own_users, part_of
from tests.objectives.steps import embeddings_of, random_step
from tests.training.runs import BPR_AND_L2, data_module, interest_data, interest_module, ranking_module

pytestmark = pytest.mark.filterwarnings("ignore::pytorch_lightning.utilities.warnings.PossibleUserWarning")

SOFTMAX = Objective({"softmax": SampledSoftmax()}, {"softmax": 1.0})
SGD = partial(torch.optim.SGD, lr=0.5)  # Adam's first steps are of one size also where a gradient is a rounding error


def composed(*words: str) -> DictConfig:
    """The configuration of two epochs under trainer=ddp."""
    words = ("trainer=ddp", "trainer.max_epochs=2", "trainer.enable_progress_bar=false", *words)
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        return compose("train", overrides=list(words))


def with_a_last_pair(dataset: Dataset) -> GraphDataModule[Any]:
    """Batches of which the last has one pair; negatives of both kinds."""
    size = next(size for size in range(100, 1000) if len(dataset.train) % size == 1)
    data = data_module(dataset, batch_size=size)
    data.batches.sampler = NegativeSampler(per_positive=2, shared=20)
    return data


def ranking(dataset: Dataset, encoder: str, objective: Objective) -> tuple[GraphModule, GraphDataModule[Any]]:
    """A module to train, and its data."""
    data = with_a_last_pair(dataset)
    return ranking_module(data, encoder, objective, SGD), data


def interest(dataset: Dataset) -> tuple[GraphModule, GraphDataModule[Any]]:
    """A module to train by cross-entropy, and its data."""
    data = interest_data(dataset)
    return interest_module(data), data


def trained(made: tuple[GraphModule, GraphDataModule[Any]], count: int, folder: Path, monitor: str) -> GraphModule:
    """The module after two epochs in ``count`` processes; ``folder`` holds curves and checkpoints."""
    config = composed(f"monitor={monitor}")
    fit = Fit(config, RunFolder(folder), *made, resumed=False)
    loggers = [EpochCSVLogger(fit.run.curves)]
    if count == 1:
        fit(build_trainer(config, fit.run.checkpoints, loggers))
    else:
        fit_in_processes(fit, loggers, count)
    return fit.module


@pytest.mark.parametrize(
    ("make", "monitor"),
    [
        (partial(ranking, encoder="gat", objective=BPR_AND_L2), "valid/ndcg@10"),
        (partial(ranking, encoder="gcn", objective=SOFTMAX), "train/loss"),
        (interest, "valid/uniform/roc_auc"),
    ],
    ids=["bpr and l2", "softmax", "interest"],
)
def test_two_processes_train_as_one(make: Any, monitor: str, synthetic: Dataset, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    one, two = (trained(make(synthetic), 1 + n, folder, monitor) for n, folder in enumerate(folders))
    torch.testing.assert_close(dict(two.named_parameters()), dict(one.named_parameters()), rtol=0, atol=1e-6)
    curves = [pl.read_csv(folder / "metrics.csv") for folder in folders]
    assert curves[0].columns == curves[1].columns
    curves = [curve.select(pl.exclude("^cost/.*$")) for curve in curves]
    np.testing.assert_allclose(curves[1].to_numpy(), curves[0].to_numpy(), rtol=1e-5)
    files = [sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) for folder in folders]
    assert files[0] == files[1] == ["checkpoints", "checkpoints/best.ckpt", "checkpoints/last.ckpt", "metrics.csv"]
    if isinstance(getattr(one, "results", None), dict):
        assert two.results["valid"].per_user.equals(one.results["valid"].per_user)


def process(rank: int, count: int) -> Any:
    """What of a Trainer tells a process apart."""
    return SimpleNamespace(global_rank=rank, world_size=count)


TERMS: list[Term] = [
    BPR(),
    BPR(hardest=True),
    BCE(),
    Alignment(),
    CosineContrastive(margin=0.1, negative_weight=3.0),
    L2(),
    L2(of="propagated"),
    SampledSoftmax(),
    SampledSoftmax(similarity="dot"),
]


@pytest.mark.parametrize("count", [1, 2, 3, 8])
@pytest.mark.parametrize("term", TERMS, ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_mean_of_the_parts_gradients_is_that_of_the_batch(term: Term, count: int, seed: int) -> None:
    step = random_step(seed)

    def gradient(batch: Batch, weight: float) -> Tensor:
        vectors = [v.clone().requires_grad_() for v in (step.start.x0, step.embeddings.nodes)]
        start = replace(step.start, x0=vectors[0])
        (weight * term(replace(step, batch=batch, start=start, embeddings=embeddings_of(*vectors)))).backward()
        return torch.stack([torch.zeros_like(v) if v.grad is None else v.grad for v in vectors])

    parts = [part_of(step.batch, process(rank, count)) for rank in range(count)]
    assert sum(part.num_pairs for part in parts) == len(step.batch.users)
    mean = sum(gradient(part.batch, part.weight) for part in parts) / count
    torch.testing.assert_close(mean, gradient(step.batch, 1.0))


@pytest.mark.parametrize("num_users", [0, 1, 7])
def test_every_user_of_a_block_is_ranked_by_one_process(num_users: int) -> None:
    users = torch.arange(num_users)
    assert torch.equal(torch.cat([own_users(users, process(rank, 3)) for rank in range(3)]), users)


@pytest.mark.parametrize(
    ("term", "advice"),
    [
        (BPR(reduction="sum"), "set reduction=mean"),
        (L2(squared=False), "set squared=true"),
        (SampledSoftmax(in_batch=True), "set in_batch=false and negatives.shared"),
        (Uniformity(), "set its weight to 0"),
        (SimGCL(), "set its weight to 0"),
    ],
    ids=str,
)
def test_terms_that_need_the_whole_batch_are_refused(term: Term, advice: str) -> None:
    with pytest.raises(InputError, match=r"objective.terms.own is no mean .*" + advice):
        Objective({"own": term}, {"own": 1.0}).check_shareable()
    Objective({"own": term, "bpr": BPR()}, {"own": 0.0, "bpr": 1.0}).check_shareable()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trainer=cpu", "trainer.devices=2"], "for more than one device choose trainer=ddp"),
        (["trainer=gpu", "trainer.devices=auto"], "for more than one device choose trainer=ddp"),
        (["trainer=cpu", "+trainer.strategy=ddp"], "for more than one device choose trainer=ddp"),
        (["trainer.devices=auto"], "must be a whole number >= 1 under trainer=ddp"),
        (["+trainer.num_nodes=2"], "a run stays on one machine"),
    ],
    ids=" ".join,
)
def test_other_ways_to_many_devices_are_refused(words: Sequence[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        num_processes(composed(*words))


def test_number_of_processes() -> None:
    assert num_processes(composed()) == 2
    assert num_processes(composed("trainer.devices=1")) == 1
    assert num_processes(composed("trainer=gpu", "trainer.devices=[1]")) == 1


class FailsElsewhere(BPR):
    """A term that the main process can compute, and no other."""

    def __call__(self, step: Step) -> Tensor:
        if torch.distributed.get_rank() > 0:
            raise ValueError("no memory is left")
        return super().__call__(step)


def test_a_failure_elsewhere_ends_all_with_its_message(synthetic: Dataset, tmp_path: Path) -> None:
    made = ranking(synthetic, "lightgcn", Objective({"bpr": FailsElsewhere()}, {"bpr": 1.0}))
    with pytest.raises(RuntimeError, match=r"(?s)A process of trainer=ddp failed.*no memory is left") as failure:
        trained(made, 2, tmp_path, "valid/ndcg@10")
    assert "test_ddp.py" in str(failure.value)  # its own traceback
    assert not torch.distributed.is_initialized()
