"""LightGCN against its formula and against PyG's model."""

import numpy as np
import pytest
import torch
from torch_geometric.nn import LightGCN as PyGLightGCN

from graftrec.graph.normalize import EXPONENTS
from graftrec.nn.encoders.lightgcn import LightGCN
from tests.graph.small_graphs import dense_normalized, random_graph, random_vectors

with_and_without_weights = pytest.mark.parametrize("weighted", [False, True], ids=["binary", "weighted"])


@with_and_without_weights
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("kind", EXPONENTS)
def test_equals_the_dense_mean_of_powers(kind: str, num_layers: int, weighted: bool) -> None:
    graph, x0 = random_graph(weighted), random_vectors()
    adjacency = dense_normalized(graph.adjacency.toarray(), *EXPONENTS[kind])
    powers = [np.linalg.matrix_power(adjacency, layer) @ x0.double().numpy() for layer in range(num_layers + 1)]
    encoder = LightGCN(dim=8, num_layers=num_layers, normalization=kind)
    embedding = encoder.mixed(encoder(x0, graph))
    np.testing.assert_allclose(embedding.numpy(), sum(powers) / (num_layers + 1), rtol=1e-5, atol=1e-5)


@with_and_without_weights
def test_equals_pyg_after_copying_the_weights(weighted: bool) -> None:
    graph, x0 = random_graph(weighted), random_vectors()
    reference = PyGLightGCN(num_nodes=len(x0), embedding_dim=8, num_layers=3)
    reference.embedding.load_state_dict({"weight": x0})
    expected = reference.get_embedding(graph.edge_index, graph.edge_weight)
    encoder = LightGCN(dim=8, num_layers=3)
    torch.testing.assert_close(encoder.mixed(encoder(x0, graph)), expected, rtol=1e-5, atol=1e-5)
