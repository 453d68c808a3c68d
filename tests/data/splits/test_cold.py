import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.interactions import Interactions
from graftrec.data.splits.base import Parts
from graftrec.data.splits.cold import ColdSplit
from graftrec.errors import InputError
from tests.data.build import PAIRS, interactions, pairs_of

NODES = pytest.mark.parametrize("nodes", ["item", "user"])


def nodes_of(part: Interactions, nodes: str) -> set[int]:
    return set(getattr(part, nodes).tolist())


def split(pairs: list[tuple[int, int]], nodes: str, seed: int = 0) -> Parts:
    return ColdSplit(nodes, valid=0.2, test=0.3)(interactions(pairs), seed, "clean")


@NODES
@given(pairs=PAIRS, seed=st.integers(0, 3))
def test_a_held_out_node_is_in_one_part_alone(nodes: str, pairs: list[tuple[int, int]], seed: int) -> None:
    parts = split(pairs, nodes, seed)
    train, valid, test = (nodes_of(part, nodes) for part in (parts.train, parts.valid, parts.test))
    assert (train & valid, train & test, valid & test) == (set(), set(), set())


@NODES
@given(pairs=PAIRS)
def test_every_pair_is_in_one_part_or_counted_as_dropped(nodes: str, pairs: list[tuple[int, int]]) -> None:
    parts = split(pairs, nodes)
    kept = pairs_of(parts.train) + pairs_of(parts.valid) + pairs_of(parts.test)
    assert (len(set(kept)), len(kept) + sum(parts.dropped.values())) == (len(kept), len(pairs))


@NODES
@given(pairs=PAIRS)
def test_the_other_end_of_a_held_out_pair_is_in_training(nodes: str, pairs: list[tuple[int, int]]) -> None:
    parts, other = split(pairs, nodes), "user" if nodes == "item" else "item"
    assert nodes_of(parts.valid, other) | nodes_of(parts.test, other) <= nodes_of(parts.train, other)


@pytest.mark.parametrize(("nodes", "sizes"), [("item", (5, 2, 3)), ("user", (4, 2, 2))])
def test_shares_are_shares_of_the_nodes(nodes: str, sizes: tuple[int, int, int]) -> None:
    everybody = [(user, item) for user in range(8) for item in range(10)]  # 8 users: 1.6 and 2.4 of them, rounded
    parts = split(everybody, nodes)
    assert tuple(len(nodes_of(part, nodes)) for part in (parts.train, parts.valid, parts.test)) == sizes


def test_a_user_with_held_out_items_alone_is_dropped_and_counted() -> None:
    parts = ColdSplit("item", valid=0.25, test=0.25)(interactions([(0, 0), (0, 1), (0, 2), (0, 3)], 2, 4), 0, "clean")
    cold = pairs_of(parts.test)[0][1]
    lonely = interactions(sorted([(0, 0), (0, 1), (0, 2), (0, 3), (1, cold)]), 2, 4)
    again = ColdSplit("item", valid=0.25, test=0.25)(lonely, 0, "clean")
    assert pairs_of(again.test) == [(0, cold)]
    assert again.dropped == {"held out of users without training": 1}


def test_the_seed_decides_which_nodes_are_held_out() -> None:
    pairs = [(user, item) for user in range(8) for item in range(10)]
    held_out = [frozenset(nodes_of(split(pairs, "item", seed).test, "item")) for seed in (0, 0, 1, 2)]
    assert held_out[0] == held_out[1]
    assert len(set(held_out)) == 3


@pytest.mark.parametrize(
    ("made", "id"),
    [(ColdSplit("item"), "cold_item"), (ColdSplit("user", 0.2, 0.3), "cold_user_0.2_0.3")],
)
def test_the_id_names_nodes_and_shares(made: ColdSplit, id: str) -> None:
    assert made.id == id


@pytest.mark.parametrize(("valid", "test"), [(0.0, 0.2), (0.1, 0.0), (0.5, 0.5)])
def test_shares_that_leave_a_part_empty_are_refused(valid: float, test: float) -> None:
    with pytest.raises(InputError, match=r"split.valid=.* must be > 0 and sum to less than 1"):
        ColdSplit("item", valid, test)


def test_unknown_nodes_are_refused() -> None:
    with pytest.raises(InputError, match=r"split.nodes='items' is unknown; choose one of item, user"):
        ColdSplit("items")


def test_numbers_keep_their_order() -> None:
    part = split([(user, item) for user in range(8) for item in range(10)], "item").train
    assert (np.diff(part.keys) > 0).all()
