"""Who interacted with what: the numbered, aggregated pairs."""

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True, eq=False)
class Interactions:
    """Distinct (user, item) pairs in the order of (user, item), with what is known of each.

    All arrays have one row a pair. Repeated raw rows were aggregated: ``count`` says how many there
    were, ``weight`` is their sum, ``time`` and ``order`` are the last ones.
    """

    num_users: int
    num_items: int
    user: np.ndarray  # int64 [n]
    item: np.ndarray  # int64 [n]
    count: np.ndarray  # int64 [n], raw rows behind the pair
    weight: np.ndarray | None = None  # float64 [n]: rating, quantity, ...
    time: np.ndarray | None = None  # float64 [n], seconds
    order: np.ndarray | None = None  # float64 [n], position within the user where no time is known
    behaviour: np.ndarray | None = None  # int64 [n, len(behaviours)], raw rows per behaviour type
    behaviours: tuple[str, ...] = ()
    part: np.ndarray | None = None  # int8 [n], given split: 0 train, 1 valid, 2 test

    def __len__(self) -> int:
        return len(self.user)

    def select(self, rows: np.ndarray) -> "Interactions":
        """The pairs at ``rows`` (boolean mask or ascending indices)."""
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        picked = {name: value[rows] for name, value in arrays.items() if isinstance(value, np.ndarray)}
        return replace(self, **picked)

    @cached_property
    def keys(self) -> np.ndarray:
        """Each pair as one ascending number, user * num_items + item, int64 [n]."""
        return self.user * self.num_items + self.item

    @cached_property
    def matrix(self) -> sp.csr_matrix:
        """Binary user-item matrix [num_users, num_items], float32."""
        return self.to_matrix(np.ones(len(self), dtype=np.float32))

    def to_matrix(self, values: np.ndarray) -> sp.csr_matrix:
        """User-item matrix [num_users, num_items] with ``values`` [n]; zeros are not stored."""
        shape = (self.num_users, self.num_items)
        indptr = np.concatenate([[0], np.cumsum(self.user_degree)])
        matrix = sp.csr_matrix((values.astype(np.float32), self.item, indptr), shape=shape)
        matrix.eliminate_zeros()
        return matrix

    @cached_property
    def user_degree(self) -> np.ndarray:
        """Distinct items per user, int64 [num_users]."""
        return np.bincount(self.user, minlength=self.num_users)

    @cached_property
    def item_degree(self) -> np.ndarray:
        """Distinct users per item, int64 [num_items]: the item's popularity."""
        return np.bincount(self.item, minlength=self.num_items)
