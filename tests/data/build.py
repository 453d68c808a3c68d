"""Small interactions, and a source whose tables are given in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

from graftrec.data.interactions import Interactions
from graftrec.data.sources.base import RawData, Source

PAIRS = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 9)), min_size=1, max_size=50).map(sorted)


def interactions(
    pairs: Sequence[tuple[int, int]], num_users: int = 8, num_items: int = 10, **columns: Any
) -> Interactions:
    """Interactions of ``pairs``, which must ascend; ``columns`` hold one value a pair."""
    user, item = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    count = np.asarray(columns.pop("count", np.ones(len(pairs))), dtype=np.int64)
    behaviours = columns.pop("behaviours", ())
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    return Interactions(num_users, num_items, user, item, count, behaviours=behaviours, **arrays)


def pairs_of(part: Interactions) -> list[tuple[int, int]]:
    """The (user, item) pairs as Python numbers."""
    return list(zip(part.user.tolist(), part.item.tolist(), strict=True))


@dataclass(frozen=True, kw_only=True)
class FrameSource(Source):
    """Tables that are already in memory."""

    frame: pl.DataFrame
    items: pl.DataFrame | None = None
    name: str = "frame"

    def read(self) -> RawData:
        return RawData(self.frame, self.items)
