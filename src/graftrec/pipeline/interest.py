"""``task=interest``: is this user interested in this item?"""

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from omegaconf import DictConfig
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from graftrec.data.dataset import Dataset
from graftrec.data.files import written
from graftrec.data.pairs import LabelledPairs
from graftrec.errors import InputError
from graftrec.nn.heads import Head
from graftrec.pipeline import build
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.task import Factors, Prepared
from graftrec.recommend.interest import InterestResult, InterestTask, PairScorer, judge
from graftrec.training.datamodule import GraphDataModule
from graftrec.training.interest import InterestModule

if TYPE_CHECKING:
    from graftrec.pipeline.run import Run


class Interest:
    """Trained by binary cross-entropy through ``head``, judged on pairs that ``data.split_seed`` draws."""

    name = "interest"
    choices = ("encoder", "input", "features", "head")
    ignores = ("objective", "evaluation", "baselines")
    files = ("head", "pairs")

    def negatives(self, config: DictConfig) -> set[str]:
        return {"per_positive"}

    def held_out(
        self, config: DictConfig, dataset: Dataset, features: np.ndarray | None
    ) -> tuple[InterestTask, InterestTask]:
        seed = build.instantiate(config.data).split_seed
        return InterestTask.sample(dataset, "valid", seed), InterestTask.sample(dataset, "test", seed)

    def module(self, config: DictConfig, data: GraphDataModule[InterestTask]) -> InterestModule:
        return InterestModule(
            build.build_recommender(config, data),
            build.instantiate(config.head),
            data,
            build.instantiate(config.optimizer),
            build.instantiate(config.scheduler),
            config.seed,
        )

    def rehearse(self, config: DictConfig, module: InterestModule, data: GraphDataModule[InterestTask]) -> list[str]:
        with torch.no_grad():
            scorer = PairScorer(module.head, *data.graph.space.split(module.recommender.input()))
        kinds = data.validation.pairs
        return [f"{kind}/{name}" for kind in kinds for name in data.validation.judge(scorer, kind)]

    def write(
        self, module: InterestModule, factors: Factors, prepared: Prepared, run: RunFolder
    ) -> dict[str, InterestResult]:
        head = module.head.cpu()
        with written(run.head, "hydra.run.dir") as partial:
            save_file(head.state_dict(), partial)
        results = judge(PairScorer(head, *factors), prepared.data.validation, prepared.data.test)
        pairs = pl.concat([result.pairs.with_columns(part=pl.lit(part)) for part, result in results.items()])
        ids = {name: getattr(prepared.dataset, f"{name}s").take(pairs[name].to_numpy()) for name in ("user", "item")}
        with written(run.pairs, "hydra.run.dir") as partial:
            pairs.with_columns(**ids).write_parquet(partial)
        RunFolder.write_text(run.report, results["test"].report)
        return results

    def baselines(self, config: DictConfig, prepared: Prepared) -> dict[str, Any]:
        start = time.perf_counter()
        test: InterestTask = prepared.data.test
        metrics = {f"test/{kind}/roc_auc": test.popularity_roc_auc(kind) for kind in test.pairs}
        return {"popularity": {"chosen": "", "metrics": metrics, "seconds": round(time.perf_counter() - start, 3)}}

    def scorer(self, run: "Run", factors: Factors) -> PairScorer:
        head: Head = build.instantiate(run.config.head)
        try:
            head.load_state_dict(load_file(run.folder.head))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise InputError(
                f"{run.folder.head} is damaged or of another head: {error}; {run.folder.rewrite()}."
            ) from error
        return PairScorer(head, *factors)

    def evaluate(self, run: "Run", **changes: Any) -> dict[str, InterestResult]:
        if changes:
            raise InputError(
                f"{' and '.join(changes)} concern task=ranking, but {run.folder.path} is of task=interest; "
                f"leave them out."
            )
        return judge(run.scorer, *(_saved(run, part) for part in ("valid", "test")))


def _saved(run: "Run", part: str) -> InterestTask:
    """The pairs that the run was judged on."""
    dataset = run.dataset
    try:
        rows = pl.read_parquet(run.folder.pairs).filter(pl.col("part") == part)
        pairs = {
            str(kind): LabelledPairs(
                dataset.users.numbers(of_kind["user"]),
                dataset.items.numbers(of_kind["item"]),
                of_kind["label"].to_numpy(writable=True),
            )
            for (kind,), of_kind in rows.group_by("negatives", maintain_order=True)
        }
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{run.folder.pairs} is damaged: {error}; {run.folder.rewrite()}.") from error
    return InterestTask(pairs, torch.from_numpy(dataset.train.item_degree), len(getattr(dataset, part)))
