"""Text as the start of the ids."""

import numpy as np
import pytest
import torch

from graftrec.errors import InputError
from graftrec.features.nodes import NodeFeatures
from graftrec.nn.inputs import InitialisedInput
from tests.nn.inputs.nodes import DIM, SPACE, nodes, partly_absent, random_features

FEATURES = random_features(width=DIM, user_width=DIM)


def test_vectors_start_as_the_text_with_the_given_deviation() -> None:
    x0 = InitialisedInput(nodes(FEATURES), DIM, std=0.25)()
    text = np.concatenate([FEATURES.user, FEATURES.item])
    np.testing.assert_allclose(x0.detach().numpy() / text, 0.25 / text.std(ddof=1), rtol=1e-4)


def test_the_table_is_trained_and_saved() -> None:
    input = InitialisedInput(nodes(FEATURES), DIM)
    assert set(input.state_dict()) == {"weight"}
    assert input() is input.weight


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, [False] * 4),
        ({"trained": False}, [True] * 4),
        ({"unfreeze_after": 2}, [True, True, False, False]),
    ],
)
def test_epochs_that_leave_the_table_alone(settings: dict[str, int], expected: list[bool]) -> None:
    input = InitialisedInput(nodes(FEATURES), DIM, **settings)
    assert [input.weight in set(input.frozen(epoch)) for epoch in range(4)] == expected


def test_nodes_without_text_are_never_frozen() -> None:
    features = NodeFeatures(item=FEATURES.item)
    input = InitialisedInput(nodes(features), DIM, trained=False)
    assert input.frozen(0) == (input.weight,)
    assert torch.equal(input()[: SPACE.num_users], input.ids.weight)


def test_cold_nodes_keep_the_vector_of_their_text() -> None:
    input = InitialisedInput(nodes(FEATURES, cold=[2, 45]), DIM)
    before = input().clone()
    with torch.no_grad():
        input.weight += 1
    changed = (input() != before).any(1)
    assert (~changed).nonzero().flatten().tolist() == [2, 45]
    input().sum().backward()
    assert not input.weight.grad[[2, 45]].any()


def test_other_widths_are_refused() -> None:
    message = r"input=init needs text vectors of dim=16 numbers, and they have 12; choose conditioning=select"
    with pytest.raises(InputError, match=message):
        InitialisedInput(nodes(partly_absent()), DIM)


def test_ids_without_text_cannot_be_initialised() -> None:
    with pytest.raises(InputError, match="items have no features; choose features=minilm, or input=id"):
        InitialisedInput(nodes(NodeFeatures()), DIM)


@pytest.mark.parametrize("epochs", [-1, 1.5, True])
def test_epochs_are_whole_numbers(epochs: object) -> None:
    with pytest.raises(InputError, match="must be a whole number of epochs, 0 or more"):
        InitialisedInput(nodes(FEATURES), DIM, unfreeze_after=epochs)


def test_never_and_later_contradict_each_other() -> None:
    with pytest.raises(InputError, match=r"input.trained=false never trains the vectors, .*unfreeze_after=3 does"):
        InitialisedInput(nodes(FEATURES), DIM, trained=False, unfreeze_after=3)
