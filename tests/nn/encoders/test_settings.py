"""Settings of single encoders; their mathematics is tested in tests/reference."""

import pytest
import torch

from graftrec.errors import InputError
from graftrec.nn.encoders.gat import GAT
from graftrec.nn.encoders.gatedgcn import GatedGCN
from graftrec.nn.encoders.gcn import GCN
from graftrec.nn.encoders.gin import GIN
from tests.graph.small_graphs import random_graph, random_vectors


def test_heads_must_divide_the_dimension() -> None:
    with pytest.raises(InputError, match=r"encoder.heads=3 must divide dim=8"):
        GAT(dim=8, heads=3)


@pytest.mark.parametrize("encoder", [GIN, GatedGCN])
def test_unknown_aggregation_is_refused(encoder: type[GIN] | type[GatedGCN]) -> None:
    with pytest.raises(InputError, match=r"encoder.aggregation='max' is unknown; choose one of sum, mean"):
        encoder(dim=8, aggregation="max")


@pytest.mark.parametrize("train_eps", [True, False])
def test_eps_is_trained_on_request(train_eps: bool) -> None:
    names = [name for name, _ in GIN(dim=8, train_eps=train_eps).named_parameters()]
    assert any("eps" in name for name in names) is train_eps


def test_gcn_starts_with_zero_bias_and_glorot_weights() -> None:
    linear = GCN(dim=64).convolutions[0]
    assert linear.bias.abs().sum() == 0
    assert linear.weight.abs().max().item() == pytest.approx((6 / 128) ** 0.5, rel=0.01)


def test_gcn_resets_to_zero_bias_and_glorot_weights() -> None:
    encoder = GCN(dim=64)
    encoder.reset_parameters()
    linear = encoder.convolutions[0]
    assert linear.bias.abs().sum() == 0
    assert linear.weight.abs().max().item() == pytest.approx((6 / 128) ** 0.5, rel=0.01)


def test_attention_dropout_leaves_edges_out_in_training() -> None:
    torch.manual_seed(0)
    encoder, graph, x = GAT(dim=8, attention_dropout=0.5), random_graph(), random_vectors()
    assert not torch.equal(encoder.convolve(0, x, graph), encoder.convolve(0, x, graph))


def test_attention_dropout_rests_in_evaluation() -> None:
    encoder, graph, x = GAT(dim=8, attention_dropout=0.5).eval(), random_graph(), random_vectors()
    assert torch.equal(encoder.convolve(0, x, graph), encoder.convolve(0, x, graph))
