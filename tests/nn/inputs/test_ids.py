"""Free vectors, alone and beside text."""

import pytest
import torch

from graftrec.features.nodes import NodeFeatures
from graftrec.graph.node_space import NodeSpace
from graftrec.nn.inputs import ConcatenatedInput, GatedInput, IdInput, IdPlusTextInput, InitialisedInput, TextInput
from graftrec.nn.inputs.base import Input
from graftrec.nn.inputs.ids import IdsBesideText
from tests.nn.inputs.nodes import DIM, SPACE, nodes, partly_absent, random_features

INPUTS = [IdInput, TextInput, IdPlusTextInput, ConcatenatedInput, GatedInput, InitialisedInput]


@pytest.mark.parametrize("std", [0.1, 2.0])
def test_ids_are_drawn_with_the_given_deviation(std: float) -> None:
    weight = IdInput(nodes(NodeFeatures(), space=NodeSpace(600, 400)), dim=64, std=std)()
    assert weight.shape == (1000, 64)
    assert weight.std().item() == pytest.approx(std, rel=0.02)
    assert weight.mean().item() == pytest.approx(0, abs=std / 50)


def test_ids_are_trained() -> None:
    ids = IdInput(nodes(NodeFeatures()), DIM)
    assert [name for name, _ in ids.named_parameters()] == ["weight"]


def test_cold_nodes_with_text_have_no_id_and_no_gradient() -> None:
    ids = IdsBesideText(nodes(partly_absent(), cold=[0, 1, 33, 34]), DIM, std=0.1)  # 0 and 33 have no text
    ids().sum().backward()
    zero = (ids() == 0).all(1).nonzero().flatten().tolist()
    assert zero == [1, 34]
    assert (ids.weight.grad == 0).all(1).nonzero().flatten().tolist() == [1, 34]


def test_warm_nodes_keep_the_table_itself() -> None:
    ids = IdsBesideText(nodes(random_features()), DIM, std=0.1)
    assert ids() is ids.weight


def test_ids_alone_are_kept_for_cold_nodes() -> None:
    ids = IdInput(nodes(random_features(), cold=[3]), DIM)
    assert ids()[3].any()


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("users", ["some", "none"])
def test_reset_draws_as_the_constructor_does(kind: type[Input], users: str) -> None:
    features = random_features(width=DIM, user_width=DIM)
    known = nodes(features if users == "some" else NodeFeatures(item=features.item), cold=[2, 40])
    torch.manual_seed(0)
    fresh, again = kind(known, DIM), kind(known, DIM)
    for parameter in again.parameters():
        parameter.data.fill_(7.0)
    torch.manual_seed(0)
    again.reset_parameters()
    assert torch.equal(again(), fresh())


@pytest.mark.parametrize("kind", [TextInput, ConcatenatedInput, InitialisedInput, IdPlusTextInput, GatedInput])
def test_users_without_features_live_on_trained_vectors(kind: type[Input]) -> None:
    input = kind(nodes(NodeFeatures(item=random_features(width=DIM).item)), DIM)
    users = input()[: SPACE.num_users]
    assert len({tuple(row) for row in users.tolist()}) == SPACE.num_users  # each its own
    before = users.clone()
    users.sum().backward()
    with torch.no_grad():
        for parameter in input.parameters():
            if parameter.grad is not None:
                parameter -= parameter.grad
    torch.testing.assert_close(input()[: SPACE.num_users], before - 1)
