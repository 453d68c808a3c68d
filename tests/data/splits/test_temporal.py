import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.interactions import Interactions
from graftrec.data.splits.base import Parts
from graftrec.data.splits.temporal import TemporalSplit
from graftrec.errors import InputError
from tests.data.build import PAIRS, interactions, pairs_of


@st.composite
def timed(draw: st.DrawFn) -> Interactions:
    pairs = draw(PAIRS)
    return interactions(pairs, time=draw(st.lists(st.floats(0, 6), min_size=len(pairs), max_size=len(pairs))))


def repeated_nodes(times: list[float]) -> Interactions:
    """Pairs at ``times`` and, long before them, pairs that make each of their users and items known."""
    size = len(times)
    known = [(user, 0) for user in range(size)] + [(size, item) for item in range(1, size + 1)]
    late = [(user, user + 1) for user in range(size)]
    rows = sorted([*((pair, -1.0) for pair in known), *zip(late, times, strict=True)])
    return interactions([pair for pair, _ in rows], size + 1, size + 1, time=[time for _, time in rows])


def times_of(parts: Parts) -> tuple[list[float], list[float], list[float]]:
    train, valid, test = (sorted(part.time.tolist()) for part in (parts.train, parts.valid, parts.test))
    return train, valid, test


@given(data=timed())
def test_no_training_time_is_later_than_any_held_out_time(data: Interactions) -> None:
    train, valid, test = times_of(TemporalSplit()(data, 0, "clean"))
    assert max(train, default=-1) < min(valid + test, default=7)


@given(data=timed())
def test_no_validation_time_is_later_than_any_test_time(data: Interactions) -> None:
    _, valid, test = times_of(TemporalSplit()(data, 0, "clean"))
    assert max(valid, default=-1) < min(test, default=7)


@given(data=timed())
def test_held_out_pairs_have_a_user_and_an_item_in_training(data: Interactions) -> None:
    parts = TemporalSplit()(data, 0, "clean")
    users, items = set(parts.train.user.tolist()), set(parts.train.item.tolist())
    assert all(user in users and item in items for user, item in pairs_of(parts.valid) + pairs_of(parts.test))


@given(data=timed())
def test_every_pair_is_in_one_part_or_counted_as_dropped(data: Interactions) -> None:
    parts = TemporalSplit()(data, 0, "clean")
    kept = pairs_of(parts.train) + pairs_of(parts.valid) + pairs_of(parts.test)
    assert (len(set(kept)), len(kept) + sum(parts.dropped.values())) == (len(kept), len(data))


@pytest.mark.parametrize(
    ("shares", "expected"),
    [((0.1, 0.2), (14, 2, 4)), ((0.3, 0.3), (8, 6, 6)), ((0.05, 0.05), (18, 1, 1)), ((0.1, 0.3), (12, 2, 6))],
)
def test_distinct_times_give_exact_shares(shares: tuple[float, float], expected: tuple[int, int, int]) -> None:
    user, item, count = np.zeros((3, 20), dtype=np.int64)  # the same pair at every time, so that nothing is cold
    parts = TemporalSplit(*shares)(Interactions(1, 1, user, item, count, time=np.arange(20.0)), 0, "clean")
    assert tuple(len(times) for times in times_of(parts)) == expected


def test_interactions_of_one_instant_stay_together() -> None:
    data = repeated_nodes([1.0, 2.0, 2.0, 2.0, 2.0, 3.0])
    _, valid, test = times_of(TemporalSplit(valid=0.1, test=0.2)(data, 0, "clean"))
    assert (valid, test) == ([1.0], [2.0, 2.0, 2.0, 2.0, 3.0])


COLD = interactions(
    [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0), (1, 1), (2, 0), (2, 5), (3, 0)],
    time=[0.0, 1.0, 2.0, 3.0, 9.0, 4.0, 8.5, 5.0, 9.5, 8.0],
)


def test_cold_rows_are_dropped() -> None:
    parts = TemporalSplit(valid=0.2, test=0.2)(COLD, 0, "clean")
    assert (pairs_of(parts.valid), pairs_of(parts.test)) == ([(1, 1)], [])


def test_cold_rows_are_counted_by_reason() -> None:
    parts = TemporalSplit(valid=0.2, test=0.2)(COLD, 0, "clean")
    assert parts.dropped == {
        "held out of users without training": 1,
        "held out of items without training": 2,
    }


def test_the_seed_changes_nothing() -> None:
    first, second = (pairs_of(TemporalSplit()(COLD, seed, "clean").train) for seed in (0, 1))
    assert first == second


def test_data_without_times_is_refused() -> None:
    with pytest.raises(InputError, match=r"split=temporal needs times, .*; set data.columns.time or split=random"):
        TemporalSplit()(interactions([(0, 0)]), 0, "clean")


@pytest.mark.parametrize(("valid", "test"), [(0.0, 0.2), (0.1, 0.0), (0.5, 0.5)])
def test_impossible_shares_are_refused(valid: float, test: float) -> None:
    with pytest.raises(InputError, match=f"split.valid={valid} and split.test={test} must be > 0 and sum to less than"):
        TemporalSplit(valid, test)


@pytest.mark.parametrize(
    ("split", "expected"), [(TemporalSplit(), "temporal"), (TemporalSplit(0.05, 0.1), "temporal_0.05_0.1")]
)
def test_id_names_other_shares_than_the_default(split: TemporalSplit, expected: str) -> None:
    assert split.id == expected
