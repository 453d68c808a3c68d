"""How much an interaction counts: the values of the sparse matrix B.

Each weighting maps interactions to one value a pair, float64 [n], from those interactions alone, so
that a weighting of the training part knows nothing of the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from graftrec.data.interactions import Interactions
from graftrec.errors import InputError

SECONDS_PER_DAY = 86_400.0


class Weighting(Protocol):
    """Interactions to one value a pair, float64 [n]."""

    def __call__(self, interactions: Interactions) -> np.ndarray: ...


def interaction_matrix(interactions: Interactions, weighting: Weighting) -> sp.csr_matrix:
    """B [num_users, num_items], float32; refuses values that no graph can carry."""
    values = weighting(interactions)
    bad = ~np.isfinite(values) | (values < 0)
    if bad.any():
        raise InputError(
            f"{bad.sum():,} of {len(values):,} edge weights are negative or not finite (first: {values[bad][0]}) "
            f"under {weighting}; choose weighting=binary or filter the rows."
        )
    return interactions.to_matrix(values)


@dataclass(frozen=True)
class Binary:
    """1 for every pair."""

    def __call__(self, interactions: Interactions) -> np.ndarray:
        return np.ones(len(interactions))


@dataclass(frozen=True)
class Weight:
    """The summed weight column: rating, quantity, play count."""

    def __call__(self, interactions: Interactions) -> np.ndarray:
        return _needed(interactions.weight, "weighting=weight", "data.columns.weight")


@dataclass(frozen=True)
class LogCount:
    """ln(1 + number of raw rows behind the pair)."""

    def __call__(self, interactions: Interactions) -> np.ndarray:
        return np.log1p(interactions.count)


@dataclass(frozen=True)
class TimeDecay:
    """2^(-age / half_life_days), the age counted from the latest of these interactions."""

    half_life_days: float

    def __call__(self, interactions: Interactions) -> np.ndarray:
        time = _needed(interactions.time, "weighting=time_decay", "data.columns.time")
        return np.exp2(-(time.max() - time) / (self.half_life_days * SECONDS_PER_DAY))


@dataclass(frozen=True)
class TfIdf:
    """count * (ln((1 + U) / (1 + degree of the item)) + 1): scikit-learn's smoothed form, users as documents."""

    def __call__(self, interactions: Interactions) -> np.ndarray:
        inverse = np.log((1 + interactions.num_users) / (1 + interactions.item_degree)) + 1
        return interactions.count * inverse[interactions.item]


@dataclass(frozen=True)
class BM25:
    """Okapi BM25 (Robertson & Zaragoza 2009, eq. 3.15), users as documents, counts as term frequencies.

    idf(i) * c (k1 + 1) / (c + k1 (1 - b + b |u| / mean |u|)), idf(i) = ln(1 + (U - d + .5) / (d + .5)).
    """

    k1: float = 1.2
    b: float = 0.75

    def __call__(self, interactions: Interactions) -> np.ndarray:
        count = interactions.count.astype(np.float64)
        length = np.bincount(interactions.user, weights=count, minlength=interactions.num_users)
        norm = 1 - self.b + self.b * length / length[length > 0].mean()
        degree = interactions.item_degree
        idf = np.log1p((interactions.num_users - degree + 0.5) / (degree + 0.5))
        return idf[interactions.item] * count * (self.k1 + 1) / (count + self.k1 * norm[interactions.user])


@dataclass(frozen=True)
class Behaviour:
    """Sum over behaviour types of (weight of the type * raw rows of that type)."""

    weights: Mapping[str, float]  # every type that the data has, such as {view: 1, cart: 2, buy: 4}

    def __call__(self, interactions: Interactions) -> np.ndarray:
        counts = _needed(interactions.behaviour, "weighting=behaviour", "data.columns.behaviour")
        names, given = set(interactions.behaviours), set(self.weights)
        if names != given:
            raise InputError(
                f"weighting.weights names the behaviours {sorted(given)}, but the data has {sorted(names)}; "
                f"give each of these a weight (0: no edge)."
            )
        return counts @ np.array([self.weights[name] for name in interactions.behaviours], dtype=np.float64)


def _needed(values: np.ndarray | None, setting: str, column: str) -> np.ndarray:
    if values is None:
        raise InputError(f"{setting} needs a column that this data does not map; set {column} or weighting=binary.")
    return values
