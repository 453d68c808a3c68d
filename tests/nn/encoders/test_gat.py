"""Heads and dropout; the formula is tested in tests/reference."""

import pytest
import torch

from graftrec.errors import InputError
from graftrec.nn.encoders.gat import GAT
from tests.graph.small_graphs import random_graph, random_vectors


def test_heads_must_divide_the_dimension() -> None:
    with pytest.raises(InputError, match=r"encoder.heads=3 must divide dim=8"):
        GAT(dim=8, heads=3)


def test_attention_dropout_leaves_edges_out_in_training() -> None:
    torch.manual_seed(0)
    encoder, graph, x = GAT(dim=8, attention_dropout=0.5), random_graph(), random_vectors()
    assert not torch.equal(encoder.convolve(0, x, graph), encoder.convolve(0, x, graph))


def test_attention_dropout_rests_in_evaluation() -> None:
    encoder, graph, x = GAT(dim=8, attention_dropout=0.5).eval(), random_graph(), random_vectors()
    assert torch.equal(encoder.convolve(0, x, graph), encoder.convolve(0, x, graph))
