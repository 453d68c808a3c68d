"""Weights drawn in these tests are the same in every run."""

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Seed torch's global generator."""
    torch.manual_seed(0)
