"""The gate between id and text."""

import math

import pytest
import torch

from graftrec.features.nodes import NodeFeatures
from graftrec.graph.node_space import NodeSpace
from graftrec.nn.inputs import GatedInput
from graftrec.nn.inputs.base import Nodes
from tests.nn.inputs.nodes import DIM, nodes, partly_absent, random_features


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def small(degree: list[int]) -> GatedInput:
    """Three users, three items."""
    item = torch.eye(3).numpy()
    return GatedInput(Nodes(NodeSpace(3, 3), torch.tensor(degree), NodeFeatures(item[::-1].copy(), item)), dim=4)


def test_gate_by_hand() -> None:
    gated = small([1, 3, 7, 0, 10, 10])
    with torch.no_grad():
        gated.slope.copy_(torch.tensor([2.0, 0.5]))
        gated.bias.copy_(torch.tensor([-1.0, 0.25]))
    users = [sigmoid(2 * math.log(1 + degree) - 1) for degree in (1, 3, 7)]
    items = [0.0, *[sigmoid(0.5 * math.log(11) + 0.25)] * 2]
    torch.testing.assert_close(gated.gate().flatten(), torch.tensor([*users, *items]))
    g = gated.gate()
    torch.testing.assert_close(gated(), g * gated.ids() + (1 - g) * gated.text())


def test_gate_starts_half_open_at_the_median_degree_of_each_kind() -> None:
    gate = small([1, 3, 7, 0, 5, 5]).gate().flatten()
    assert gate[1].item() == pytest.approx(0.5)
    assert gate[4].item() == pytest.approx(0.5)
    assert gate[0] < gate[1] < gate[2]  # those known worse lean on text


def test_a_cold_node_is_its_text_alone() -> None:
    gated = small([1, 3, 7, 0, 5, 5])
    assert torch.equal(gated()[3], gated.text()[3])


def test_a_node_without_text_is_its_id_alone() -> None:
    gated = GatedInput(nodes(partly_absent(), cold=[0]), DIM)
    torch.testing.assert_close(gated()[[0, 3, 33]], gated.ids.weight[[0, 3, 33]], rtol=0, atol=0)


def test_the_gate_is_trained() -> None:
    gated = GatedInput(nodes(random_features()), DIM)
    gated().pow(2).sum().backward()
    assert gated.slope.grad.all()
    assert gated.bias.grad.all()
