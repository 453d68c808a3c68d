"""The frozen record that everything downstream reads."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
import scipy.sparse as sp

from graftrec.data.interactions import Interactions
from graftrec.data.vocabulary import Vocabulary
from graftrec.errors import InputError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Split interactions and the text of their users and items.

    ``id`` names source, split and filters (``movielens_small/random-5core``): results with different
    ids are never compared. ``counts`` says what reading, filtering and splitting kept and dropped.
    """

    id: str
    users: Vocabulary
    items: Vocabulary
    train: Interactions
    valid: Interactions
    test: Interactions
    item_text: pl.DataFrame | None = None  # [num_items] rows in vocabulary order, text columns
    user_text: pl.DataFrame | None = None  # [num_users] rows in vocabulary order, text columns
    item_table: pl.DataFrame | None = None  # [num_items] rows in vocabulary order, the table's other columns
    user_table: pl.DataFrame | None = None  # [num_users] rows in vocabulary order, the table's other columns
    edges: Interactions | None = None  # pairs of all behaviours that the graph may know; None: those of training
    counts: dict[str, int] = field(default_factory=dict)
    leaky: bool = False  # validation is the test set: protocol "paper"
    cold: str | None = None  # item or user: the nodes that the split holds out whole

    def __post_init__(self) -> None:
        parts = {name: getattr(self, name) for name in ("train", "valid", "test")}
        for name, part in parts.items():
            if len(part) == 0:
                most = int(sum(part.user_degree for part in parts.values()).max())
                raise InputError(
                    f"Data set {self.id} has no {name} interactions left, and no user more than {most:,} in all parts "
                    f"({', '.join(f'{key} {value:,}' for key, value in self.counts.items())}); "
                    f"bring more interactions a user, loosen the filter, or choose another split."
                )

    @property
    def num_users(self) -> int:
        return len(self.users)

    @property
    def num_items(self) -> int:
        return len(self.items)

    @property
    def item_columns(self) -> pl.DataFrame | None:
        """All columns of the item table, text columns first; None where the data has no item table."""
        return _beside(self.item_text, self.item_table)

    @property
    def user_columns(self) -> pl.DataFrame | None:
        """All columns of the user table, text columns first; None where the data has no user table."""
        return _beside(self.user_text, self.user_table)

    @cached_property
    def cold_items(self) -> np.ndarray | None:
        """Which items the split holds out whole, boolean [num_items]; None where it holds out pairs or users."""
        return self.train.item_degree == 0 if self.cold == "item" else None

    @cached_property
    def hash(self) -> str:
        """Digest of ids and of each part's pairs, 16 hexadecimal digits."""
        digest = hashlib.sha256((self.users.hash + self.items.hash).encode())
        for part in (self.train, self.valid, self.test, self.edges):
            digest.update(b"" if part is None else np.ascontiguousarray(part.keys).tobytes() + b"|")
        return digest.hexdigest()[:16]

    def seen(self, mask: str) -> sp.csr_matrix:
        """Pairs that ranking must not recommend again, binary [num_users, num_items].

        ``mask``: ``train``, ``train_and_valid`` or ``all``.
        """
        if mask == "train" or (mask == "train_and_valid" and self.leaky):
            return self.train.matrix
        if mask == "train_and_valid":
            return _union(self.train.matrix, self.valid.matrix)
        if mask == "all":
            return _union(self.train.matrix, self.valid.matrix, self.test.matrix)
        raise InputError(f"mask={mask!r} is unknown; choose train, train_and_valid or all.")


def _beside(text: pl.DataFrame | None, table: pl.DataFrame | None) -> pl.DataFrame | None:
    tables = [part for part in (text, table) if part is not None]
    return pl.concat(tables, how="horizontal") if tables else None


def _union(*matrices: sp.csr_matrix) -> sp.csr_matrix:
    total = sp.csr_matrix(sum(matrices[1:], matrices[0]))
    total.data[:] = 1.0
    total.sort_indices()
    return total
