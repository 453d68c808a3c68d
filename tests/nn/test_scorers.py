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
