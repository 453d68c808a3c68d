"""Ids and text side by side."""

import numpy as np
import pytest
import torch

from graftrec.errors import InputError
from graftrec.nn.inputs import ConcatenatedInput
from tests.nn.inputs.nodes import DIM, nodes, partly_absent, random_features


@pytest.mark.parametrize(("id_dim", "expected"), [(None, 8), (5, 5)])
def test_each_has_its_numbers(id_dim: int | None, expected: int) -> None:
    both = ConcatenatedInput(nodes(random_features()), DIM, id_dim)
    ids, text = both().split([expected, DIM - expected], dim=1)
    assert torch.equal(ids, both.ids.weight)
    assert torch.equal(text, both.text.projector(both.text.features))


def test_nodes_without_text_have_free_numbers_in_its_place() -> None:
    features = partly_absent()
    both = ConcatenatedInput(nodes(features), DIM, 6)
    absent = ~np.concatenate([features.user_present, features.item_present])
    assert torch.equal(both()[absent, 6:], both.text.ids.weight)


def test_cold_nodes_have_text_alone() -> None:
    both = ConcatenatedInput(nodes(random_features(), cold=[4]), DIM, 6)
    assert not both()[4, :6].any()
    assert both()[4, 6:].any()


@pytest.mark.parametrize("id_dim", [0, DIM, -1])
def test_both_need_a_part(id_dim: int) -> None:
    with pytest.raises(InputError, match=rf"input.id_dim={id_dim} must lie between 0 and dim=16"):
        ConcatenatedInput(nodes(random_features()), DIM, id_dim)
