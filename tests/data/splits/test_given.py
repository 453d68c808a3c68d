import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.interactions import Interactions
from graftrec.data.splits.given import GivenSplit
from graftrec.errors import InputError
from tests.data.build import PAIRS, interactions, pairs_of

Pairs = list[tuple[int, int]]
FILES = interactions([(0, 0), (0, 1), (0, 2), (1, 0)], part=[0, 1, 2, 0])
NO_VALID = interactions(
    [(user, item) for user in range(8) for item in range(user + 2)],
    part=[2 if item == 0 else 0 for user in range(8) for item in range(user + 2)],
)


@st.composite
def without_valid(draw: st.DrawFn) -> Interactions:
    pairs = draw(PAIRS)
    return interactions(
        pairs, part=draw(st.lists(st.sampled_from([0, 0, 0, 2]), min_size=len(pairs), max_size=len(pairs)))
    )


def pairs_in(data: Interactions, part: int) -> Pairs:
    return [pair for pair, code in zip(pairs_of(data), data.part.tolist(), strict=True) if code == part]


@pytest.mark.parametrize("protocol", ["clean", "paper"])
def test_a_given_validation_file_is_taken_as_it_is(protocol: str) -> None:
    parts = GivenSplit()(FILES, 0, protocol)
    expected = [[(0, 0), (1, 0)], [(0, 1)], [(0, 2)]]
    assert [pairs_of(part) for part in (parts.train, parts.valid, parts.test)] == expected


@pytest.mark.parametrize("protocol", ["clean", "paper"])
def test_a_given_validation_file_is_not_leaky_and_not_in_the_id(protocol: str) -> None:
    parts = GivenSplit()(FILES, 0, protocol)
    assert (parts.leaky, parts.id_suffix) == (False, "")


@given(data=without_valid(), seed=st.integers(0, 9), share=st.sampled_from([0.1, 0.5, 0.9]))
def test_clean_carves_validation_out_of_training_alone(data: Interactions, seed: int, share: float) -> None:
    parts = GivenSplit(valid=share)(data, seed, "clean")
    assert sorted(pairs_of(parts.train) + pairs_of(parts.valid)) == pairs_in(data, 0)


@given(data=without_valid(), share=st.sampled_from([0.1, 0.5, 0.9]))
def test_clean_leaves_the_test_file_as_it_is(data: Interactions, share: float) -> None:
    assert pairs_of(GivenSplit(valid=share)(data, 0, "clean").test) == pairs_in(data, 2)


@given(data=without_valid(), share=st.sampled_from([0.1, 0.5, 0.9]))
def test_clean_leaves_every_user_a_training_item(data: Interactions, share: float) -> None:
    parts = GivenSplit(valid=share)(data, 0, "clean")
    assert set(parts.train.user.tolist()) == {user for user, _ in pairs_in(data, 0)}


def test_clean_carves_the_exact_share_of_each_user() -> None:
    valid = GivenSplit(valid=0.25)(NO_VALID, 0, "clean").valid  # training items of the users: 1, 2, ... 8
    assert valid.user_degree.tolist() == [0, 1, 1, 1, 1, 2, 2, 2]


def test_clean_is_not_leaky_and_gains_a_suffix() -> None:
    parts = GivenSplit()(NO_VALID, 0, "clean")
    assert (parts.leaky, parts.id_suffix) == (False, "-valid10")


def test_clean_depends_on_the_seed() -> None:
    first, second = (pairs_of(GivenSplit(valid=0.5)(NO_VALID, seed, "clean").valid) for seed in (0, 1))
    assert first != second


def test_by_order_carves_the_last_items_of_each_user() -> None:
    data = interactions(
        [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)], part=[0, 0, 0, 2, 0, 0], order=[2, 0, 1, 3, 0, 1]
    )
    parts = GivenSplit(valid=0.6, by="order")(data, 0, "clean")
    assert (pairs_of(parts.valid), parts.id_suffix) == ([(0, 0), (0, 2), (1, 1)], "-last60")


def test_by_order_without_an_order_is_refused() -> None:
    with pytest.raises(InputError, match=r"split.by=order needs .* set data.ordered=true"):
        GivenSplit(by="order")(NO_VALID, 0, "clean")


def test_clean_is_the_same_for_the_same_seed() -> None:
    first, second = (pairs_of(GivenSplit(valid=0.5)(NO_VALID, 0, "clean").valid) for _ in range(2))
    assert first == second


def test_paper_trains_on_all_of_training() -> None:
    assert pairs_of(GivenSplit()(NO_VALID, 0, "paper").train) == pairs_in(NO_VALID, 0)


def test_paper_validates_on_the_test_set() -> None:
    parts = GivenSplit()(NO_VALID, 0, "paper")
    assert pairs_of(parts.valid) == pairs_in(NO_VALID, 2)


def test_paper_is_leaky_and_gains_no_suffix() -> None:
    parts = GivenSplit()(NO_VALID, 0, "paper")
    assert (parts.leaky, parts.id_suffix) == (True, "")


def test_data_without_given_parts_is_refused() -> None:
    with pytest.raises(InputError, match="split=given needs a data set with train and test files"):
        GivenSplit()(interactions([(0, 0)]), 0, "clean")


def test_by_order_beside_a_given_validation_file_is_refused() -> None:
    with pytest.raises(InputError, match=r"split.by=order carves .* the data brings its own"):
        GivenSplit(by="order")(FILES, 0, "clean")
