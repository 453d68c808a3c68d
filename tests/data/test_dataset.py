from dataclasses import replace

import polars as pl
import pytest

from graftrec.data.dataset import Dataset
from graftrec.data.vocabulary import Vocabulary
from graftrec.errors import InputError
from tests.data.build import interactions

Pairs = list[tuple[int, int]]


def dataset(train: Pairs, valid: Pairs, test: Pairs, users: tuple[int, ...] = (1, 2)) -> Dataset:
    vocabularies = (Vocabulary.of("user", pl.Series(users)), Vocabulary.of("item", pl.Series([1, 2, 3, 4])))
    return Dataset("small/given", *vocabularies, *(interactions(pairs, 2, 4) for pairs in (train, valid, test)))


BASE = dataset([(0, 0), (1, 1)], [(0, 1)], [(0, 2), (1, 3)])


def test_hash_is_that_of_the_content() -> None:
    assert dataset([(0, 0), (1, 1)], [(0, 1)], [(0, 2), (1, 3)]).hash == BASE.hash


@pytest.mark.parametrize(
    "moved",
    [
        dataset([(0, 1), (1, 1)], [(0, 0)], [(0, 2), (1, 3)]),
        dataset([(0, 0), (0, 1), (1, 1)], [(0, 2)], [(1, 3)]),
        dataset([(0, 0), (1, 1)], [(0, 1)], [(0, 3), (1, 3)]),
        dataset([(0, 0), (1, 1)], [(0, 1), (0, 2)], [(1, 3)]),
        dataset([(0, 0), (1, 1)], [(0, 1)], [(0, 2), (1, 3)], users=(1, 3)),
    ],
    ids=["train and valid swap", "one part on", "other item", "test to valid", "other user id"],
)
def test_hash_changes_if_a_pair_moves_or_an_id_differs(moved: Dataset) -> None:
    assert moved.hash != BASE.hash


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("train", [[1, 0, 0, 0], [0, 1, 0, 0]]),
        ("train_and_valid", [[1, 1, 0, 0], [0, 1, 0, 0]]),
        ("all", [[1, 1, 1, 0], [0, 1, 0, 1]]),
    ],
)
def test_seen_holds_the_pairs_of_its_mask(mask: str, expected: list[list[int]]) -> None:
    assert BASE.seen(mask).toarray().tolist() == expected


def test_seen_stays_binary_where_a_pair_is_in_two_parts() -> None:
    overlapping = dataset([(0, 0)], [(0, 0)], [(0, 0)])
    assert overlapping.seen("all").data.tolist() == [1.0]


def test_seen_of_a_leaky_data_set_does_not_hide_the_test_set() -> None:
    leaky = replace(BASE, valid=BASE.test, leaky=True)
    assert leaky.seen("train_and_valid").toarray().tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]


def test_seen_refuses_an_unknown_mask() -> None:
    with pytest.raises(InputError, match="mask='test' is unknown; choose train, train_and_valid or all"):
        BASE.seen("test")


@pytest.mark.parametrize("empty", ["train", "valid", "test"])
def test_an_empty_part_is_refused(empty: str) -> None:
    parts = {"train": [(0, 0)], "valid": [(0, 1)], "test": [(0, 2)], empty: []}
    with pytest.raises(InputError, match=f"small/given has no {empty} interactions left"):
        dataset(**parts)
