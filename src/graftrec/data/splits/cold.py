"""Whole items or users that training never sees."""

from dataclasses import dataclass, replace

import numpy as np

from graftrec.data.interactions import Interactions
from graftrec.data.splits.base import Parts, parts_from, share_of
from graftrec.errors import InputError, check_choice

NODES = ("item", "user")


@dataclass(frozen=True)
class ColdSplit:
    """Random shares of all items (or users) are held out with every interaction of theirs.

    ``test`` and ``valid`` are shares of the nodes. Held-out pairs whose other end has no training
    interaction either are dropped and counted.
    """

    nodes: str
    valid: float = 0.1
    test: float = 0.2

    def __post_init__(self) -> None:
        check_choice("split.nodes", self.nodes, NODES)
        if not (self.valid > 0 and self.test > 0 and self.valid + self.test < 1):
            raise InputError(f"split.valid={self.valid} and split.test={self.test} must be > 0 and sum to less than 1.")

    @property
    def id(self) -> str:
        shares = "" if (self.valid, self.test) == (0.1, 0.2) else f"_{self.valid:g}_{self.test:g}"
        return f"cold_{self.nodes}{shares}"

    def __call__(self, interactions: Interactions, seed: int, protocol: str) -> Parts:
        held_out, other = (interactions.item, interactions.user)[:: 1 if self.nodes == "item" else -1]
        size = interactions.num_items if self.nodes == "item" else interactions.num_users
        part = self._part_of_nodes(size, seed)[held_out]
        train = interactions.select(part == 0)
        other_degree = train.user_degree if self.nodes == "item" else train.item_degree
        lost = (part > 0) & (other_degree[other] == 0)
        part[lost] = -1
        reason = f"held_out_of_{'users' if self.nodes == 'item' else 'items'}_without_training"
        return replace(parts_from(interactions, part, **{reason: int(lost.sum())}), cold=self.nodes)

    def _part_of_nodes(self, size: int, seed: int) -> np.ndarray:
        """0 train, 1 valid, 2 test for every node, int64 [size]."""
        tests, valids = (int(share_of(np.array(size), share)) for share in (self.test, self.valid))
        part = np.repeat(np.array([2, 1, 0]), [tests, valids, size - tests - valids])
        return np.random.default_rng(seed).permutation(part)
