"""Initial node vectors from ids and text."""

import numpy as np
import pytest
import torch
from torch import nn

from graftrec.errors import InputError
from graftrec.features.nodes import NodeFeatures
from graftrec.graph.node_space import NodeSpace
from graftrec.nn.inputs import IdInput, IdPlusTextInput, TextInput

SPACE = NodeSpace(num_users=30, num_items=20)
DIM, WIDTH = 16, 12
TEXT_INPUTS = pytest.mark.parametrize("kind", [TextInput, IdPlusTextInput])


def random_features(user_width: int = WIDTH) -> NodeFeatures:
    """Features whose mean is not 0 and whose deviation is not 1."""
    generator = np.random.default_rng(0)
    user = generator.normal(0.02, 0.05, (SPACE.num_users, user_width)).astype(np.float32)
    item = generator.normal(0.02, 0.05, (SPACE.num_items, WIDTH)).astype(np.float32)
    return NodeFeatures(user, item)


@pytest.mark.parametrize("std", [0.1, 2.0])
def test_ids_are_drawn_with_the_given_deviation(std: float) -> None:
    weight = IdInput(NodeSpace(600, 400), NodeFeatures(), dim=64, std=std)()
    assert weight.shape == (1000, 64)
    assert weight.std().item() == pytest.approx(std, rel=0.02)
    assert weight.mean().item() == pytest.approx(0, abs=std / 50)


def test_ids_are_trained() -> None:
    ids = IdInput(SPACE, NodeFeatures(), DIM)
    assert [name for name, _ in ids.named_parameters()] == ["weight"]


@TEXT_INPUTS
def test_text_without_item_features_is_refused(kind: type[nn.Module]) -> None:
    with pytest.raises(InputError, match="items have no features; choose features=minilm"):
        kind(SPACE, NodeFeatures(user=random_features().user), DIM)


@TEXT_INPUTS
def test_text_without_user_features_is_refused(kind: type[nn.Module]) -> None:
    with pytest.raises(InputError, match=r"users have no features.*features.users=items or text.*input=id"):
        kind(SPACE, NodeFeatures(item=random_features().item), DIM)


@TEXT_INPUTS
def test_text_of_two_widths_is_refused(kind: type[nn.Module]) -> None:
    with pytest.raises(InputError, match="User features are 5 wide, item features 12"):
        kind(SPACE, random_features(user_width=5), DIM)


def test_unknown_projector_is_refused() -> None:
    with pytest.raises(InputError, match=r"input.projector='tree' is unknown; choose one of linear, mlp"):
        TextInput(SPACE, random_features(), DIM, projector="tree")


@pytest.mark.parametrize("std", [0.3, 1.0])
def test_features_are_rescaled_to_the_given_deviation(std: float) -> None:
    assert TextInput(SPACE, random_features(), DIM, std=std).features.std().item() == pytest.approx(std, rel=1e-5)


def test_rescaling_multiplies_all_features_by_one_number() -> None:
    features = random_features()
    ratio = TextInput(SPACE, features, DIM).features.numpy() / np.concatenate([features.user, features.item])
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-5)


def test_features_of_deviation_zero_are_not_rescaled() -> None:
    features = random_features()
    stacked = TextInput(SPACE, features, DIM, std=0).features.numpy()
    np.testing.assert_array_equal(stacked, np.concatenate([features.user, features.item]))


def test_rescaling_leaves_the_given_features_alone() -> None:
    features, untouched = random_features(), random_features()
    TextInput(SPACE, features, DIM)
    np.testing.assert_array_equal(features.user, untouched.user)


def test_equal_features_everywhere_stay_finite() -> None:
    features = NodeFeatures(np.zeros((30, WIDTH), np.float32), np.zeros((20, WIDTH), np.float32))
    assert TextInput(SPACE, features, DIM)().isfinite().all()


def test_linear_projector_by_hand() -> None:
    text = TextInput(SPACE, random_features(), DIM, projector="linear")
    (layer,) = text.projector
    torch.testing.assert_close(text(), text.features @ layer.weight.T + layer.bias)


def test_mlp_projector_by_hand() -> None:
    text = TextInput(SPACE, random_features(), DIM, projector="mlp", hidden=5)
    first, _, second = text.projector
    hidden = text.features @ first.weight.T + first.bias
    hidden = torch.where(hidden > 0, hidden, 0.01 * hidden)
    torch.testing.assert_close(text(), hidden @ second.weight.T + second.bias)


@TEXT_INPUTS
def test_features_are_not_trained(kind: type[nn.Module]) -> None:
    module = kind(SPACE, random_features(), DIM)
    assert not [name for name, _ in module.named_parameters() if "features" in name]
    assert not [name for name, value in module.named_buffers() if value.requires_grad]


@TEXT_INPUTS
def test_features_are_not_saved_with_the_weights(kind: type[nn.Module]) -> None:
    module = kind(SPACE, random_features(), DIM)
    assert set(module.state_dict()) == {name for name, _ in module.named_parameters()}


@TEXT_INPUTS
def test_projector_is_trained(kind: type[nn.Module]) -> None:
    module = kind(SPACE, random_features(), DIM)
    module().pow(2).sum().backward()
    weights = [value for name, value in module.named_parameters() if "projector" in name]
    assert weights
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in weights)


def test_id_plus_text_is_the_sum() -> None:
    both = IdPlusTextInput(SPACE, random_features(), DIM)
    torch.testing.assert_close(both(), both.ids.weight + both.text.projector(both.text.features))


def test_id_plus_text_has_a_deviation_for_each() -> None:
    both = IdPlusTextInput(SPACE, random_features(), dim=64, std=0.3, id_std=0.01)
    assert both.ids.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert both.text.features.std().item() == pytest.approx(0.3, rel=1e-5)


@pytest.mark.parametrize("kind", [IdInput, TextInput, IdPlusTextInput])
def test_reset_draws_as_the_constructor_does(kind: type[nn.Module]) -> None:
    torch.manual_seed(0)
    fresh = kind(SPACE, random_features(), DIM)
    again = kind(SPACE, random_features(), DIM)
    torch.manual_seed(0)
    again.reset_parameters()
    assert torch.equal(again(), fresh())


def partly_absent() -> NodeFeatures:
    """Every third user and item has no features."""
    features = random_features()
    users, items = np.arange(SPACE.num_users) % 3 > 0, np.arange(SPACE.num_items) % 3 > 0
    assert features.user is not None
    assert features.item is not None
    return NodeFeatures(features.user * users[:, None], features.item * items[:, None], users, items)


@pytest.mark.parametrize("projector", ["linear", "mlp"])
def test_absent_text_adds_exactly_nothing_to_the_ids(projector: str) -> None:
    features = partly_absent()
    both = IdPlusTextInput(SPACE, features, DIM, projector)
    nn.init.ones_(both.text.projector[-1].bias)
    present = torch.from_numpy(np.concatenate([features.user_present, features.item_present]))
    changed = (both() != both.ids.weight).any(1)
    assert torch.equal(changed, present)


def test_features_are_rescaled_over_the_nodes_that_have_them() -> None:
    text = IdPlusTextInput(SPACE, partly_absent(), DIM, std=0.3).text
    assert text.features[text.present[:, 0]].std().item() == pytest.approx(0.3, rel=1e-5)


def test_text_alone_refuses_absent_text() -> None:
    message = (
        r"input=text has nothing for 17 of 50 users and items, .*; choose input=id_plus_text or features.missing=zero"
    )
    with pytest.raises(InputError, match=message):
        TextInput(SPACE, partly_absent(), DIM)
