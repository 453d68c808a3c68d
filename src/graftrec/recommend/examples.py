"""Lists of a few users to be looked at, beside what these users did before."""

from typing import Final

import numpy as np
import polars as pl
import torch
from torch import Tensor

from graftrec.data.dataset import Dataset
from graftrec.recommend.evaluation import RankingTask
from graftrec.recommend.history import history
from graftrec.scoring import Scorer

USERS: Final = 20
ROWS: Final = 10  # of a history, and of a list
COLUMNS: Final = ("user", "list", "rank", "item", "title", "score", "hit")


def examples(scorer: Scorer, task: RankingTask, dataset: Dataset, users: int = USERS, rows: int = ROWS) -> pl.DataFrame:
    """Histories and judged lists of ``users`` users with test items; all runs on equal data draw the same users.

    For each user up to ``rows`` rows of ``list`` history, the latest first where times are known, then as many of
    ``list`` recommended, the best first, as ``task`` judges them. The columns:

    - ``user``, ``item``: ids of the data; ``title``: text, the item's first text column; null without one
    - ``list``: history or recommended; ``rank``: from 1
    - ``score``: of the model, float32; null in a history
    - ``hit``: whether the item is one of the user's test items; null in a history
    """
    chosen = _drawn(task, users)
    lists, scores = task.lists(scorer, chosen)[:, :rows].cpu(), scorer.scores(chosen).cpu()
    tables = []
    for user, items, own in zip(chosen.tolist(), lists, scores, strict=True):
        pair = (_past(dataset, user, rows), _recommended(task, dataset, user, items[items >= 0], own))
        name = pl.lit(dataset.users.ids[user], dataset.users.ids.dtype)
        tables += [table.with_columns(user=name).select(COLUMNS) for table in pair]
    return pl.concat(tables)


def _drawn(task: RankingTask, users: int) -> Tensor:
    """Numbers of judged users, ascending, int64."""
    judged = torch.cat(task.blocks()).numpy()
    drawn = np.random.default_rng(0).choice(judged, min(users, len(judged)), replace=False)
    return torch.from_numpy(np.sort(drawn))


def _past(dataset: Dataset, user: int, rows: int) -> pl.DataFrame:
    known = history(dataset, user).filter(pl.col("part") != "test").head(rows)
    title = pl.lit(None) if dataset.item_text is None else pl.col(dataset.item_text.columns[0])
    return known.select(
        "item",
        title.cast(pl.String).alias("title"),
        pl.lit("history").alias("list"),
        pl.int_range(1, pl.len() + 1).alias("rank"),
        pl.lit(None, pl.Float32).alias("score"),
        pl.lit(None, pl.Boolean).alias("hit"),
    )


def _recommended(task: RankingTask, dataset: Dataset, user: int, items: Tensor, scores: Tensor) -> pl.DataFrame:
    """``items`` int64 [k], best first; ``scores`` [I] of all."""
    numbers, wanted = items.numpy(), task.held_out.item[task.held_out.user == user]
    text = dataset.item_text
    return pl.DataFrame(
        {
            "item": dataset.items.take(numbers),
            "title": pl.Series([None] * len(numbers) if text is None else text[numbers].to_series(), dtype=pl.String),
            "list": pl.repeat("recommended", len(numbers), eager=True),
            "rank": np.arange(1, len(numbers) + 1),
            "score": scores[items].numpy(),
            "hit": np.isin(numbers, wanted),
        }
    )
