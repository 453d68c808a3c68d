"""GatedGCN's convolution against its formula, node by node, and against PyG's layer."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import Tensor
from torch_geometric.nn import ResGatedGraphConv

from graftrec.graph import Graph, gated
from graftrec.nn.encoders.gatedgcn import GatedGCN
from tests.graph.small_graphs import dense_adjacency, random_graph, random_vectors

with_and_without_weights = pytest.mark.parametrize("weighted", [False, True], ids=["binary", "weighted"])
aggregations = pytest.mark.parametrize("aggregation", ["sum", "mean"])


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


def with_duplicates(graph: Graph) -> Graph:
    """Every edge twice."""
    adjacency = graph.adjacency
    arrays = (adjacency.data.repeat(2), adjacency.indices.repeat(2), adjacency.indptr * 2)
    return Graph(graph.space, sp.csr_matrix(arrays, adjacency.shape))


def pyg_twin(layer: ResGatedGraphConv, aggregation: str, weighted: bool) -> ResGatedGraphConv:
    """PyG's own layer with the same parameters."""
    aggr = {"sum": "add", "mean": "mean"}[aggregation]
    twin = ResGatedGraphConv(8, 8, aggr=aggr, edge_dim=1 if weighted else None)
    twin.load_state_dict(layer.state_dict())
    return twin


def value_and_gradients(out: Tensor, x: Tensor, layer: torch.nn.Module) -> list[Tensor]:
    """The output and the gradients of a weighted sum of it to the input and the parameters."""
    outer = torch.randn(out.shape, generator=torch.Generator().manual_seed(3))
    return [out, *torch.autograd.grad(out, [x, *layer.parameters()], outer)]


@torch.no_grad()
@with_and_without_weights
@aggregations
def test_convolution_equals_the_formula(aggregation: str, weighted: bool) -> None:
    graph, x = random_graph(weighted), random_vectors()
    encoder = GatedGCN(dim=8, weighted=weighted, aggregation=aggregation)
    layer = encoder.convolutions[1]
    torch.nn.init.normal_(layer.bias)
    expected = naive(layer, x, dense_adjacency(graph), aggregation, weighted)
    torch.testing.assert_close(encoder.convolve(1, x, graph), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("block", [1, 3, 4096])
@pytest.mark.parametrize("duplicates", [False, True], ids=["single", "duplicates"])
@with_and_without_weights
@aggregations
def test_convolution_and_its_gradients_equal_pyg(
    aggregation: str, weighted: bool, duplicates: bool, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gated, "CPU_BLOCK", block)
    graph, x = random_graph(weighted), random_vectors().requires_grad_()
    graph = with_duplicates(graph) if duplicates else graph
    assert np.diff(graph.adjacency.indptr).max() > 3
    encoder = GatedGCN(dim=8, weighted=weighted, aggregation=aggregation)
    layer = encoder.convolutions[0]
    twin = pyg_twin(layer, aggregation, weighted)
    expected = twin(x, graph.edge_index, graph.edge_weight[:, None] if weighted else None)
    for ours, theirs in zip(
        value_and_gradients(encoder.convolve(0, x, graph), x, layer),
        value_and_gradients(expected, x, twin),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5 * float(theirs.detach().abs().max()))
