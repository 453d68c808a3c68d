"""Settings, options and flags that do not exist: the message names those that come nearest."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from graftrec.cli import fresh_folders
from graftrec.cli.settings import nearest
from graftrec.errors import InputError
from tests.e2e.conftest import SMALL, Cli, Refused


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train epochs=3", "There is no setting epochs. Did you mean trainer.max_epochs=...? All settings: graftrec"),
        ("train -m epochs=3,4", "There is no setting epochs. Did you mean trainer.max_epochs=...?"),
        ("train encodr=gcn", "There is no setting encodr. Did you mean encoder=...?"),
        ("train data=table data.columns.usr=x", "no setting data.columns.usr. Did you mean data.columns.user=... or "),
        ("prepare splt=random", "There is no setting splt. Did you mean split=...? All settings: graftrec prepare"),
        ("recommend users=3", "There is no setting users. Did you mean user=...? All settings: graftrec recommend"),
        ("train ~nothing", "There is no setting nothing."),
        ("train optimizer={rate:1}", "There is no setting optimizer.rate."),
        ("train encoder=sage", "encoder=sage is unknown. Choose one of gat, gatedgcn, gcn, gin, identity, lightgcn."),
        ("train -m encoder=gcn,sage", "encoder=sage is unknown."),
        ("train logger=[wand]", "logger=wand is unknown. Did you mean logger=wandb? Choose one of csv, tensorboard"),
        ("train encoder=gcn,gat", "encoder=gcn,gat holds several values; add -m to try each"),
        ("train --epochs 3", "--epochs is unknown: settings are written key=value, without dashes. Did you mean tra"),
        ("train --max-epochs=3", "Did you mean trainer.max_epochs=...?"),
        ("train epochs", "'epochs' cannot be read: settings are written key=value."),
        ("train dim=[3", "'dim=[3' cannot be read; where a value has blanks"),
        ("train --config-dir /nowhere", "'/nowhere' not found. All settings: graftrec train --help"),
    ],
)
def test_wrong_words_end_with_one_message(refused: Refused, words: str, message: str) -> None:
    printed = refused(*words.split())
    assert message in printed
    assert printed.count("\n") == 2  # an empty line and the message
    assert "HYDRA_FULL_ERROR" not in os.environ


def test_hydras_own_flags_work(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "encoder").mkdir()
    (tmp_path / "encoder" / "mine.yaml").write_text("num_layers: 7")
    cli("train", "--cfg", "job", "--config-dir", str(tmp_path), "encoder=mine", "hydra.run.dir=elsewhere")
    assert "num_layers: 7" in capsys.readouterr().out
    with pytest.raises(SystemExit) as end:
        cli("train", "--help")
    assert end.value.code == 0
    assert "What can be plugged in" in capsys.readouterr().out


def test_nearest_names_are_alike_as_a_whole_or_in_their_last_part() -> None:
    names = ["optimizer.lr", "trainer.max_epochs", "seed", "dim"]
    assert nearest("lr", names) == ["optimizer.lr"]
    assert nearest("trainer.epochs", names) == ["trainer.max_epochs"]
    assert nearest("nothing.like.it", names) == []


def test_settings_are_told_without_heavy_imports() -> None:
    program = "import sys; from graftrec.cli import main; print('torch' in sys.modules, 'polars' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("setting", ["protocol=dirty", "evaluation.k=[500]", "data=table"])
def test_a_run_that_bad_input_ends_leaves_no_folder(refused: Refused, tmp_path: Path, setting: str) -> None:
    words = [word for word in SMALL if setting != "data=table" or not word.startswith("data")]
    refused("train", *words, setting, f"hydra.run.dir={tmp_path}/run", f"paths.cache={tmp_path}/cache")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_was_there_before_is_left(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    refused("train", *SMALL, "evaluation.k=[500]", f"hydra.run.dir={tmp_path}/run", f"paths.cache={tmp_path}/cache")
    assert (tmp_path / "run" / "config.yaml").is_file()


def test_a_folder_with_other_files_is_left(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").touch()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError), fresh_folders.without_trace(tmp_path):
        raise InputError("bad")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml", "notes.txt"]


@pytest.mark.parametrize("word", ["run", "resume"])
def test_a_folder_of_runs_is_no_run(small_run: Path, refused: Refused, word: str) -> None:
    command = ["train"] if word == "resume" else ["recommend", "user=5"]
    message = refused(*command, f"{word}={small_run.parent}")
    assert f"{small_run.parent} is not a run folder; the newest of 1 in it:\n  {small_run}" in message


def test_a_folder_without_runs_is_no_run(refused: Refused, tmp_path: Path) -> None:
    assert f"{tmp_path} is not a run folder, and holds none." in refused("evaluate", f"run={tmp_path}")


@pytest.mark.parametrize("k", ["[500]", "[]", "many", "0"])
def test_lengths_of_evaluation_are_named_as_typed(small_run: Path, refused: Refused, k: str) -> None:
    message = refused("evaluate", f"run={small_run}", f"k={k}")
    assert re.search(rf"k=\[?{re.escape(k.strip('[]'))}\]? must be whole numbers from 1 to the catalogue's 60", message)
