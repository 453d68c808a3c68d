"""A finished small run, made once through the command line."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.core.global_hydra import GlobalHydra

from graftrec.cli.main import main

SMALL = [
    "data=synthetic",
    "data.num_users=120",
    "data.num_items=60",
    "data.num_interactions=3000",
    "data.num_groups=4",
    "features=hashing",
    "dim=16",
    "batch_size=512",
    "optimizer.lr=0.02",
    "threads=1",  # of two on small data each waits for the other, beside other work for minutes
    "trainer.max_epochs=3",
    "trainer.enable_progress_bar=false",
    "baselines.models.item_knn.grid.neighbours=[5,20]",
    "baselines.models.item_knn.grid.shrinkage=[0.0]",
]
Cli = Callable[..., None]
Refused = Callable[..., str]


@pytest.fixture(scope="session")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """Runs the command line in this process; the cache lies in a temporary folder."""
    shared = tmp_path_factory.mktemp("cache")

    def run(command: str, *words: str, cache: Path = shared) -> None:
        before = sys.argv
        GlobalHydra.instance().clear()
        settings = [f"paths.cache={cache}"] if command in ("train", "prepare", "reproduce") else []
        sys.argv = ["graftrec", command, *words, *settings]
        try:
            main()
        finally:
            sys.argv = before

    return run


@pytest.fixture(scope="session")
def small_run(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished run with an offline W&B run."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    cli("train", *SMALL, f"hydra.run.dir={folder}")
    return folder


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Runs the command line with words that must be refused; gives the message."""

    def run(*words: str) -> str:
        before = sys.argv
        GlobalHydra.instance().clear()
        sys.argv = ["graftrec", *words]
        try:
            with pytest.raises(SystemExit) as stopped:
                main()
        finally:
            sys.argv = before
        assert stopped.value.code == 1
        return capsys.readouterr().err

    return run
