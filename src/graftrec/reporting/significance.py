"""Is a difference between two recommenders real? Paired tests on the values of the same users."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

RESAMPLES: Final = 10_000
CONFIDENCE: Final = 0.95
ALPHA: Final = 0.05
DECIMALS: Final = 6  # values of users are kept in float32: what differs by less is equal


@dataclass(frozen=True)
class Difference:
    """First minus second over the same users: mean, its interval, the test, and how large it is.

    ``p`` is of one test; ``holm`` is corrected over all that were made together. ``differing`` of ``users`` have
    unequal values; ``effect`` (matched-pairs rank-biserial) is of these.
    """

    mean: float
    low: float
    high: float
    p: float
    holm: float
    effect: float
    users: int
    differing: int

    @property
    def significant(self) -> bool:
        """By the corrected test."""
        return self.holm < ALPHA

    @property
    def apart_from_zero(self) -> bool:
        """By the interval of the mean."""
        return self.low > 0 or self.high < 0


def differences(first: np.ndarray, others: Sequence[np.ndarray], tests: int | None = None) -> list[Difference]:
    """``first`` [U] minus each of ``others`` [U], of a family of so many ``tests`` (themselves if None)."""
    pairs = paired_difference(first[:, None], np.column_stack(others))
    p_values = np.array([wilcoxon(column) for column in pairs.T])
    columns = zip(pairs.T, *bootstrap(pairs), p_values, holm(p_values, tests), strict=True)
    return [
        Difference(
            mean=float(column.mean()),
            low=float(low),
            high=float(high),
            p=float(p),
            holm=float(corrected),
            effect=rank_biserial(column),
            users=len(column),
            differing=int(np.count_nonzero(column)),
        )
        for column, low, high, p, corrected in columns
    ]


def paired_difference(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """``first`` - ``second`` in float64, so rounded that equal values have the difference 0."""
    return np.round(first.astype(np.float64) - second, DECIMALS)


def bootstrap(pairs: np.ndarray, seed: int = 0) -> np.ndarray:
    """Percentile intervals of the means of paired differences [U, n] as low and high [2, n].

    Users are drawn again, with replacement: the same for all n.
    """
    draws, users = np.random.default_rng(seed), len(pairs)
    means = np.empty((RESAMPLES, pairs.shape[1]))
    for row in range(RESAMPLES):
        times = np.bincount(draws.integers(0, users, users, dtype=np.int32), minlength=users)
        means[row] = times @ pairs / users
    return np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)


def wilcoxon(pairs: np.ndarray) -> float:
    """Two-sided p of the signed-rank test of paired differences [U]; zeros are left out (Wilcoxon 1945)."""
    return float(stats.wilcoxon(pairs, zero_method="wilcox").pvalue) if pairs.any() else 1.0


def rank_biserial(pairs: np.ndarray) -> float:
    """Matched-pairs rank-biserial correlation (Kerby 2014), from -1 to 1.

    (sum of ranks of positive differences - sum of ranks of negative ones) / sum of ranks; zeros are left out.
    """
    pairs = pairs[pairs != 0]
    if not len(pairs):
        return 0.0
    ranks = stats.rankdata(np.abs(pairs))
    return float((ranks * np.sign(pairs)).sum() / ranks.sum())


def holm(p: np.ndarray, tests: int | None = None) -> np.ndarray:
    """p-values [n] corrected for ``tests`` tests m (n if None), by Holm 1979: the i-th smallest times m - i + 1.

    Never falling, at most 1. Where m > n, p-values that are not given count as larger: no correction is stricter.
    """
    order = np.argsort(p)
    most = len(p) if tests is None else tests
    raised = np.maximum.accumulate(p[order] * np.arange(most, most - len(p), -1))
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(raised, 1.0)
    return corrected
