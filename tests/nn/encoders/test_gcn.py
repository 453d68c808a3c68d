"""Initial weights; the formula is tested in tests/reference."""

import pytest

from graftrec.nn.encoders.gcn import GCN


def test_starts_with_zero_bias_and_glorot_weights() -> None:
    linear = GCN(dim=64).convolutions[0]
    assert linear.bias.abs().sum() == 0
    assert linear.weight.abs().max().item() == pytest.approx((6 / 128) ** 0.5, rel=0.01)


def test_resets_to_zero_bias_and_glorot_weights() -> None:
    encoder = GCN(dim=64)
    encoder.reset_parameters()
    linear = encoder.convolutions[0]
    assert linear.bias.abs().sum() == 0
    assert linear.weight.abs().max().item() == pytest.approx((6 / 128) ** 0.5, rel=0.01)
