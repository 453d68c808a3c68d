"""The last item of every user is the test."""

from dataclasses import dataclass

import numpy as np

from graftrec.data.interactions import Interactions
from graftrec.data.splits.base import Parts, parts_from, rank_within_user
from graftrec.errors import InputError


@dataclass(frozen=True)
class LeaveLastOut:
    """Per user, the last item is test, the one before it validation, by ``order`` or else by ``time``.

    Users with fewer than three items keep all of them in training. Ties in time are broken by item number.
    """

    @property
    def id(self) -> str:
        return "leave_last_out"

    def __call__(self, interactions: Interactions, seed: int, protocol: str) -> Parts:
        key = interactions.order if interactions.order is not None else interactions.time
        if key is None:
            raise InputError(
                "split=leave_last_out needs an order or times, which this data has not; "
                "set data.columns.order or data.columns.time, or split=random."
            )
        degree = interactions.user_degree[interactions.user]
        from_last = degree - 1 - rank_within_user(interactions, key)
        part = np.select([degree < 3, from_last == 0, from_last == 1], [0, 2, 1], default=0)
        return parts_from(interactions, part)
