from random import Random

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.vocabulary import Vocabulary
from graftrec.errors import InputError

IDS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1) | st.lists(st.text(max_size=5), min_size=1)


@given(values=IDS, shuffle=st.randoms())
def test_numbering_does_not_depend_on_the_order_of_rows(values: list, shuffle: Random) -> None:
    shuffled = list(values)
    shuffle.shuffle(shuffled)
    first, second = (Vocabulary.of("user", pl.Series(ids)) for ids in (values, shuffled))
    assert first.ids.to_list() == second.ids.to_list()


@given(values=IDS)
def test_ids_survive_the_way_to_numbers_and_back(values: list) -> None:
    vocabulary = Vocabulary.of("user", pl.Series(values))
    assert vocabulary.take(vocabulary.numbers(pl.Series(values))).to_list() == values


def test_integer_ids_are_numbered_by_size() -> None:
    assert Vocabulary.of("item", pl.Series([30, 4, 30, 100])).numbers(pl.Series([4, 30, 100])).tolist() == [0, 1, 2]


def test_string_ids_are_numbered_as_texts() -> None:
    vocabulary = Vocabulary.of("item", pl.Series(["30", "4", "100"]))
    assert vocabulary.numbers(pl.Series(["4", "30", "100"])).tolist() == [2, 1, 0]


def test_repeated_ids_count_once() -> None:
    assert len(Vocabulary.of("item", pl.Series(["a", "b", "a"]))) == 2


def test_hash_does_not_depend_on_the_order_of_rows() -> None:
    first, second = (Vocabulary.of("user", pl.Series(ids)) for ids in ([1, 2, 3], [3, 1, 2, 2]))
    assert first.hash == second.hash


def test_hash_differs_by_ids() -> None:
    first, second = (Vocabulary.of("user", pl.Series(ids)) for ids in ([1, 2, 3], [1, 2, 4]))
    assert first.hash != second.hash


def test_hash_differs_by_type() -> None:
    first, second = (Vocabulary.of("user", pl.Series(ids)) for ids in ([1, 2, 3], ["1", "2", "3"]))
    assert first.hash != second.hash


@pytest.mark.parametrize(
    ("known", "wanted", "expected"),
    [
        ([5, 7], [7, 8, 5], [1, -1, 0]),
        (["5", "7"], ["7", "8"], [1, -1]),
        ([5, 7], ["7", "x"], [1, -1]),
        (["5", "7"], [7, 8], [1, -1]),
        ([5, 7], ["007", " 7", "7.0"], [-1, -1, -1]),
        ([5, 7], [7.5], [-1]),
        ([5, 7], [None, 7], [-1, 1]),
    ],
)
def test_find_marks_ids_that_are_not_written_alike(known: list, wanted: list, expected: list[int]) -> None:
    assert Vocabulary.of("user", pl.Series(known)).find(pl.Series(wanted)).tolist() == expected


def test_unknown_ids_are_counted_and_shown() -> None:
    vocabulary = Vocabulary.of("user", pl.Series(["ann", "bob"]))
    message = r"2 of 3 user ids are unknown \(first: 'zoe'\); the data has 2 users, such as 'ann'"
    with pytest.raises(InputError, match=message):
        vocabulary.numbers(pl.Series(["ann", "zoe", "yan"]))
