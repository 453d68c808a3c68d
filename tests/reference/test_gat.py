"""GAT's convolution against its formula, node by node, and against PyG's."""

from typing import Any

import pytest
import scipy.sparse as sp
import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.graph.graph import Graph
from graftrec.graph.node_space import NodeSpace
from graftrec.nn.encoders.gat import GAT, GATConvolution
from tests.graph.small_graphs import dense_adjacency, empty_graph, random_graph, random_vectors

DIM = 8


def neighbours(adjacency: Tensor, node: int, self_loops: bool) -> dict[int, float]:
    """Each neighbour's edge weight; the loop at the node itself weighs the mean of the others."""
    weights = {int(other): float(adjacency[node, other]) for other in adjacency[node].nonzero()}
    if self_loops:
        weights[node] = sum(weights.values()) / max(len(weights), 1)
    return weights


def attention(layer: torch.nn.Module, head: int, target: Tensor, source: Tensor, weight: float) -> Tensor:
    """LeakyReLU(a [W x_i || W x_j]), and the part of the edge weight where the layer has one."""
    value = layer.att_dst[0, head] @ target + layer.att_src[0, head] @ source
    if layer.att_edge is not None:
        width = len(target)
        edge = layer.lin_edge.weight[head * width : (head + 1) * width, 0] * weight
        value = value + layer.att_edge[0, head] @ edge
    return F.leaky_relu(value, 0.2)


def naive(layer: torch.nn.Module, x: Tensor, adjacency: Tensor, heads: int, self_loops: bool) -> Tensor:
    """One layer, looping over nodes and heads."""
    transformed = (x @ layer.lin.weight.T).view(len(x), heads, -1)
    out = torch.zeros_like(transformed)
    for node in range(len(x)):
        weights = neighbours(adjacency, node, self_loops)
        for head in range(heads) if weights else ():
            own = transformed[node, head]
            logits = [attention(layer, head, own, transformed[j, head], w) for j, w in weights.items()]
            alpha = torch.stack(logits).softmax(0)
            out[node, head] = alpha @ transformed[list(weights), head]
    return out.view(len(x), -1) + layer.bias


@torch.no_grad()
@pytest.mark.parametrize("weighted", [False, True], ids=["binary", "weighted"])
@pytest.mark.parametrize("self_loops", [True, False])
@pytest.mark.parametrize("heads", [1, 2])
def test_convolution_equals_the_formula(heads: int, self_loops: bool, weighted: bool) -> None:
    graph, x = random_graph(weighted), random_vectors()
    encoder = GAT(dim=DIM, weighted=weighted, heads=heads, self_loops=self_loops)
    layer = encoder.convolutions[1]
    torch.nn.init.normal_(layer.bias)
    expected = naive(layer, x, dense_adjacency(graph), heads, self_loops)
    torch.testing.assert_close(encoder.convolve(1, x, graph), expected, rtol=1e-5, atol=1e-5)


def looped_graph(weighted: bool) -> Graph:
    """A graph with a loop at node 1 and the edge between nodes 0 and 2 listed twice; node 4 has no edge."""
    rows, columns = torch.tensor([[0, 0, 0, 1, 1, 2, 2, 2, 3], [1, 2, 2, 0, 1, 0, 0, 3, 2]])
    weights = torch.tensor([2.0, 3.0, 0.5, 2.0, 7.0, 3.0, 0.5, 4.0, 4.0]) if weighted else torch.ones(9)
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), rows.bincount(minlength=5).cumsum(0)])
    return Graph(NodeSpace(2, 3), sp.csr_matrix((weights.numpy(), columns.numpy(), offsets.numpy()), shape=(5, 5)))


def single_node(weighted: bool) -> Graph:
    return Graph(NodeSpace(1, 0), sp.csr_matrix((1, 1), dtype="float32"))


GRAPHS = {"random": random_graph, "looped": looped_graph, "empty": lambda _: empty_graph(), "one node": single_node}


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize("weighted", [False, True], ids=["binary", "weighted"])
@pytest.mark.parametrize("self_loops", [True, False])
@pytest.mark.parametrize("heads", [1, 2, 4])
def test_values_and_gradients_equal_those_of_pyg(heads: int, self_loops: bool, weighted: bool, graph: Any) -> None:
    from torch_geometric.nn import GATConv

    built, edge_dim = graph(weighted), 1 if weighted else None
    peer = GATConv(DIM, DIM // heads, heads, add_self_loops=self_loops, edge_dim=edge_dim)
    encoder = GAT(DIM, weighted, num_layers=1, heads=heads, self_loops=self_loops)
    encoder.convolutions[0].load_state_dict(peer.state_dict())
    x = random_vectors(DIM)[: built.space.num_nodes].requires_grad_()
    expected = peer(x, built.edge_index, built.edge_weight[:, None] if weighted else None)
    result, outer = encoder.convolve(0, x, built), torch.randn(expected.shape)
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)
    names = [name for name, _ in peer.named_parameters()]
    assert [name for name, _ in encoder.convolutions[0].named_parameters()] == names
    ours, theirs = (
        torch.autograd.grad(out, [x, *module.parameters()], outer, allow_unused=True, materialize_grads=True)
        for out, module in ((result, encoder.convolutions[0]), (expected, peer))
    )
    for gradient, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(gradient, other, rtol=1e-5, atol=1e-5)


def test_first_weights_lie_within_the_bounds_of_pyg() -> None:
    layer = GATConvolution(64, 4, True, 0.0)
    bounds = {"lin.weight": 128, "lin_edge.weight": 65, "att_src": 20, "att_dst": 20, "att_edge": 20}
    for name, fans in bounds.items():
        largest, bound = float(layer.get_parameter(name).abs().max()), (6 / fans) ** 0.5
        assert 0.8 * bound < largest <= bound
    assert not layer.bias.any()


def test_dropped_attention_leaves_out_whole_neighbours_and_scales_the_rest() -> None:
    graph, x = random_graph(), torch.eye(13)
    encoder = GAT(13, num_layers=1, attention_dropout=0.5)
    torch.nn.init.eye_(encoder.convolutions[0].lin.weight)
    dropped = encoder.train().convolve(0, x, graph)  # with x = W = 1 the output is the attention itself
    kept = encoder.eval().convolve(0, x, graph)
    torch.testing.assert_close(dropped, torch.where(dropped > 0, 2 * kept, 0))
    assert 0.2 < float((dropped > 0).sum() / (kept > 0).sum()) < 0.8


def test_attention_is_not_dropped_in_evaluation() -> None:
    graph, x = random_graph(), random_vectors()
    plain, dropping = GAT(DIM), GAT(DIM, attention_dropout=0.9).eval()
    dropping.load_state_dict(plain.state_dict())
    assert torch.equal(plain.convolve(0, x, graph), dropping.convolve(0, x, graph))
