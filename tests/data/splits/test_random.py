import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.interactions import Interactions
from graftrec.data.splits.base import Parts
from graftrec.data.splits.random import RandomSplit
from graftrec.errors import InputError
from tests.data.build import PAIRS, interactions, pairs_of

Pairs = list[tuple[int, int]]


def one_user(degree: int) -> Interactions:
    return interactions([(0, item) for item in range(degree)], num_users=1, num_items=degree)


def sizes(parts: Parts) -> tuple[int, int, int]:
    return len(parts.train), len(parts.valid), len(parts.test)


@pytest.mark.parametrize(
    ("degree", "expected"),
    [
        (1, (1, 0, 0)),
        (2, (2, 0, 0)),
        (3, (2, 0, 1)),
        (4, (3, 0, 1)),
        (5, (3, 1, 1)),
        (8, (5, 1, 2)),
        (10, (7, 1, 2)),
        (15, (10, 2, 3)),
        (100, (70, 10, 20)),
    ],
)
def test_a_user_gives_exact_shares(degree: int, expected: tuple[int, int, int]) -> None:
    assert sizes(RandomSplit()(one_user(degree), 0, "clean")) == expected


@pytest.mark.parametrize(
    ("split", "degree", "expected"),
    [
        (RandomSplit(0.25, 0.25), 10, (4, 3, 3)),
        (RandomSplit(0.1, 0.1), 10, (8, 1, 1)),
        (RandomSplit(0.1, 0.35), 90, (49, 9, 32)),
    ],
)
def test_other_shares_give_exact_counts(split: RandomSplit, degree: int, expected: tuple[int, int, int]) -> None:
    assert sizes(split(one_user(degree), 0, "clean")) == expected


@pytest.mark.parametrize(
    ("degree", "expected"),
    [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 1, 1)), (9, (7, 1, 1)), (19, (17, 1, 1)), (20, (16, 2, 2))],
)
def test_shares_rounded_down_but_to_one(degree: int, expected: tuple[int, int, int]) -> None:
    assert sizes(RandomSplit(0.1, 0.1, "down")(one_user(degree), 0, "clean")) == expected


def test_rounding_is_part_of_the_id_and_checked() -> None:
    assert [RandomSplit(rounding="down").id, RandomSplit(0.1, 0.1, "down").id] == ["random_down", "random80_10_10_down"]
    with pytest.raises(InputError, match=r"split.rounding='up' is unknown; choose one of half_up, down"):
        RandomSplit(rounding="up")


@pytest.mark.parametrize(("degree", "expected"), [(1, (1, 0, 0)), (2, (1, 0, 1)), (3, (1, 0, 2))])
def test_every_user_keeps_a_training_item_before_any_is_held_out(degree: int, expected: tuple[int, int, int]) -> None:
    assert sizes(RandomSplit(valid=0.25, test=0.7)(one_user(degree), 0, "clean")) == expected


def test_shares_hold_for_every_user_of_many() -> None:
    data = interactions([(user, item) for user in range(8) for item in range(user + 1)])
    test = RandomSplit()(data, 0, "clean").test
    assert test.user_degree.tolist() == [0, 0, 1, 1, 1, 1, 1, 2]


@given(pairs=PAIRS, seed=st.integers(0, 9), shares=st.sampled_from([(0.1, 0.2), (0.3, 0.3), (0.05, 0.9)]))
def test_every_pair_is_in_exactly_one_part(pairs: Pairs, seed: int, shares: tuple[float, float]) -> None:
    parts = RandomSplit(*shares)(interactions(pairs), seed, "clean")
    assert sorted(pairs_of(parts.train) + pairs_of(parts.valid) + pairs_of(parts.test)) == pairs


@given(pairs=PAIRS, seed=st.integers(0, 9))
def test_no_user_is_without_training(pairs: Pairs, seed: int) -> None:
    parts = RandomSplit(0.05, 0.9)(interactions(pairs), seed, "clean")
    assert set(parts.train.user.tolist()) == {user for user, _ in pairs}


def test_the_same_seed_gives_the_same_split() -> None:
    first, second = (RandomSplit()(one_user(50), 0, "clean").test.item.tolist() for _ in range(2))
    assert first == second


def test_another_seed_gives_another_split() -> None:
    first, second = (RandomSplit()(one_user(50), seed, "clean").test.item.tolist() for seed in (0, 1))
    assert first != second


def test_the_split_of_seed_zero_stays_what_it_is() -> None:
    order = np.argsort(np.random.default_rng(0).random(10))
    assert RandomSplit()(one_user(10), 0, "clean").test.item.tolist() == sorted(order[:2].tolist())


def test_every_pair_can_be_held_out() -> None:
    tested = {item for seed in range(60) for item in RandomSplit()(one_user(10), seed, "clean").test.item.tolist()}
    assert tested == set(range(10))


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        (RandomSplit(), "random"),
        (RandomSplit(0.1, 0.1), "random80_10_10"),
        (RandomSplit(0.125, 0.25), "random62.5_12.5_25"),
        (RandomSplit(0.2, 0.1), "random70_20_10"),
    ],
)
def test_id_names_other_shares_than_the_default(split: RandomSplit, expected: str) -> None:
    assert split.id == expected


@pytest.mark.parametrize(("valid", "test"), [(0.0, 0.2), (0.1, 0.0), (0.5, 0.5), (-0.1, 0.2)])
def test_impossible_shares_are_refused(valid: float, test: float) -> None:
    with pytest.raises(InputError, match=f"split.valid={valid} and split.test={test} must be > 0 and sum to less than"):
        RandomSplit(valid, test)
