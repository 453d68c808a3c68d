"""GAT's convolution against its formula, node by node."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.nn.encoders.gat import GAT
from tests.graph.small_graphs import dense_adjacency, random_graph, random_vectors

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
