"""Norm, activation, dropout and residual around a convolution."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from graftrec.errors import InputError
from graftrec.graph.graph import Graph
from graftrec.nn.encoders.block import ConvolutionEncoder
from tests.graph.small_graphs import empty_graph

X0 = torch.tensor([[1.0, -2.0], [0.0, 3.0], [-4.0, 1.0]])
SETTINGS: dict[str, Any] = {"mix": "last", "dropout": 0.0, "norm": "none", "activation": "none", "residual": False}


class Negating(ConvolutionEncoder):
    """A convolution that changes the sign."""

    def convolve(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        return -x


def layers_of(x0: Tensor = X0, num_layers: int = 2, **changes: Any) -> list[Tensor]:
    """All layers of a negating encoder in training mode."""
    encoder = Negating(x0.shape[1], [nn.Identity() for _ in range(num_layers)], **{**SETTINGS, **changes})
    layers: list[Tensor] = encoder(x0, empty_graph())
    return layers


def test_bare_convolution() -> None:
    assert [layer.tolist() for layer in layers_of()] == [X0.tolist(), (-X0).tolist(), X0.tolist()]


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("relu", [[0.0, 2.0]]),
        ("leaky_relu", [[-0.01, 2.0]]),
        ("elu", [[-0.6321206, 2.0]]),
        ("none", [[-1.0, 2.0]]),
    ],
)
def test_activation_by_hand(activation: str, expected: list[list[float]]) -> None:
    torch.testing.assert_close(layers_of(X0[:1], activation=activation)[1], torch.tensor(expected))


def test_last_layer_has_no_activation() -> None:
    assert layers_of(num_layers=1, activation="relu")[1].tolist() == (-X0).tolist()


def test_residual_adds_the_layer_before() -> None:
    # relu(-x) + x is max(x, 0); the last layer is without relu, -x + x
    assert [layer.tolist() for layer in layers_of(residual=True, activation="relu")[1:]] == [
        X0.clamp(min=0).tolist(),
        torch.zeros(3, 2).tolist(),
    ]


def test_layer_norm_centres_each_node() -> None:
    torch.testing.assert_close(
        layers_of(norm="layer")[1].detach(), torch.tensor([[-1.0, 1], [1, -1], [1, -1]]), atol=1e-4, rtol=0
    )


def test_batch_norm_centres_each_dimension() -> None:
    out = layers_of(norm="batch")[1].detach()
    torch.testing.assert_close(out.mean(0), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.var(0, unbiased=False), torch.ones(2), atol=1e-4, rtol=0)


def test_dropout_zeroes_its_share_and_scales_the_rest() -> None:
    torch.manual_seed(0)
    out = layers_of(torch.ones(4000, 1), num_layers=1, dropout=0.25)[1]
    assert out.unique().tolist() == pytest.approx([-4 / 3, 0])
    assert (out == 0).float().mean().item() == pytest.approx(0.25, abs=0.03)


def test_dropout_rests_in_evaluation() -> None:
    encoder = Negating(2, [nn.Identity()], **{**SETTINGS, "dropout": 0.9}).eval()
    assert encoder(X0, empty_graph())[1].tolist() == (-X0).tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"norm": "group"}, "encoder.norm='group' is unknown; choose one of none, layer, batch"),
        ({"activation": "tanh"}, "encoder.activation='tanh' is unknown"),
        ({"dropout": 1.0}, r"encoder.dropout=1.0 must be >= 0 and < 1"),
        ({"dropout": -0.1}, r"encoder.dropout=-0.1 must be >= 0 and < 1"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        layers_of(**changes)
