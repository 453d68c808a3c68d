from collections import Counter

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.filters import Filter
from graftrec.errors import InputError
from tests.data.build import PAIRS

Pairs = set[tuple[int, int]]
RAW = pl.DataFrame(
    {"user": [1, 2, 3, 4], "item": [1, 1, 1, 1], "weight": [2.0, 3.0, 4.0, 5.0], "time": [9, 10, 20, 21]}
)


def naive_core(pairs: Pairs, min_user: int, min_item: int) -> Pairs:
    """Take one node after the other out until every one that is left reaches its minimum."""
    users, items = Counter(user for user, _ in pairs), Counter(item for _, item in pairs)
    for user, item in sorted(pairs):
        if users[user] < min_user:
            return naive_core({pair for pair in pairs if pair[0] != user}, min_user, min_item)
        if items[item] < min_item:
            return naive_core({pair for pair in pairs if pair[1] != item}, min_user, min_item)
    return pairs


@given(pairs=PAIRS, min_user=st.integers(0, 4), min_item=st.integers(0, 4))
def test_core_is_that_of_a_naive_loop(pairs: list[tuple[int, int]], min_user: int, min_item: int) -> None:
    frame = pl.DataFrame(pairs, schema=["user", "item"], orient="row")
    kept = Filter(min_user=min_user, min_item=min_item).core(frame)
    assert set(kept.rows()) == naive_core(set(pairs), min_user, min_item)


def test_core_repeats_until_nothing_falls_below() -> None:
    chain = pl.DataFrame({"user": [1, 2, 2, 3, 3], "item": [1, 1, 2, 2, 3]})
    assert Filter(min_user=2, min_item=2).core(chain).is_empty()


@pytest.mark.parametrize(
    ("filter", "users"),
    [
        (Filter(), [1, 2, 3, 4]),
        (Filter(min_rating=4), [3, 4]),
        (Filter(since=10), [2, 3, 4]),
        (Filter(until=20), [1, 2]),
        (Filter(since=10, until=21), [2, 3]),
        (Filter(min_rating=3, until=20), [2]),
    ],
)
def test_rows_pass_rating_and_time_window(filter: Filter, users: list[int]) -> None:
    assert filter.rows(RAW)["user"].to_list() == users


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (Filter(), ""),
        (Filter(min_user=5, min_item=3), "5core"),
        (Filter(min_user=5, min_item=5), "u5i5"),
        (Filter(min_rating=4), "rating4"),
        (Filter(min_user=2, min_rating=3.5), "u2i0-rating3.5"),
        (Filter(min_user=5, min_item=3, since=10, until=20), "5core-since10-until20"),
    ],
)
def test_id_says_what_is_filtered(filter: Filter, expected: str) -> None:
    assert filter.id == expected


@pytest.mark.parametrize(
    ("filter", "column", "setting"),
    [
        (Filter(min_rating=4), "weight", "filter.min_rating=4"),
        (Filter(since=10), "time", "filter.since=10"),
        (Filter(until=20), "time", "filter.until=20"),
    ],
)
def test_a_filter_without_its_column_is_refused(filter: Filter, column: str, setting: str) -> None:
    message = rf"{setting} needs a {column} column, which this data does not map \(data.columns.{column}\)"
    with pytest.raises(InputError, match=message):
        filter.rows(RAW.drop(column))
