"""Scores by hand."""

import pytest
import torch

from graftrec.nn.scorers import Cosine, Dot

USERS = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
ITEMS = torch.tensor([[1.0, 1.0], [0.0, -5.0], [8.0, 6.0]])


def test_dot_by_hand() -> None:
    users, items = Dot().factors(USERS, ITEMS)
    assert (users @ items.T).tolist() == [[7, -20, 48], [2, -10, 12]]


def test_cosine_by_hand() -> None:
    users, items = Cosine().factors(USERS, ITEMS)
    expected = [[7 / (5 * 2**0.5), -0.8, 0.96], [1 / 2**0.5, -1, 0.6]]
    torch.testing.assert_close(users @ items.T, torch.tensor(expected))


def test_cosine_of_a_zero_vector_is_zero() -> None:
    users, items = Cosine().factors(torch.zeros(1, 2), ITEMS)
    assert (users @ items.T).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_cosine_does_not_depend_on_length(factor: float) -> None:
    torch.testing.assert_close(Cosine().factors(factor * USERS, ITEMS)[0], Cosine().factors(USERS, ITEMS)[0])


def test_cosine_times_a_power_of_the_items_norm_by_hand() -> None:
    users, items = Cosine(item_norm=0.5).factors(USERS[:1], ITEMS[1:])
    torch.testing.assert_close(users @ items.T, torch.tensor([[-0.8 * 5**0.5, 0.96 * 10**0.5]]))


def test_cosine_times_the_items_norm_ranks_as_dot() -> None:
    users, items = Cosine(item_norm=1.0).factors(USERS, ITEMS)
    torch.testing.assert_close(users @ items.T, USERS @ ITEMS.T / USERS.norm(dim=1, keepdim=True))
