"""Layers, their mix, and what is refused."""

import pytest
import torch
from torch import Tensor

from graftrec.errors import InputError
from graftrec.graph.graph import Graph
from graftrec.nn.encoders.base import MIXES, Encoder
from tests.graph.small_graphs import empty_graph

LAYERS = [torch.tensor([[1.0, -2.0]]), torch.tensor([[3.0, 0.0]]), torch.tensor([[8.0, 5.0]])]
MIXED = {
    "mean": [[4.0, 1.0]],
    "sum": [[12.0, 3.0]],
    "last": [[8.0, 5.0]],
    "mean_without_input": [[5.5, 2.5]],
}


class Doubling(Encoder):
    """Each layer is twice the one before."""

    def layer(self, index: int, x: Tensor, graph: Graph) -> Tensor:
        return 2 * x


def test_every_mix_is_tested() -> None:
    assert set(MIXED) == set(MIXES)


@pytest.mark.parametrize("mix", MIXED)
def test_mix_by_hand(mix: str) -> None:
    assert Encoder(num_layers=2, mix=mix).mixed(LAYERS).tolist() == MIXED[mix]


@pytest.mark.parametrize("mix", MIXED)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_mix_at_some_rows_is_the_mix_of_all_at_them(mix: str, dtype: torch.dtype) -> None:
    rows = torch.tensor([2, 0, 2])
    generator = torch.Generator().manual_seed(0)
    results = []
    for select in (True, False):
        layers = [torch.randn(4, 3, generator=generator.manual_seed(layer)).to(dtype) for layer in range(3)]
        layers = [
            layer.to(torch.float64 if number == 0 else dtype).requires_grad_() for number, layer in enumerate(layers)
        ]
        encoder = Encoder(num_layers=2, mix=mix)
        mixed = encoder.mixed(layers, rows) if select else encoder.mixed(layers)[rows]
        used = layers[1:] if mix == "mean_without_input" else layers[-1:] if mix == "last" else layers
        results.append([mixed, *torch.autograd.grad(mixed.pow(2).sum(), used)])
    for at_rows, of_all in zip(*results, strict=True):
        torch.testing.assert_close(at_rows, of_all)


@pytest.mark.parametrize("mix", ["mean", "sum", "last"])
def test_mix_of_the_input_alone_is_the_input(mix: str) -> None:
    assert Encoder(num_layers=0, mix=mix).mixed(LAYERS[:1]).tolist() == LAYERS[0].tolist()


def test_every_layer_starts_from_the_one_before() -> None:
    layers = Doubling(num_layers=3, mix="sum")(torch.ones(13, 1), empty_graph())
    assert [float(layer[0]) for layer in layers] == [1, 2, 4, 8]


def test_hook_changes_what_follows() -> None:
    layers = Doubling(num_layers=2, mix="sum")(torch.ones(13, 1), empty_graph(), lambda x, index: x + 10 * (index + 1))
    assert [float(layer[0]) for layer in layers] == [1, 12, 44]


def test_unknown_mix_is_refused() -> None:
    with pytest.raises(InputError, match=r"encoder.mix='max' is unknown; choose one of mean, sum, last"):
        Encoder(num_layers=2, mix="max")


def test_negative_number_of_layers_is_refused() -> None:
    with pytest.raises(InputError, match=r"encoder.num_layers=-1"):
        Encoder(num_layers=-1, mix="mean")


def test_mix_without_input_needs_a_layer() -> None:
    with pytest.raises(InputError, match=r"num_layers=0 with encoder.mix=mean_without_input leaves no layer to mix"):
        Encoder(num_layers=0, mix="mean_without_input")
