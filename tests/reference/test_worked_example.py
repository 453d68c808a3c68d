"""Four users, four items, two GCN layers: the numbers of notebooks/01_message_passing_by_hand.ipynb."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from graftrec.graph.bipartite import bipartite_graph
from graftrec.nn.encoders.gcn import GCN

INTERACTIONS = [[0, 1, 0, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1, 0]]


def test_two_gcn_layers_with_weight_one() -> None:
    graph = bipartite_graph(sp.csr_matrix(np.array(INTERACTIONS, dtype=np.float32)))
    encoder = GCN(dim=1, num_layers=2, self_loops=False, activation="none")
    for linear in encoder.convolutions:
        torch.nn.init.ones_(linear.weight)
        torch.nn.init.zeros_(linear.bias)
    features = torch.arange(1.0, 9.0)[:, None]
    _, first, second = (layer.detach().ravel().tolist() for layer in encoder(features, graph))
    assert first == pytest.approx([7, 6, 7, 6, 3, 2, 3, 2])
    assert second == pytest.approx([2, 3, 2, 3, 6, 7, 6, 7])
