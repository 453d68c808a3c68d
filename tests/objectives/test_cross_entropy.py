"""InfoNCE by hand, against torch's cross-entropy, and at any block size."""

import math

import pytest
import torch
import torch.nn.functional as F

from graftrec.objectives import cross_entropy
from graftrec.objectives.cross_entropy import info_nce

QUERIES, KEYS = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.0, 3.0], [4.0, 0.0], [0.0, -1.0]])


def test_two_queries_by_hand() -> None:
    """Cosines of query 0: 0, 1, 0; of query 1: 1, 0, -1. Halves as temperature."""
    expected = [math.log(1 + 2 * math.exp(-2)), math.log(1 + math.exp(-2) + math.exp(-4))]
    loss = info_nce(QUERIES, KEYS, 0.5, torch.tensor([1, 0]))
    assert loss.item() == pytest.approx(sum(expected) / 2, rel=1e-6)


def test_by_default_the_key_of_a_query_is_its_own_row() -> None:
    expected = [math.log(2 + math.exp(2)), math.log(math.exp(2) + 1 + math.exp(-2)) - 0]
    assert info_nce(QUERIES, KEYS, 0.5).item() == pytest.approx(sum(expected) / 2, rel=1e-6)


@pytest.mark.parametrize("buffer", [1, 60, 2**18])
def test_equals_torchs_cross_entropy(buffer: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cross_entropy, "BUFFER", buffer)
    monkeypatch.setattr(cross_entropy, "ROWS", 1)
    generator = torch.Generator().manual_seed(1)
    queries, keys = (torch.randn(n, 5, dtype=torch.float64, generator=generator, requires_grad=True) for n in (9, 20))
    own = torch.tensor([3, 3, 0, 19, 7, 8, 2, 3, 11])
    logits = F.normalize(queries, dim=1) @ F.normalize(keys, dim=1).T / 0.2
    losses = [info_nce(queries, keys, 0.2, own), F.cross_entropy(logits, own)]
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(*(torch.autograd.grad(2 * loss, (queries, keys)) for loss in losses))
