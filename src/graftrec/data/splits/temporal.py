"""One global cut in time."""

from dataclasses import dataclass, replace

import numpy as np

from graftrec.data.interactions import Interactions
from graftrec.data.splits.base import Parts, parts_from
from graftrec.errors import InputError


@dataclass(frozen=True)
class TemporalSplit:
    """The last ``test`` share of all interactions is test, the ``valid`` share before it validation.

    Interactions of one instant stay together. Held-out pairs of users or items without a training
    interaction are dropped and counted.
    """

    valid: float = 0.1
    test: float = 0.2

    def __post_init__(self) -> None:
        if not (self.valid > 0 and self.test > 0 and self.valid + self.test < 1):
            raise InputError(f"split.valid={self.valid} and split.test={self.test} must be > 0 and sum to less than 1.")

    @property
    def id(self) -> str:
        return "temporal" if (self.valid, self.test) == (0.1, 0.2) else f"temporal_{self.valid:g}_{self.test:g}"

    def __call__(self, interactions: Interactions, seed: int, protocol: str) -> Parts:
        if interactions.time is None:
            raise InputError(
                "split=temporal needs times, which this data has not; set data.columns.time or split=random."
            )
        ordered = np.sort(interactions.time)
        shares = (1 - self.test - self.valid, 1 - self.test)  # rounded below: 10 * (1 - .3 - .3) is 3.9999999999999996
        valid_from, test_from = (
            ordered[min(int(round(len(ordered) * share, 6)), len(ordered) - 1)] for share in shares
        )
        part = (interactions.time >= valid_from).astype(np.int64) + (interactions.time >= test_from)
        train = interactions.select(part == 0)
        cold_user = (part > 0) & (train.user_degree[interactions.user] == 0)
        cold_item = (part > 0) & (train.item_degree[interactions.item] == 0) & ~cold_user
        part[cold_user | cold_item] = -1
        parts = parts_from(
            interactions,
            part,
            held_out_of_users_without_training=int(cold_user.sum()),
            held_out_of_items_without_training=int(cold_item.sum()),
        )
        return replace(parts, until=float(valid_from))
