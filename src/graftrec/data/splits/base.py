"""What a split is, and the helpers that splits share."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import polars as pl

from graftrec.data.interactions import Interactions


@dataclass(frozen=True)
class Parts:
    """Train, validation and test interactions; ``dropped`` counts the rows that belong to none, by reason."""

    train: Interactions
    valid: Interactions
    test: Interactions
    dropped: dict[str, int] = field(default_factory=dict)
    leaky: bool = False
    id_suffix: str = ""  # what the data set's id gains, such as "-valid10"
    cold: str | None = None  # item or user: the nodes that are held out whole
    until: float | None = None  # time at which validation begins, where training is all that was before


class Split(Protocol):
    """A split is a frozen value: its ``id`` stands in the data set's id."""

    @property
    def id(self) -> str: ...

    def __call__(self, interactions: Interactions, seed: int, protocol: str) -> Parts:
        """Split; ``seed`` is ``data.split_seed``, ``protocol`` is ``clean`` or ``paper``."""
        ...


def random_rank(interactions: Interactions, seed: int) -> np.ndarray:
    """A random order within each user: a permutation of 0..degree-1 for every user, int64 [n]."""
    return rank_within_user(interactions, np.random.default_rng(seed).random(len(interactions)))


def rank_within_user(interactions: Interactions, key: np.ndarray) -> np.ndarray:
    """Position of each pair among its user's pairs by ascending ``key`` (ties by item, their order), int64 [n]."""
    pairs = pl.DataFrame({"user": interactions.user, "key": key})
    ranks = pairs.select(pl.col("key").rank("ordinal").over("user").cast(pl.Int64) - 1).to_series()
    return ranks.to_numpy(writable=True)  # polars sorts on all cores, each user's pairs alone


def share_of(degree: np.ndarray, share: float) -> np.ndarray:
    """``share`` of each degree, halves rounded up, int64."""
    return np.floor(np.round(degree * share, 9) + 0.5).astype(np.int64)  # 90 * 0.35 is 31.499999999999996


def parts_from(interactions: Interactions, part: np.ndarray, **dropped: int) -> Parts:
    """Parts from a code per pair: 0 train, 1 valid, 2 test, -1 dropped."""
    train, valid, test = (interactions.select(part == code) for code in (0, 1, 2))
    return Parts(train, valid, test, {name.replace("_", " "): n for name, n in dropped.items() if n})
