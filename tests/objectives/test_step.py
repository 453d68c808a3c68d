"""Rows of the embeddings that a batch names."""

import torch

from tests.objectives.steps import step_of

USERS, ITEMS = torch.tensor([[1.0], [2.0]]), torch.tensor([[10.0], [20.0], [30.0]])
STEP = step_of(USERS, ITEMS, batch=[(1, 0), (0, 2), (1, 2)], negatives=[[1, 2], [0, 0], [1, 0]])


def test_users_of_the_batch() -> None:
    assert STEP.rows.users.tolist() == [[2], [1], [2]]


def test_positives_of_the_batch() -> None:
    assert STEP.rows.items.tolist() == [[10], [30], [30]]


def test_negatives_of_the_batch() -> None:
    assert STEP.rows.negatives.tolist() == [[[20], [30]], [[10], [10]], [[20], [10]]]


def test_no_negatives_give_no_rows() -> None:
    assert step_of(USERS, ITEMS, batch=[(0, 0), (1, 1)]).rows.negatives.shape == (2, 0, 1)


def test_shared_negatives_of_the_batch() -> None:
    assert step_of(USERS, ITEMS, batch=[(0, 0)], shared=[2, 0, 2]).rows.shared.tolist() == [[30], [10], [30]]


def test_input_rows_come_from_x0() -> None:
    step = step_of(USERS, ITEMS, batch=[(1, 2)], x0=torch.tensor([[5.0], [6.0], [7.0], [8.0], [9.0]]))
    assert (step.input_rows.users.item(), step.input_rows.items.item()) == (6, 9)
