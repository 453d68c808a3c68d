"""A sweep's plots from its trials.csv."""

from pathlib import Path

import polars as pl
import pytest

from graftrec.errors import InputError
from graftrec.reporting.dashboard.search import search_of, study_of

pytest.importorskip("plotly", reason="the plots need plotly")

TRIALS = pl.DataFrame(
    {
        "trial": [0, 2, 3],
        "state": ["complete", "pruned", "complete"],
        "valid/recall@20": [0.1, None, 0.3],
        "latency_ms": [5.0, None, 1.0],
        "param:optimizer.lr": [0.001, 0.01, 0.1],
        "param:encoder": ["gcn", "gat", "gcn"],
        "valid/ndcg@20": [0.2, None, 0.4],
    }
)


def test_objectives_are_the_columns_before_the_parameters(tmp_path: Path) -> None:
    TRIALS.write_csv(tmp_path / "trials.csv")
    found = search_of(tmp_path)
    assert found is not None
    assert found["objectives"] == ["valid/recall@20", "latency_ms"]
    assert found["states"] == {"complete": 2, "pruned": 1}


def test_trials_keep_their_numbers_and_directions() -> None:
    study = study_of(TRIALS, ["valid/recall@20", "latency_ms"], {"optimizer.lr"})
    assert [trial.number for trial in study.best_trials] == [3]  # higher recall, lower latency
    assert study.trials[3].distributions["optimizer.lr"].log  # type: ignore[attr-defined]


def test_nothing_is_drawn_before_a_trial_is_complete(tmp_path: Path) -> None:
    TRIALS.filter(pl.col("state") == "pruned").write_csv(tmp_path / "trials.csv")
    found = search_of(tmp_path)
    assert found is not None
    assert found["figures"] == []
    assert found["trials"]["rows"] == [[2, "pruned", None, None, 0.01, "gat"]]


def test_a_folder_that_is_no_sweep_has_no_search(tmp_path: Path) -> None:
    assert search_of(tmp_path) is None


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "trials.csv").write_text("nothing\n1\n")
    with pytest.raises(InputError, match=r"trials\.csv is damaged"):
        search_of(tmp_path)
