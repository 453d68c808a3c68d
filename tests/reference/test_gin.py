"""GIN's convolution against its formula, densely."""

import pytest
import torch
from torch import Tensor

from graftrec.nn.encoders.gin import GIN
from tests.graph.small_graphs import dense_adjacency, random_graph, random_vectors


def summed_or_averaged(adjacency: Tensor, x: Tensor, aggregation: str) -> Tensor:
    """sum_j w_ij x_j, or that over sum_j w_ij; 0 for a node without neighbours."""
    total = adjacency @ x
    return total if aggregation == "sum" else total / adjacency.sum(1, keepdim=True).clamp(min=1e-12)


@pytest.mark.parametrize("weighted", [False, True], ids=["binary", "weighted"])
@pytest.mark.parametrize("aggregation", ["sum", "mean"])
def test_convolution_equals_the_dense_formula(aggregation: str, weighted: bool) -> None:
    graph, x = random_graph(weighted), random_vectors()
    encoder = GIN(dim=8, weighted=weighted, aggregation=aggregation)
    convolution = encoder.convolutions[1]
    torch.nn.init.constant_(convolution.eps, 0.3)
    first, _, second = convolution.nn
    gathered = (1 + 0.3) * x + summed_or_averaged(dense_adjacency(graph), x, aggregation)
    expected = second(first(gathered).clamp(min=0))
    torch.testing.assert_close(encoder.convolve(1, x, graph), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("aggregation", ["sum", "mean"])
def test_gradient_equals_the_dense_one(aggregation: str) -> None:
    graph, x, encoder = random_graph(weighted=True), random_vectors().requires_grad_(), GIN(8, aggregation=aggregation)
    mlp = encoder.convolutions[0].nn
    dense = mlp(x + summed_or_averaged(dense_adjacency(graph), x, aggregation))
    (expected,) = torch.autograd.grad(dense.pow(2).sum(), x)
    (gradient,) = torch.autograd.grad(encoder.convolve(0, x, graph).pow(2).sum(), x)
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("train_eps", [True, False])
def test_weights_are_those_of_pyg(train_eps: bool) -> None:
    from torch_geometric.nn import GINConv

    mlp = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU(), torch.nn.Linear(8, 8))
    layer, peer = GIN(8, aggregation="sum", train_eps=train_eps).convolutions[0], GINConv(mlp, train_eps=train_eps)
    layer.load_state_dict(peer.state_dict())
    assert [name for name, _ in layer.named_parameters()] == [name for name, _ in peer.named_parameters()]
