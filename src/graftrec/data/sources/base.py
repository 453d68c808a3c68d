"""What a source of data is."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from graftrec.data.files import FileSource
from graftrec.data.tables import read_text
from graftrec.errors import InputError

PARTS = {"train": 0, "valid": 1, "test": 2}


@dataclass(frozen=True)
class RawData:
    """Tables under the project's column names, ids still external.

    ``interactions``: user, item and optionally weight, time (seconds), order, behaviour (String), part
    (see ``PARTS``). ``items`` and ``users``: item or user and text columns.
    """

    interactions: pl.DataFrame
    items: pl.DataFrame | None = None
    users: pl.DataFrame | None = None


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """A named data set. ``item_text`` and ``user_text`` name the columns that a language model reads;
    the first of them is shown as the title. ``split_seed`` fixes the split.

    ``target_behaviour`` is what is to be recommended: pairs of it alone are training positives, validation and
    test, and all other behaviours are edges of the graph. None: every pair is both."""

    name: str
    item_text: Sequence[str] = ()
    user_text: Sequence[str] = ()
    split_seed: int = 0
    target_behaviour: str | None = None

    def __post_init__(self) -> None:
        for name in ("item_text", "user_text"):
            value = getattr(self, name)
            if value is None or isinstance(value, str):  # none, or one column, not a list of letters
                object.__setattr__(self, name, () if value is None else (value,))

    def read_text_table(self, files: FileSource, key: str, file: str | None, key_column: str) -> pl.DataFrame | None:
        """The item or user table (``key``); None where the data has none, refused where text was asked of it."""
        columns = self.item_text if key == "item" else self.user_text
        if file is None and columns:
            raise InputError(f"data.{key}_text={list(columns)} needs a table; set data.{key}s to its file.")
        return None if file is None else read_text(files.locate(file), key, key_column, columns)

    def availability(self) -> str:
        """Of the tables on this machine: ``here``, ``download`` (``read`` fetches them) or ``missing``."""
        return "here"

    @abstractmethod
    def read(self) -> RawData:
        """Read all tables; raises InputError before long work where something is missing."""


def check_statistics(interactions: pl.DataFrame, expected: Mapping[str, int] | None, name: str, origin: str) -> None:
    """Refuse tables that do not hold the ``expected`` numbers of users, items and interactions."""
    found = {"users": "user", "items": "item"}
    for key, wanted in (expected or {}).items():
        number = interactions[found[key]].n_unique() if key in found else len(interactions)
        if number != wanted:
            raise InputError(
                f"data={name} holds {number:,} {key}, but the published data has {wanted:,}; "
                f"bring the files of {origin}, or set data.statistics=null to use these."
            )
