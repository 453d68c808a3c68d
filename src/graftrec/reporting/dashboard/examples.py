"""Example lists of runs, with every text kept once."""

from pathlib import Path
from typing import Any, Final

import polars as pl

from graftrec.errors import InputError

USERS: Final = 10  # of a run


class Texts:
    """Numbers for texts: all runs on one data set tell of the same items."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def known(self) -> list[str]:
        return list(self._numbers)


def examples(path: Path, texts: Texts) -> list[dict[str, Any]]:
    """Of the first ``USERS`` users of a recommendations.parquet: history and recommended, the texts' numbers by rank,
    and hits, the places of recommended (from 0) that hold a test item. Empty where there is no file.
    """
    if not path.is_file():
        return []
    try:
        frame = pl.read_parquet(path)
        users = frame["user"].unique(maintain_order=True).head(USERS)
        return [_of_user(user, frame.filter(pl.col("user") == user).sort("rank"), texts) for user in users]
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path} is damaged: {error}; move its run folder away, or train again.") from error


def _of_user(user: Any, rows: pl.DataFrame, texts: Texts) -> dict[str, Any]:
    past, listed = (rows.filter(pl.col("list") == name) for name in ("history", "recommended"))
    return {
        "user": str(user),
        "history": _numbers(past, texts),
        "recommended": _numbers(listed, texts),
        "hits": listed["hit"].arg_true().to_list(),
    }


def _numbers(rows: pl.DataFrame, texts: Texts) -> list[int]:
    named = rows.select(pl.coalesce("title", pl.col("item").cast(pl.String))).to_series()
    return [texts.number(text) for text in named]
