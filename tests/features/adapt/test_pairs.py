from collections import Counter
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graftrec.data.dataset import Dataset
from graftrec.errors import InputError
from graftrec.features.adapt.pairs import PairSampler, TextPairs, check_pairs
from graftrec.features.encoders.hashing import HashingEncoder
from graftrec.features.nodes import TextFeatures
from tests.features.adapt.test_adaptation import adaptation
from tests.small_data import from_matrix

ALL = PairSampler(max_pairs=10**6, max_pairs_per_user=10**6, seed=0)
CELLS = hnp.arrays(bool, st.tuples(st.integers(1, 6), st.integers(1, 7)))


def texts(prefix: str, number: int, missing: int) -> list[str | None]:
    """The first ``missing`` nodes have none."""
    return [None if n < missing else f"{prefix}{n}" for n in range(number)]


def pairs_of(found: TextPairs) -> list[tuple[str, str]]:
    return list(zip(found.anchors, found.positives, strict=True))


def naive_co_interacted(cells: np.ndarray, items: list[str | None]) -> set[frozenset[str]]:
    found = set()
    for row in cells:
        for one, other in permutations(np.flatnonzero(row).tolist(), 2):
            if items[one] is not None and items[other] is not None:
                found.add(frozenset([str(items[one]), str(items[other])]))
    return found


@given(cells=CELLS, missing=st.integers(0, 2))
def test_without_limits_co_interacted_pairs_are_those_of_two_loops_each_once(cells: np.ndarray, missing: int) -> None:
    items = texts("i", cells.shape[1], missing)
    found = [frozenset(pair) for pair in pairs_of(ALL.co_interacted(from_matrix(cells), items))]
    assert set(found) == naive_co_interacted(cells, items)
    assert len(found) == len(set(found))


@given(cells=CELLS, missing=st.integers(0, 2))
def test_without_limits_user_pairs_are_those_of_two_loops(cells: np.ndarray, missing: int) -> None:
    users, items = texts("u", cells.shape[0], missing), texts("i", cells.shape[1], missing)
    every = {(users[u], items[i]) for u, i in zip(*np.nonzero(cells), strict=True)}
    expected = {pair for pair in every if None not in pair}
    assert Counter(pairs_of(ALL.user_text(from_matrix(cells), users, items))) == Counter(expected)


@given(cells=CELLS, most=st.integers(1, 12), of_user=st.integers(1, 4), seed=st.integers(0, 99))
def test_limits_hold_and_are_reached(cells: np.ndarray, most: int, of_user: int, seed: int) -> None:
    users, items = texts("u", cells.shape[0], 0), texts("i", cells.shape[1], 0)
    found = pairs_of(PairSampler(most, of_user, seed).user_text(from_matrix(cells), users, items))
    assert len(found) == min(most, int(np.minimum(cells.sum(1), of_user).sum()))
    assert max(Counter(user for user, _ in found).values(), default=0) <= of_user
    drawn = [frozenset(p) for p in pairs_of(PairSampler(most, of_user, seed).co_interacted(from_matrix(cells), items))]
    assert set(drawn) <= naive_co_interacted(cells, items)
    assert len(drawn) == len(set(drawn)) <= most


def test_every_pair_of_a_user_is_equally_likely_in_both_orders() -> None:
    train = from_matrix(np.ones((1, 3)))
    drawn = Counter(pairs_of(PairSampler(1, 1, seed).co_interacted(train, ["a", "b", "c"]))[0] for seed in range(1200))
    assert set(drawn) == set(permutations("abc", 2))
    assert min(drawn.values()) > 150  # 200 expected, standard deviation 13


def test_equal_texts_make_no_pair() -> None:
    train = from_matrix(np.ones((1, 3)))
    assert {frozenset(pair) for pair in pairs_of(ALL.co_interacted(train, ["a", "a", "b"]))} == {frozenset("ab")}


@given(other=CELLS, seed=st.integers(0, 5))
def test_validation_and_test_change_nothing(other: np.ndarray, seed: int, synthetic: Dataset) -> None:
    cells = np.zeros((synthetic.num_users, synthetic.num_items))
    cells[: other.shape[0], : other.shape[1]] = other
    changed = replace(synthetic, valid=from_matrix(cells + np.eye(*cells.shape)), test=from_matrix(1 - cells))
    features = TextFeatures(HashingEncoder(8))
    for pairs in ("co_interacted", "user_text"):
        sampler = adaptation(pairs=pairs, seed=seed)
        assert sampler.text_pairs(features, changed) == sampler.text_pairs(features, synthetic)


def test_held_out_pairs_are_a_tenth_and_not_among_the_others() -> None:
    pairs = ALL.co_interacted(from_matrix(np.ones((1, 9))), texts("i", 9, 0))
    assert (len(pairs), len(pairs.held_out), len(pairs.training)) == (36, 3, 33)
    both = [{frozenset(pair) for pair in pairs_of(part)} for part in (pairs.held_out, pairs.training)]
    assert not both[0] & both[1]


def test_digest_changes_with_any_text_and_order() -> None:
    pairs = [
        TextPairs(["a", "b"], ["c", "d"]),
        TextPairs(["b", "a"], ["d", "c"]),
        TextPairs(["ab"], ["cd"]),
        TextPairs(["a", "b"], ["c", "e"]),
    ]
    assert len({one.digest for one in pairs}) == len(pairs)


def test_too_few_pairs_are_refused(tmp_path: Path) -> None:
    table = pl.DataFrame({"title": ["a", None]})
    pairs = ALL.co_interacted(from_matrix(np.ones((2, 2))), table["title"].to_list())
    with pytest.raises(InputError, match="finds 0 pairs of different texts in the training part"):
        check_pairs(pairs, "co_interacted")
