"""Held-out pairs and as many sampled non-interactions: what interest classification is judged by."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from graftrec.data.dataset import Dataset
from graftrec.data.interactions import Interactions
from graftrec.errors import InputError

NEGATIVES: Final = ("uniform", "popularity_matched")
MATCHING_ROUNDS: Final = 50
TICKETS: Final = 2**32  # fine enough for shares of items, small enough for user * tickets in int64


@dataclass(frozen=True, eq=False)
class LabelledPairs:
    """Positives first, then one negative of the same user for each, in the same order."""

    user: np.ndarray  # int64 [n]
    item: np.ndarray  # int64 [n]
    label: np.ndarray  # int64 [n]: 1 held-out interaction, 0 sampled non-interaction

    def __len__(self) -> int:
        return len(self.label)


def sample_pairs(dataset: Dataset, part: str, negatives: str, seed: int) -> LabelledPairs:
    """All pairs of ``part`` (valid or test), each with an item that its user has in no part of ``dataset``.

    ``negatives``: ``uniform`` items, or ``popularity_matched``, where each item is expected as often among
    the negatives as it is among the positives. Pairs of a user who knows every drawable item are left out.
    A function of data and arguments alone: every model is judged on the same pairs.
    """
    held_out: Interactions = getattr(dataset, part)
    known = dataset.seen("all")
    matched = negatives == "popularity_matched"
    tickets = matched_tickets(held_out, known) if matched else np.ones(dataset.num_items, dtype=np.int64)
    drawn = draw_unknown(known, held_out.user, tickets, np.random.default_rng([seed, *f"{part}/{negatives}".encode()]))
    kept = drawn >= 0
    if not kept.any():
        raise InputError(
            f"No {part} pair of {dataset.id} has a {negatives} negative: its users know all {dataset.num_items:,} "
            f"items that could be drawn; task=interest needs a larger catalogue or a looser filter."
        )
    user, item = held_out.user[kept], held_out.item[kept]
    label = np.repeat(np.array([1, 0]), len(user))
    return LabelledPairs(np.tile(user, 2), np.concatenate([item, drawn[kept]]), label)


def draw_unknown(
    known: sp.csr_matrix, users: np.ndarray, tickets: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """An item for each of ``users`` [n] that is not ``known`` [U, I] of it, int64 [n]; -1 where none has a ticket.

    An item's chance is its share of ``tickets``, int64 [I]. Nothing is rejected: the tickets of a user's
    unknown items are numbered without gaps, one is drawn, and those of known items before it are added.
    """
    ends = np.cumsum(tickets)
    total = int(ends[-1])
    owner = np.repeat(np.arange(known.shape[0]), np.diff(known.indptr))
    held = np.concatenate([[0], np.cumsum(tickets[known.indices])])  # tickets of known items before each entry
    start, end = held[known.indptr[:-1]], held[known.indptr[1:]]  # [U]
    unknown_before = (ends - tickets)[known.indices] - (held[:-1] - start[owner])  # ascending within a user
    free = (total - (end - start))[users]
    drawn = generator.integers(np.maximum(free, 1))
    entries = np.searchsorted(owner * (total + 1) + unknown_before, users * (total + 1) + drawn, side="right")
    item = np.searchsorted(ends, drawn + held[entries] - start[users], side="right")
    return np.where(free > 0, item, -1)


def matched_tickets(held_out: Interactions, known: sp.csr_matrix) -> np.ndarray:
    """Tickets, int64 [I], with which ``draw_unknown`` is expected to draw items as often as ``held_out`` has them.

    Plain shares would draw popular items too seldom, since many users know them: shares are scaled until
    expected and wanted counts agree (iterative proportional fitting, Deming and Stephan, 1940).
    """
    known = known.astype(np.float64)
    wanted, draws = held_out.item_degree.astype(np.float64), held_out.user_degree.astype(np.float64)
    wanted[draws.sum() - known.T @ draws <= 0] = 0  # everybody who draws knows the item
    drawable = (wanted > 0).astype(np.float64)
    draws[drawable.sum() - known @ drawable <= 0] = 0  # the user knows every item
    shares = wanted / max(wanted.sum(), 1)
    for _ in range(MATCHING_ROUNDS):
        free = 1 - known @ shares
        rate = np.divide(draws, free, out=np.zeros_like(draws), where=(draws > 0) & (free > 0))
        expected = shares * (rate.sum() - known.T @ rate)
        shares *= np.divide(wanted, expected, out=np.zeros_like(wanted), where=expected > 0)
        shares /= max(shares.sum(), np.finfo(float).tiny)
    return as_tickets(shares, wanted > 0)


def as_tickets(shares: np.ndarray, drawable: np.ndarray) -> np.ndarray:
    """Tickets, int64 [I], by ``shares`` [I] that sum to 1: at least one where ``drawable``, else none."""
    return np.where(drawable, np.maximum(np.rint(shares * TICKETS), 1), 0).astype(np.int64)
