import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.interactions import Interactions
from graftrec.data.splits.leave_last_out import LeaveLastOut
from graftrec.errors import InputError
from tests.data.build import PAIRS, interactions, pairs_of

FOUR_ITEMS = [(0, 0), (0, 1), (0, 2), (0, 3)]


@st.composite
def ordered(draw: st.DrawFn) -> Interactions:
    pairs = draw(PAIRS)
    return interactions(pairs, order=draw(st.lists(st.integers(0, 5), min_size=len(pairs), max_size=len(pairs))))


def held_out(data: Interactions) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    parts = LeaveLastOut()(data, 0, "clean")
    return pairs_of(parts.valid), pairs_of(parts.test)


@given(data=ordered())
def test_the_last_two_of_every_longer_history_are_held_out(data: Interactions) -> None:
    valid, test = [], []
    for user in range(data.num_users):
        rows = zip(data.user.tolist(), data.order.tolist(), data.item.tolist(), strict=True)
        history = [item for _, item in sorted((order, item) for owner, order, item in rows if owner == user)]
        if len(history) >= 3:
            valid.append((user, history[-2]))
            test.append((user, history[-1]))
    assert held_out(data) == (valid, test)


@given(data=ordered())
def test_every_pair_is_in_exactly_one_part(data: Interactions) -> None:
    parts = LeaveLastOut()(data, 0, "clean")
    assert sorted(pairs_of(parts.train) + pairs_of(parts.valid) + pairs_of(parts.test)) == pairs_of(data)


def test_time_orders_where_no_order_is_known() -> None:
    assert held_out(interactions(FOUR_ITEMS, time=[5.0, 9.0, 1.0, 7.0])) == ([(0, 3)], [(0, 1)])


def test_order_goes_before_time() -> None:
    data = interactions(FOUR_ITEMS, time=[5.0, 9.0, 1.0, 7.0], order=[0.0, 1.0, 3.0, 2.0])
    assert held_out(data) == ([(0, 3)], [(0, 2)])


def test_ties_are_broken_by_item() -> None:
    assert held_out(interactions(FOUR_ITEMS, time=[2.0, 2.0, 2.0, 1.0])) == ([(0, 1)], [(0, 2)])


@pytest.mark.parametrize("degree", [1, 2])
def test_users_with_fewer_than_three_items_keep_them_in_training(degree: int) -> None:
    pairs = [(0, item) for item in range(degree)]
    parts = LeaveLastOut()(interactions(pairs, time=[float(item) for item in range(degree)]), 0, "clean")
    assert pairs_of(parts.train) == pairs


def test_data_without_order_and_time_is_refused() -> None:
    with pytest.raises(InputError, match=r"needs an order or times, .* set data.columns.order or data.columns.time"):
        LeaveLastOut()(interactions(FOUR_ITEMS), 0, "clean")
