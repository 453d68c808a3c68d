"""Random shares of every user's items."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from graftrec.data.interactions import Interactions
from graftrec.data.splits.base import Parts, parts_from, random_rank, share_of
from graftrec.errors import InputError, check_choice

ROUNDINGS: Final = ("half_up", "down")


@dataclass(frozen=True)
class RandomSplit:
    """Per user, ``test`` and ``valid`` shares at random, the rest is training.

    ``rounding`` of the shares: ``half_up``, or ``down`` but to 1 at least (RecBole's). Down, a user of 19 items has one
    test item at a share of .1, half up two: recall differs by several per cent.
    """

    valid: float = 0.1
    test: float = 0.2
    rounding: str = "half_up"

    def __post_init__(self) -> None:
        check_choice("split.rounding", self.rounding, ROUNDINGS)
        if not (self.valid > 0 and self.test > 0 and self.valid + self.test < 1):
            raise InputError(f"split.valid={self.valid} and split.test={self.test} must be > 0 and sum to less than 1.")

    @property
    def id(self) -> str:
        rounded = "" if self.rounding == "half_up" else f"_{self.rounding}"
        if (self.valid, self.test) == (0.1, 0.2):
            return f"random{rounded}"
        shares = (round(1 - self.valid - self.test, 6), self.valid, self.test)
        return "random" + "_".join(f"{100 * share:g}" for share in shares) + rounded

    def __call__(self, interactions: Interactions, seed: int, protocol: str) -> Parts:
        rank = random_rank(interactions, seed)
        degree = interactions.user_degree[interactions.user]
        tests, valids = (self._share(degree, share) for share in (self.test, self.valid))
        held_out = np.minimum(tests + valids, degree - 1)  # every user keeps a training item
        part = np.where(rank < np.minimum(tests, held_out), 2, np.where(rank < held_out, 1, 0))
        return parts_from(interactions, part)

    def _share(self, degree: np.ndarray, share: float) -> np.ndarray:
        """``share`` of each degree, int64."""
        if self.rounding == "half_up":
            return share_of(degree, share)
        return np.maximum(np.floor(np.round(degree * share, 9)), 1).astype(np.int64)
