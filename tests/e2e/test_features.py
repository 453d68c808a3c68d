"""``graftrec features`` on the cache of a finished run."""

import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from graftrec.features.encoders.hashing import HashingEncoder
from graftrec.features.store import FeatureStore
from graftrec.features.stored import all_stored
from graftrec.pipeline.run import load_run
from tests.e2e.conftest import SMALL, Cli, Refused

QUICK = [word for word in SMALL if not word.startswith(("baselines", "trainer.max_epochs"))]
QUICK += ["trainer.max_epochs=1", "logger=csv", "baselines=none"]


@pytest.fixture(scope="module")
def trained(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run and the cache of its vectors, of 32 numbers."""
    folder = tmp_path_factory.mktemp("trained")
    cli("train", *QUICK, "features.encoder.dim=32", f"hydra.run.dir={folder}/run", cache=folder / "cache")
    return folder


def test_ls_show_export_and_rm(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for dim in (256, 32):
        FeatureStore(tmp_path / "features").get(HashingEncoder(dim), ["red chair", "sea"])
        time.sleep(0.02)
    cache, where = tmp_path, f"paths.cache={tmp_path}"
    newest, oldest = all_stored(cache / "features")
    capsys.readouterr()
    cli("features", "ls", where)
    listed = capsys.readouterr().out
    assert listed.index(newest.key[:12]) < listed.index(oldest.key[:12])
    assert "hashing ngrams=2 dim=32" in listed
    cli("features", "show", oldest.key[:8], where)
    shown = capsys.readouterr().out
    assert "HashingEncoder(dim=256)" in shown
    assert f"texts                {oldest.texts}" in shown
    cli("features", "export", newest.key, f"{tmp_path}/all.parquet", where)
    assert set(pl.read_parquet(tmp_path / "all.parquet")["id"]) == set(newest.vectors()[0])
    cli("features", "rm", newest.key[:8], oldest.key[:8], where)
    removed = capsys.readouterr().out
    assert f"Removed {oldest.key[:12]}, hashing ngrams=2 dim=256" in removed
    cli("features", where)
    assert "No features are kept" in capsys.readouterr().out


def test_exported_features_train_the_same_model(cli: Cli, trained: Path, tmp_path: Path) -> None:
    cli("features", "export", f"run={trained}/run", f"{tmp_path}/items.npy", f"{tmp_path}/users.parquet")
    files = [f"features.item_file={tmp_path}/items.npy", f"features.user_file={tmp_path}/users.parquet"]
    words = [*(word for word in QUICK if word != "features=hashing"), "features=precomputed", "features.users=text"]
    cli("train", *words, *files, f"hydra.run.dir={tmp_path}/again", cache=trained / "cache")
    first, again = load_run(trained / "run"), load_run(tmp_path / "again")
    np.testing.assert_array_equal(first.item_features, again.item_features)
    assert first.metrics == again.metrics


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["shw"], "graftrec features shw is unknown. Did you mean graftrec features show?"),
        (["show"], "Write: graftrec features show KEY"),
        (["export", "key"], "Write: graftrec features export KEY FILE"),
        (["export", "key", "x.csv"], "unknown ending '.csv'"),
        (["rm", "key"], "No key begins with 'key'"),
        (["ls", "store.dtyp=1"], "There is no setting store.dtyp. Did you mean store.dtype=...?"),
        (["ls", "--all"], "--all is unknown"),
    ],
)
def test_other_words_are_refused(refused: Refused, tmp_path: Path, words: list[str], message: str) -> None:
    assert message in refused("features", *words, f"paths.cache={tmp_path}")
