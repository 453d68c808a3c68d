"""Random shares of every user's items."""

from dataclasses import dataclass

import numpy as np

from graftrec.data.interactions import Interactions
from graftrec.data.splits.base import Parts, parts_from, random_rank, share_of
from graftrec.errors import InputError


@dataclass(frozen=True)
class RandomSplit:
    """Per user, ``test`` and ``valid`` shares at random (halves rounded up), the rest is training."""

    valid: float = 0.1
    test: float = 0.2

    def __post_init__(self) -> None:
        if not (self.valid > 0 and self.test > 0 and self.valid + self.test < 1):
            raise InputError(f"split.valid={self.valid} and split.test={self.test} must be > 0 and sum to less than 1.")

    @property
    def id(self) -> str:
        if (self.valid, self.test) == (0.1, 0.2):
            return "random"
        train = 1 - self.valid - self.test
        return "random" + "_".join(f"{100 * share:g}" for share in (round(train, 6), self.valid, self.test))

    def __call__(self, interactions: Interactions, seed: int, protocol: str) -> Parts:
        rank = random_rank(interactions, seed)
        degree = interactions.user_degree[interactions.user]
        tests = share_of(degree, self.test)
        held_out = np.minimum(tests + share_of(degree, self.valid), degree - 1)  # every user keeps a training item
        part = np.where(rank < np.minimum(tests, held_out), 2, np.where(rank < held_out, 1, 0))
        return parts_from(interactions, part)
