"""A finished run, read from its folder alone."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from graftrec.data.dataset import Dataset
from graftrec.data.storage import load_dataset
from graftrec.errors import InputError
from graftrec.pipeline.blend import blend_scorer
from graftrec.pipeline.build import build_features, instantiate
from graftrec.pipeline.fit import refit
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.task import Result, Task
from graftrec.recommend.history import history
from graftrec.recommend.lists import recommend, users_at_once


def load_run(path: str | Path) -> "Run":
    """Open a finished run folder; refuses one that is missing, unfinished or damaged."""
    folder = RunFolder(Path(path).expanduser())
    check_run_folder(folder.path)
    folder.require("config", "dataset", "metrics")
    run = Run(folder)
    folder.require(*run.files)
    return run


def check_run_folder(path: Path, most: int = 5) -> None:
    """Refuse a folder of runs in the place of a run, and name the newest runs in it."""
    if not path.is_dir() or any((path / name).exists() for name in ("config.yaml", "run.json", "metrics.json")):
        return
    found = [config.parent for depth in ("*", "*/*", "*/*/*") for config in path.glob(f"{depth}/run.json")]
    runs = sorted(found, key=lambda run: (run / "run.json").stat().st_mtime, reverse=True)[:most]
    inside = f"; the newest of {len(found):,} in it:\n  " + "\n  ".join(map(str, runs)) if runs else ", and holds none."
    raise InputError(f"{path} is not a run folder{inside}")


class Run:
    """Configuration, data and embeddings of a finished run. Public methods speak external ids."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder
        self.config = folder.read_config()
        self.task: Task = instantiate(self.config.task)
        self.facts: dict[str, Any] = RunFolder.read_json(folder.facts)
        self.metrics: dict[str, float] = RunFolder.read_json(folder.metrics)

    @property
    def files(self) -> tuple[str, ...]:
        """What this kind of run needs beside what every run has."""
        return () if self.config.get("baseline") or self.config.get("blend") else ("embeddings", *self.task.files)

    @cached_property
    def dataset(self) -> Dataset:
        """The data set that the run was trained on."""
        dataset, trained_on = load_dataset(self.folder.dataset), self.folder.data_hash()
        if dataset.hash != trained_on:
            raise InputError(
                f"{self.folder.dataset} holds other data (hash {dataset.hash}) than the run was trained on "
                f"({trained_on}); {self.folder.rewrite()}."
            )
        return dataset

    @cached_property
    def scorer(self) -> Any:
        """Scores of the best checkpoint; without training fitted again, of a blend made of its members."""
        if self.config.get("blend"):
            return blend_scorer(self)
        if self.config.get("baseline"):
            return refit(self)
        try:
            tensors = load_file(self.folder.embeddings)
            users, items = tensors["user"], tensors["item"]
        except (OSError, SafetensorError, KeyError) as error:
            raise InputError(f"{self.folder.embeddings} is damaged: {error}; {self.folder.rewrite()}.") from error
        if (len(users), len(items)) != (self.dataset.num_users, self.dataset.num_items):
            raise InputError(
                f"{self.folder.embeddings} has {len(users):,} users and {len(items):,} items; "
                f"the run's data has {self.dataset.num_users:,} and {self.dataset.num_items:,}; "
                f"{self.folder.rewrite()}."
            )
        return self.task.scorer(self, (users, items))

    @property
    def strata(self) -> pl.DataFrame:
        """Test metrics by training degree, cold to warm."""
        try:
            return pl.read_csv(self.folder.strata)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError(f"{self.folder.strata} is damaged: {error}; {self.folder.rewrite()}.") from error

    @cached_property
    def item_features(self) -> np.ndarray | None:
        """Item features [I, F] of the run, encoded again from its texts where the cache has them not."""
        try:
            return build_features(self.config, self.dataset).item
        except InputError as error:
            warnings.warn(f"Diversity is left out: {error}", stacklevel=2)
            return None

    def evaluate(self, k: Sequence[int] | None = None, mask: str | None = None) -> Mapping[str, Result]:
        """Validation and test results; ``k`` and ``mask`` change a ranking run's own protocol."""
        if self.task.name == "ranking" and k is not None:
            self._check_lengths(k)
        changes = {name: value for name, value in (("k", k), ("mask", mask)) if value is not None}
        return self.task.evaluate(self, **changes)

    def _check_lengths(self, k: Any) -> None:
        """Refuse list lengths that the catalogue cannot fill."""
        lengths, most = (list(k) if isinstance(k, Sequence) and not isinstance(k, str) else [k]), self.dataset.num_items
        if not lengths or not all(isinstance(length, int) and 1 <= length <= most for length in lengths):
            raise InputError(f"k={k} must be whole numbers from 1 to the catalogue's {most:,} items, such as k=[5,10].")

    def recommend(self, user_ids: Any, k: int = 10) -> pl.DataFrame:
        """The k best items of each user that are not in the user's history; ``user_ids`` is one id or several.

        Columns: user, rank (from 1), item, score, and the text columns of the items, the title first.
        """
        if not (isinstance(k, int) and 1 <= k <= self.dataset.num_items):
            raise InputError(f"k={k!r} must be a number from 1 to the catalogue's {self.dataset.num_items:,} items.")
        users = torch.from_numpy(self._numbers(user_ids))
        return pl.concat([self._recommend(block, k) for block in users.split(users_at_once(self.dataset.num_items))])

    def _recommend(self, users: torch.Tensor, k: int) -> pl.DataFrame:
        lists = recommend(self.scorer, users, self.dataset.seen("all"), k)
        position, rank = (lists >= 0).nonzero(as_tuple=True)
        items = lists[position, rank]
        frame = pl.DataFrame(
            {
                "user": self.dataset.users.take(users[position].numpy()),
                "rank": rank.numpy() + 1,
                "item": self.dataset.items.take(items.numpy()),
                "score": self.scorer.scores(users)[position, items].numpy(),
            }
        )
        return frame if self.dataset.item_text is None else frame.hstack(self.dataset.item_text[items.numpy()])

    def history(self, user_id: Any) -> pl.DataFrame:
        """All items of one user, latest first where times are known: item, part, weight, time, text columns."""
        return history(self.dataset, int(self._numbers([user_id])[0]))

    def _numbers(self, user_ids: Any) -> np.ndarray:
        several = isinstance(user_ids, Iterable) and not isinstance(user_ids, str)
        ids = list(user_ids) if several else [user_ids]
        return self.dataset.users.numbers(pl.Series("user", ids, strict=False))  # numbers beside texts become texts
