"""LightGCN's layers at some rows alone."""

import pytest
import torch

from graftrec.graph.normalize import EXPONENTS
from graftrec.nn.encoders.base import MIXES
from graftrec.nn.encoders.lightgcn import LightGCN
from tests.graph.small_graphs import random_graph, random_vectors


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("normalization", EXPONENTS)
def test_rows_alone_and_their_gradients_equal_those_of_whole_layers(mix: str, normalization: str) -> None:
    graph = random_graph(weighted=True)
    encoder = LightGCN(dim=4, num_layers=3, normalization=normalization, mix=mix)
    x0 = random_vectors(4).double().requires_grad_()
    rows = torch.tensor([3, 0, 7])
    layers_at = encoder.rows_alone(x0, graph)
    assert layers_at is not None
    alone, whole = encoder.mixed(layers_at(rows)), encoder.mixed(encoder(x0, graph), rows)
    gradients = [torch.autograd.grad(result.pow(2).sum(), x0) for result in (alone, whole)]
    torch.testing.assert_close(alone, whole)
    torch.testing.assert_close(*gradients)
