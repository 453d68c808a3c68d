"""External ids and their numbers."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from graftrec.errors import InputError


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """External ids (int or str) of one node type, numbered 0..n-1 in sorted order.

    The numbering depends on the set of ids alone, not on the order of rows in a file.
    """

    name: str  # "user" or "item": used in messages
    ids: pl.Series  # unique, sorted; Int64 or String

    @classmethod
    def of(cls, name: str, values: pl.Series) -> "Vocabulary":
        """Collect the distinct ``values``."""
        return cls(name, values.unique().sort().alias(name))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def hash(self) -> str:
        """Digest of the ids and of their type, 16 hexadecimal digits."""
        content = "\x1f".join([str(self.ids.dtype), *self.ids.cast(pl.String).to_list()])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def find(self, values: pl.Series) -> np.ndarray:
        """Numbers of ``values`` as int64 [n]; -1 where an id is unknown."""
        numbers = pl.DataFrame({"id": self.ids, "number": np.arange(len(self), dtype=np.int64)})
        wanted = pl.DataFrame({"id": values})
        if values.dtype != self.ids.dtype:  # as written: "7" finds 7, "007" does not
            numbers, wanted = (frame.with_columns(pl.col("id").cast(pl.String)) for frame in (numbers, wanted))
        joined = wanted.join(numbers, on="id", how="left", maintain_order="left")
        return joined["number"].fill_null(-1).to_numpy(writable=True)

    def numbers(self, values: pl.Series) -> np.ndarray:
        """Numbers of ``values`` as int64 [n]; refuses ids that are not in the vocabulary."""
        found = self.find(values)
        if (found < 0).any():
            unknown = values.filter(pl.Series(found < 0))
            raise InputError(
                f"{len(unknown):,} of {len(values):,} {self.name} ids are unknown (first: {unknown[0]!r}); "
                f"the data has {len(self):,} {self.name}s, such as {self.ids[0]!r}."
            )
        return found

    def take(self, numbers: np.ndarray) -> pl.Series:
        """External ids of ``numbers``."""
        return self.ids.gather(numbers)
