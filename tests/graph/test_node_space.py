"""Users first, items behind them."""

import torch

from graftrec.graph.node_space import NodeSpace

SPACE = NodeSpace(num_users=3, num_items=2)


def test_num_nodes_counts_both_types() -> None:
    assert SPACE.num_nodes == 5


def test_split_takes_users_first() -> None:
    users, items = SPACE.split(torch.arange(10).view(5, 2))
    assert users.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert items.tolist() == [[6, 7], [8, 9]]


def test_split_copies_nothing() -> None:
    x = torch.zeros(5, 2)
    SPACE.split(x)[1].fill_(1)
    assert x.sum() == 4


def test_item_nodes_start_behind_the_users() -> None:
    assert SPACE.item_nodes(torch.tensor([1, 0])).tolist() == [4, 3]


def test_item_nodes_are_the_rows_that_split_gives_items() -> None:
    nodes = torch.arange(SPACE.num_nodes)
    assert SPACE.split(nodes)[1].tolist() == SPACE.item_nodes(torch.arange(2)).tolist()
