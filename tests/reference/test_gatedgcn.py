"""GatedGCN's convolution against its formula, node by node."""

import pytest
import torch
from torch import Tensor

from graftrec.nn.encoders.gatedgcn import GatedGCN
from tests.graph.small_graphs import dense_adjacency, random_graph, random_vectors


def message(layer: torch.nn.Module, target: Tensor, source: Tensor, attribute: Tensor) -> Tensor:
    """sigma(W3 x_i + W4 x_j) * W2 x_j, with the edge attribute beside each x."""
    own, other = torch.cat([target, attribute]), torch.cat([source, attribute])
    gate = torch.sigmoid(layer.lin_key(own) + layer.lin_query(other))
    value: Tensor = gate * layer.lin_value(other)
    return value


def naive(layer: torch.nn.Module, x: Tensor, adjacency: Tensor, aggregation: str, weighted: bool) -> Tensor:
    """One layer, looping over nodes and neighbours."""
    out = layer.lin_skip(x) + layer.bias
    for node in range(len(x)):
        others = adjacency[node].nonzero().flatten().tolist()
        for other in others:
            attribute = adjacency[node, other][None] if weighted else torch.empty(0)
            share = 1 / len(others) if aggregation == "mean" else 1
            out[node] += share * message(layer, x[node], x[other], attribute)
    return out


@torch.no_grad()
@pytest.mark.parametrize("weighted", [False, True], ids=["binary", "weighted"])
@pytest.mark.parametrize("aggregation", ["sum", "mean"])
def test_convolution_equals_the_formula(aggregation: str, weighted: bool) -> None:
    graph, x = random_graph(weighted), random_vectors()
    encoder = GatedGCN(dim=8, weighted=weighted, aggregation=aggregation)
    layer = encoder.convolutions[1]
    torch.nn.init.normal_(layer.bias)
    expected = naive(layer, x, dense_adjacency(graph), aggregation, weighted)
    torch.testing.assert_close(encoder.convolve(1, x, graph), expected, rtol=1e-5, atol=1e-5)
