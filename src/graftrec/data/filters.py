"""Which interactions stay: minimum rating, time window, k-core."""

from dataclasses import dataclass

import polars as pl

from graftrec.errors import InputError

PROJECT_CORE = (5, 3)  # definitions: "5core" is users >= 5, items >= 3


@dataclass(frozen=True)
class Filter:
    """Row filters, then a k-core: users and items below their minimum leave until none is left below.

    ``since`` and ``until`` (excluded) are in the unit of the data's time column, usually seconds.
    """

    min_user: int = 0  # distinct items a user must have
    min_item: int = 0  # distinct users an item must have
    min_rating: float | None = None
    since: float | None = None
    until: float | None = None

    @property
    def id(self) -> str:
        """Part of the data set's id; empty where nothing is filtered."""
        core = (self.min_user, self.min_item)
        parts = [] if core == (0, 0) else ["5core"] if core == PROJECT_CORE else [f"u{self.min_user}i{self.min_item}"]
        parts += [f"rating{self.min_rating:g}"] if self.min_rating is not None else []
        parts += [f"since{self.since:g}"] if self.since is not None else []
        parts += [f"until{self.until:g}"] if self.until is not None else []
        return "-".join(parts)

    def rows(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Raw rows that pass the rating and the time window."""
        keep = [pl.lit(True)]
        if self.min_rating is not None:
            _require(raw, "weight", f"filter.min_rating={self.min_rating}")
            keep.append(pl.col("weight") >= self.min_rating)
        if self.since is not None:
            _require(raw, "time", f"filter.since={self.since}")
            keep.append(pl.col("time") >= self.since)
        if self.until is not None:
            _require(raw, "time", f"filter.until={self.until}")
            keep.append(pl.col("time") < self.until)
        return raw.filter(pl.all_horizontal(keep))

    def core(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """The largest subset of distinct ``pairs`` in which every user and item reaches its minimum."""
        limits = {"user": self.min_user, "item": self.min_item}
        size = -1
        while size != len(pairs):
            size = len(pairs)
            for column, minimum in limits.items():
                if minimum > 1:
                    pairs = pairs.filter(pl.len().over(column) >= minimum)
        return pairs


def _require(raw: pl.DataFrame, column: str, setting: str) -> None:
    if column not in raw.columns:
        raise InputError(f"{setting} needs a {column} column, which this data does not map (data.columns.{column}).")
