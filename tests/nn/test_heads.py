"""Logits by hand."""

import pytest
import torch

from graftrec.nn.heads import BilinearHead, DotHead, Head, MLPHead

USERS = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
ITEMS = torch.tensor([[4.0, 5.0], [-2.0, 6.0]])
INNER_PRODUCTS = [14.0, -12.0]


@pytest.mark.parametrize("head", [DotHead(), BilinearHead(dim=2)])
def test_starts_as_the_inner_product(head: Head) -> None:
    assert head(USERS, ITEMS).tolist() == INNER_PRODUCTS


def test_dot_by_hand() -> None:
    head = DotHead()
    head.load_state_dict({"scale": torch.tensor(0.5), "bias": torch.tensor(-1.0)})
    assert head(USERS, ITEMS).tolist() == [6.0, -7.0]


def test_bilinear_by_hand() -> None:
    head = BilinearHead(dim=2)
    head.load_state_dict({"weight": torch.tensor([[1.0, 2.0], [0.0, -1.0]]), "bias": torch.tensor(0.5)})
    # u^T W = [1, 0] and [3, 7]
    assert head(USERS, ITEMS).tolist() == [4.5, 36.5]


def test_mlp_by_hand() -> None:
    head = MLPHead(dim=2, hidden=2)
    first = [[1.0, 0.0, 0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]]  # u_0 + i_1, and u . i
    weights = [torch.tensor(first), torch.tensor([0.0, 2.0]), torch.tensor([[10.0, 1.0]]), torch.tensor([-3.0])]
    head.load_state_dict(dict(zip(head.state_dict(), weights, strict=True)))
    # ReLU [6, 16] and [9, -10]
    assert head(USERS, ITEMS).tolist() == [73.0, 87.0]


@pytest.mark.parametrize("head", [DotHead(), BilinearHead(dim=2), MLPHead(dim=2)])
def test_every_parameter_learns(head: Head) -> None:
    head(USERS, ITEMS).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in head.parameters())
