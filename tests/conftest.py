"""Shared fixtures: small data with planted structure, and the real data sets where they are present."""

import os
import signal
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from graftrec.data.dataset import Dataset
from graftrec.data.filters import Filter
from graftrec.data.sources.synthetic import SyntheticSource
from graftrec.data.splits.random import RandomSplit
from tests.small_data import prepare

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("WANDB_SILENT", "true")
settings.register_profile("graftrec", deadline=None)  # a first call imports, and a machine may be shared
settings.load_profile("graftrec")
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # of a start in the background: commands would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)
torch.set_num_threads(1)  # tensors are small here: more threads wait for each other


@pytest.fixture(scope="session")
def synthetic() -> Dataset:
    """60 users, 40 items, 4 planted groups, titles and profiles that name the group."""
    source = SyntheticSource(
        name="synthetic",
        item_text=["title"],
        user_text=["profile"],
        num_users=60,
        num_items=40,
        num_interactions=1200,
        num_groups=4,
    )
    return prepare(source, Filter(min_user=5, min_item=3), RandomSplit())


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("GRAFTREC_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data sets under {folder}: set GRAFTREC_DATA")
    return folder
