"""Rows of the embeddings that a batch names."""

import torch

from tests.objectives.steps import step_of

USERS, ITEMS = torch.tensor([[1.0], [2.0]]), torch.tensor([[10.0], [20.0], [30.0]])
STEP = step_of(USERS, ITEMS, batch=[(1, 0), (0, 2), (1, 2)], negatives=[[1, 2], [0, 0], [1, 0]])


def test_users_of_the_batch() -> None:
    assert STEP.users.tolist() == [[2], [1], [2]]


def test_positives_of_the_batch() -> None:
    assert STEP.items.tolist() == [[10], [30], [30]]


def test_negatives_of_the_batch() -> None:
    assert STEP.negatives.tolist() == [[[20], [30]], [[10], [10]], [[20], [10]]]


def test_no_negatives_give_no_rows() -> None:
    assert step_of(USERS, ITEMS, batch=[(0, 0), (1, 1)]).negatives.shape == (2, 0, 1)
