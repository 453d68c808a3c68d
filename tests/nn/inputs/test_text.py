"""Initial node vectors from ids and text."""

import numpy as np
import pytest
import torch
from torch import nn

from graftrec.errors import InputError
from graftrec.features.nodes import NodeFeatures
from graftrec.nn.inputs import ConcatenatedInput, GatedInput, IdPlusTextInput, TextInput
from tests.nn.inputs.nodes import DIM, WIDTH, nodes, partly_absent, random_features

TEXT_INPUTS = pytest.mark.parametrize("kind", [TextInput, IdPlusTextInput, ConcatenatedInput, GatedInput])


@TEXT_INPUTS
def test_text_without_item_features_is_refused(kind: type[nn.Module]) -> None:
    with pytest.raises(InputError, match="items have no features; choose features=minilm"):
        kind(nodes(NodeFeatures(user=random_features().user)), DIM)


@TEXT_INPUTS
def test_text_of_two_widths_is_refused(kind: type[nn.Module]) -> None:
    with pytest.raises(InputError, match="User features are 5 wide, item features 12"):
        kind(nodes(random_features(user_width=5)), DIM)


def test_unknown_projector_is_refused() -> None:
    with pytest.raises(InputError, match=r"input.projector='tree' is unknown; choose one of linear, mlp"):
        TextInput(nodes(random_features()), DIM, projector="tree")


@pytest.mark.parametrize("std", [0.3, 1.0])
def test_features_are_rescaled_to_the_given_deviation(std: float) -> None:
    assert TextInput(nodes(random_features()), DIM, std=std).features.std().item() == pytest.approx(std, rel=1e-5)


def test_rescaling_multiplies_all_features_by_one_number() -> None:
    features = random_features()
    ratio = TextInput(nodes(features), DIM).features.numpy() / np.concatenate([features.user, features.item])
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-5)


def test_features_of_deviation_zero_are_not_rescaled() -> None:
    features = random_features()
    stacked = TextInput(nodes(features), DIM, std=0).features.numpy()
    np.testing.assert_array_equal(stacked, np.concatenate([features.user, features.item]))


def test_rescaling_leaves_the_given_features_alone() -> None:
    features, untouched = random_features(), random_features()
    TextInput(nodes(features), DIM)
    np.testing.assert_array_equal(features.user, untouched.user)


def test_equal_features_everywhere_stay_finite() -> None:
    features = NodeFeatures(np.zeros((30, WIDTH), np.float32), np.zeros((20, WIDTH), np.float32))
    assert TextInput(nodes(features), DIM)().isfinite().all()


def test_linear_projector_by_hand() -> None:
    text = TextInput(nodes(random_features()), DIM, projector="linear")
    (layer,) = text.projector
    torch.testing.assert_close(text(), text.features @ layer.weight.T + layer.bias)


def test_mlp_projector_by_hand() -> None:
    text = TextInput(nodes(random_features()), DIM, projector="mlp", hidden=5)
    first, _, second = text.projector
    hidden = text.features @ first.weight.T + first.bias
    hidden = torch.where(hidden > 0, hidden, 0.01 * hidden)
    torch.testing.assert_close(text(), hidden @ second.weight.T + second.bias)


@TEXT_INPUTS
def test_features_are_not_trained(kind: type[nn.Module]) -> None:
    module = kind(nodes(random_features()), DIM)
    assert not [name for name, _ in module.named_parameters() if "features" in name]
    assert not [name for name, value in module.named_buffers() if value.requires_grad]


@TEXT_INPUTS
def test_features_are_not_saved_with_the_weights(kind: type[nn.Module]) -> None:
    module = kind(nodes(random_features()), DIM)
    assert set(module.state_dict()) == {name for name, _ in module.named_parameters()}


@TEXT_INPUTS
def test_projector_is_trained(kind: type[nn.Module]) -> None:
    module = kind(nodes(random_features()), DIM)
    module().pow(2).sum().backward()
    weights = [value for name, value in module.named_parameters() if "projector" in name]
    assert weights
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in weights)


def test_id_plus_text_is_the_sum() -> None:
    both = IdPlusTextInput(nodes(random_features()), DIM)
    torch.testing.assert_close(both(), both.ids.weight + both.text.projector(both.text.features))


def test_id_plus_text_has_a_deviation_for_each() -> None:
    both = IdPlusTextInput(nodes(random_features()), dim=64, std=0.3, id_std=0.01)
    assert both.ids.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert both.text.features.std().item() == pytest.approx(0.3, rel=1e-5)


@pytest.mark.parametrize("projector", ["linear", "mlp"])
def test_absent_text_adds_exactly_nothing_to_the_ids(projector: str) -> None:
    features = partly_absent()
    both = IdPlusTextInput(nodes(features), DIM, projector)
    nn.init.ones_(both.text.projector[-1].bias)
    present = torch.from_numpy(np.concatenate([features.user_present, features.item_present]))
    changed = (both() != both.ids.weight).any(1)
    assert torch.equal(changed, present)


def test_features_are_rescaled_over_the_nodes_that_have_them() -> None:
    text = IdPlusTextInput(nodes(partly_absent()), DIM, std=0.3).text
    assert text.features[text.present[:, 0]].std().item() == pytest.approx(0.3, rel=1e-5)


def test_text_alone_refuses_absent_text() -> None:
    message = (
        r"input=text has nothing for 17 of 50 users and items, .*; choose input=id_plus_text or features.missing=zero"
    )
    with pytest.raises(InputError, match=message):
        TextInput(nodes(partly_absent()), DIM)
