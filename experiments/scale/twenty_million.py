"""LightGCN on a graph of twenty million interactions, on two cores: time and peak memory of each stage.

    python experiments/scale/twenty_million.py [FOLDER] [SETTING=VALUE ...]

Writes 20,000,000 distinct seeded pairs of 1,000,000 users and 500,000 items, both drawn from power laws, to a
parquet file in FOLDER (a temporary one by default), prepares them as ``graftrec train`` does, trains ``STEPS``
steps in Lightning's loop and ranks the whole catalogue for 10,000 test users. Settings are those of ``graftrec train``.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from graftrec.pipeline import build
from graftrec.pipeline.allocator import keep_freed_memory
from graftrec.pipeline.config import config_folder
from graftrec.pipeline.prepare import prepare
from graftrec.pipeline.stages import Stages
from graftrec.recommend.evaluation import evaluate
from graftrec.scoring import FactorScorer

USERS, ITEMS, PAIRS = 1_000_000, 500_000, 20_000_000
STEPS, RANKED_USERS = 30, 10_000
SETTINGS = [
    "data=table", "data.name=twenty_million", "filter=none", "features=none", "input=id", "encoder=lightgcn",
    "objective=bpr", "negatives.shared=0", "batch_size=4096", "baselines=none", "logger=[]",
    "trainer.max_epochs=1", f"+trainer.limit_train_batches={STEPS}", "+trainer.limit_val_batches=0",
    "~callbacks.best", "~callbacks.early_stopping", "trainer.enable_progress_bar=false",
]  # fmt: skip


def main(folder: Path, settings: list[str]) -> None:
    """Generate, prepare, train, rank; print what each took."""
    path = folder / "interactions.parquet"
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        config = compose("train", [*SETTINGS, f"data.interactions={path}", *settings])
    stages = Stages()
    with stages("generate"):
        if not path.is_file():
            interactions().write_parquet(path)
    keep_freed_memory()
    prepared = prepare(config)
    stages.done += prepared.stages.done
    metrics = train_and_rank(config, folder, prepared.data, stages)
    print(f"{prepared.data.graph.num_edges:,} directed edges, test recall@20 {metrics['recall@20']:.4f}")
    for stage in stages.done:
        print(f"{stage.name:<18}{stage.seconds:8.1f} s{stage.peak_gib:8.2f} GiB")


def train_and_rank(config: DictConfig, folder: Path, data: build.GraphDataModule, stages: Stages) -> dict[str, float]:
    """``STEPS`` steps, then test metrics of users evenly spread over the numbering."""
    module = build.build_module(config, data)
    trainer = build.build_trainer(config, folder / "checkpoints", [])
    with stages(f"train {STEPS} steps"):
        trainer.fit(module, data)
    with stages(f"rank {RANKED_USERS:,}"), torch.no_grad():
        scorer = FactorScorer(*module.recommender.eval().factors(data.graph))
        return evaluate(scorer, data.test, RANKED_USERS).values


def interactions() -> pl.DataFrame:
    """Distinct pairs whose users and items follow power laws; numbers tell nothing of popularity."""
    random = np.random.default_rng(0)
    size = int(1.1 * PAIRS)  # some are drawn twice
    users, items = ranks(random, USERS, size, 0.5), ranks(random, ITEMS, size, 0.6)
    keys = np.unique(random.permutation(USERS)[users] * ITEMS + random.permutation(ITEMS)[items])
    keys = random.permutation(keys)[:PAIRS]
    return pl.DataFrame({"user": keys // ITEMS, "item": keys % ITEMS})


def ranks(random: np.random.Generator, number: int, size: int, exponent: float) -> np.ndarray:
    """Ranks 0..number-1 with a probability proportional to about (1 + rank)^-exponent, int64 [size]."""
    return (number * random.random(size) ** (1 / (1 - exponent))).astype(np.int64)


if __name__ == "__main__":
    words = sys.argv[1:]
    if words and "=" not in words[0]:
        main(Path(words[0]), words[1:])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary), words)
