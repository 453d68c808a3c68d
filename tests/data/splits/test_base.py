from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.splits.base import parts_from, random_rank, rank_within_user, share_of
from tests.data.build import PAIRS, interactions, pairs_of

Pairs = list[tuple[int, int]]


@pytest.mark.parametrize("share", ["0.05", "0.1", "0.15", "0.2", "0.25", "0.29", "0.35", "0.57"])
def test_share_rounds_exact_halves_up(share: str) -> None:
    degrees = np.arange(2_000)
    expected = [int(Fraction(share) * degree + Fraction(1, 2)) for degree in range(2_000)]
    assert share_of(degrees, float(share)).tolist() == expected


@given(pairs=PAIRS, seed=st.integers(0, 9))
def test_random_rank_permutes_the_pairs_of_every_user(pairs: Pairs, seed: int) -> None:
    data = interactions(pairs)
    rank = random_rank(data, seed)
    assert all(sorted(rank[data.user == user]) == list(range(degree)) for user, degree in enumerate(data.user_degree))


def test_every_item_of_a_user_is_equally_often_first() -> None:
    data = interactions([(0, item) for item in range(4)])
    first = np.bincount([int(random_rank(data, seed).argmin()) for seed in range(2_000)], minlength=4)
    assert np.abs(first - 500).max() < 4 * np.sqrt(2_000 * 0.25 * 0.75)


def test_rank_follows_the_key_and_breaks_ties_by_item() -> None:
    data = interactions([(0, 1), (0, 4), (0, 7), (2, 0), (2, 3)])
    assert rank_within_user(data, np.array([5.0, 5.0, 1.0, 9.0, 8.0])).tolist() == [1, 2, 0, 1, 0]


def test_parts_hold_the_pairs_of_their_code() -> None:
    parts = parts_from(interactions([(0, 0), (0, 1), (1, 0), (1, 1)]), np.array([2, 0, -1, 1]))
    assert [pairs_of(part) for part in (parts.train, parts.valid, parts.test)] == [[(0, 1)], [(1, 1)], [(0, 0)]]


def test_only_reasons_that_dropped_something_are_named() -> None:
    parts = parts_from(interactions([(0, 0)]), np.array([0]), too_cold=3, too_warm=0)
    assert parts.dropped == {"too cold": 3}
