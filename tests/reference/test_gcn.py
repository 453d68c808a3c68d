"""GCN against PyG's convolution."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch_geometric.nn import GCNConv

from graftrec.graph.graph import Graph
from graftrec.nn.encoders.gcn import GCN
from tests.graph.small_graphs import random_graph, random_vectors


def copied(encoder: GCN, index: int, self_loops: bool) -> GCNConv:
    """PyG's layer with the weights of one of ours, the bias shaken from 0."""
    linear, reference = encoder.convolutions[index], GCNConv(8, 8, add_self_loops=self_loops)
    torch.nn.init.normal_(linear.bias)
    reference.load_state_dict({"lin.weight": linear.weight, "bias": linear.bias})
    return reference


def pyg_forward(layers: list[GCNConv], x0: Tensor, graph: Graph) -> Tensor:
    """Two layers with relu between them."""
    hidden = F.relu(layers[0](x0, graph.edge_index, graph.edge_weight))
    out: Tensor = layers[1](hidden, graph.edge_index, graph.edge_weight)
    return out


@pytest.mark.parametrize("weighted", [False, True], ids=["binary", "weighted"])
@pytest.mark.parametrize("self_loops", [True, False])
def test_equals_pyg_after_copying_the_weights(self_loops: bool, weighted: bool) -> None:
    graph, x0 = random_graph(weighted), random_vectors()
    encoder = GCN(dim=8, num_layers=2, self_loops=self_loops)
    layers = [copied(encoder, index, self_loops) for index in range(2)]
    torch.testing.assert_close(encoder(x0, graph)[-1], pyg_forward(layers, x0, graph), rtol=1e-5, atol=1e-5)
