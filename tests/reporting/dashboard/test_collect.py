"""Run folders as the block of data that the page reads."""

import json
from pathlib import Path

import polars as pl
import pytest

from graftrec.errors import InputError
from graftrec.reporting.dashboard.collect import collect, plain, short_labels
from graftrec.reporting.dashboard.folders import command, curves
from tests.reporting.folders import make_run, recommend, values


def test_a_command_runs_the_run_again() -> None:
    settings = {"choices": {"encoder": "gcn"}, "overrides": ["encoder=gcn", "seed=1"]}
    assert command(settings) == ["encoder=gcn", "seed=1"]


def test_a_sweep_in_a_command_becomes_the_groups_it_chose() -> None:
    settings = {"choices": {"encoder": "lightgcn"}, "overrides": ["sweep=lightgcn", "dim=32"]}
    assert command(settings) == ["encoder=lightgcn", "dim=32"]


def test_a_given_group_is_not_said_twice() -> None:
    settings = {"choices": {"encoder": "gcn"}, "overrides": ["sweep=lightgcn", "encoder=gcn"]}
    assert command(settings) == ["encoder=gcn"]


def test_words_of_a_command_are_quoted_for_a_shell(tmp_path: Path) -> None:
    make_run(tmp_path / "run", values(0.2), **{"features.template": "{title}; rm"})
    assert "'features.template={title}; rm'" in collect(tmp_path)["runs"][0]["command"]


def test_long_curves_are_thinned_and_keep_the_last_epoch(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    pl.DataFrame({"epoch": range(1001), "train/loss": [0.5] * 1001}).write_csv(path)
    epochs = curves(path)["epoch"]
    assert (len(epochs), epochs[-1]) == (167, 1000)  # every 6th


def test_texts_are_kept_once(tmp_path: Path) -> None:
    for seed in (0, 1):
        recommend(make_run(tmp_path / f"{seed}", values(0.2), seed=seed), ["Alien", "Heat", "Fargo"])
    data = collect(tmp_path)
    expected = {"user": "u1", "history": [0], "recommended": [1, 2], "hits": [0]}
    assert data["texts"] == ["Alien", "Heat", "Fargo"]
    assert [run["examples"] for run in data["runs"]] == [[expected], [expected]]


def test_pruned_and_unfinished_runs_are_counted(tmp_path: Path) -> None:
    make_run(tmp_path / "done", values(0.2))
    for name, status in (("going", "running"), ("pruned", "pruned"), ("poor", "pruned")):
        run = make_run(tmp_path / name, values(0.2), seed=1)
        (run / "metrics.json").unlink()
        (run / "run.json").write_text(json.dumps({**json.loads((run / "run.json").read_text()), "status": status}))
    data = collect(tmp_path)
    assert (data["left_out"], len(data["runs"])) == ({"pruned": 2, "unfinished": 1}, 1)


def test_a_folder_without_finished_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no finished run"):
        collect(tmp_path)


def test_numbers_that_json_has_no_word_for_are_null() -> None:
    assert json.dumps(plain({"a": [float("nan"), float("inf"), 0.123456789]})) == '{"a": [null, null, 0.12346]}'


def test_long_numbers_are_cut_where_names_stay_different() -> None:
    assert short_labels(["lr=0.0123456", "lr=0.0200001"]) == ["lr=0.0123", "lr=0.02"]
    assert short_labels(["lr=0.014960000000000001", "lr=0.01497"]) == ["lr=0.01496", "lr=0.01497"]
