"""The split that the files bring."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from graftrec.data.interactions import Interactions
from graftrec.data.splits.base import Parts, parts_from, random_rank, rank_within_user, share_of
from graftrec.errors import InputError, check_choice

SUFFIX: Final = {"random": "valid", "order": "last"}  # of the id, by what is carved out


@dataclass(frozen=True)
class GivenSplit:
    """Train, validation and test files as given.

    Where there is no validation file, protocol ``clean`` carves ``valid`` of each user's training items
    out (one always stays): ``by=random`` ones (seeded), or ``by=order`` the last ones. Protocol ``paper`` trains on
    all and validates on the test set (leaky).
    """

    name: str = "given"
    valid: float = 0.1
    by: str = "random"

    def __post_init__(self) -> None:
        check_choice("split.by", self.by, tuple(SUFFIX))
        if not 0 < self.valid < 1:
            raise InputError(f"split.valid={self.valid} must lie between 0 and 1.")

    @property
    def id(self) -> str:
        return self.name

    def __call__(self, interactions: Interactions, seed: int, protocol: str) -> Parts:
        if interactions.part is None:
            raise InputError("split=given needs a data set with train and test files, such as data=lightgcn_text.")
        part = interactions.part.astype(np.int64)
        if (part == 1).any():
            if self.by == "order":
                raise InputError(
                    "split.by=order carves validation items out, but the data brings its own; leave it out."
                )
            return parts_from(interactions, part)
        if protocol == "paper":
            parts = parts_from(interactions, part)
            return Parts(parts.train, parts.test, parts.test, leaky=True)
        train_rows = np.flatnonzero(part == 0)
        train = interactions.select(train_rows)
        degree = train.user_degree[train.user]
        carved = self._rank(train, seed) < np.minimum(share_of(degree, self.valid), degree - 1)
        part[train_rows[carved]] = 1
        return replace(parts_from(interactions, part), id_suffix=f"-{SUFFIX[self.by]}{100 * self.valid:g}")

    def _rank(self, train: Interactions, seed: int) -> np.ndarray:
        """Position among the user's training items: the first are carved out."""
        if self.by == "random":
            return random_rank(train, seed)
        if train.order is None:
            raise InputError(
                "split.by=order needs to know in which order a user's items came; set data.ordered=true where the "
                "lines of the files are in that order, or split.by=random."
            )
        return rank_within_user(train, -train.order)
