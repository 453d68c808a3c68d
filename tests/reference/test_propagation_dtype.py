"""Encoders whose sparse product runs in bfloat16, against the same in float32."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from graftrec.errors import InputError
from graftrec.nn.encoders.gcn import GCN
from graftrec.nn.encoders.gin import GIN
from graftrec.nn.encoders.lightgcn import LightGCN
from tests.graph.small_graphs import random_graph, random_vectors

with_products = pytest.mark.parametrize("encoder", [LightGCN, GCN, GIN])
TOLERANCE = 0.02  # relative, of two layers; one rounding to bfloat16 is off by up to 2^-8 = 0.004


@with_products
def test_bfloat16_is_near_and_its_mean_comes_back_as_float32(encoder: Callable[..., Any]) -> None:
    graph, exact, rough = random_graph(weighted=True), encoder(8), encoder(8, propagation_dtype="bfloat16")
    rough.load_state_dict(exact.state_dict())
    results = []
    for model in (exact, rough):
        x0 = random_vectors().requires_grad_()
        layers = model(x0, graph)
        (gradient,) = torch.autograd.grad(model.mixed(layers).pow(2).sum(), x0)
        results.append((model.mixed(layers), gradient))
    for expected, near in zip(*results, strict=True):
        assert near.dtype is torch.float32
        assert 0 < (near - expected).norm() < TOLERANCE * expected.norm()


@with_products
def test_other_precisions_are_refused(encoder: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="propagation_dtype='float16' is unknown"):
        encoder(8, propagation_dtype="float16")
