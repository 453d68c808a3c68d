"""``task=interest`` from the command line to a run folder, and back."""

import json
from pathlib import Path

import polars as pl
import pytest

import graftrec
from graftrec.errors import InputError
from tests.e2e.conftest import SMALL, Cli

INTEREST = [*(word for word in SMALL if not word.startswith("baselines")), "logger=csv", "task=interest"]


@pytest.fixture(scope="module")
def interest_run(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a finished run with an MLP head."""
    folder = tmp_path_factory.mktemp("runs") / "interest"
    cli("train", *INTEREST, "head=mlp", f"hydra.run.dir={folder}")
    return folder


def metrics_of(folder: Path) -> dict[str, float]:
    """The flat metrics of a run."""
    content: dict[str, float] = json.loads((folder / "metrics.json").read_text())
    return content


def test_metrics_under_flat_keys(interest_run: Path) -> None:
    metrics = metrics_of(interest_run)
    assert {
        f"{part}/{kind}/{name}"
        for part in ("valid", "test")
        for kind in ("uniform", "popularity_matched")
        for name in ("roc_auc", "popularity_roc_auc", "f1", "accuracy", "log_loss", "calibration_error", "threshold")
    } <= set(metrics)
    assert metrics["test/uniform/threshold"] == metrics["valid/uniform/threshold"]
    curves = pl.read_csv(interest_run / "metrics.csv")
    assert metrics["valid/uniform/roc_auc"] == pytest.approx(curves["valid/uniform/roc_auc"].max(), abs=1e-6)


def test_evaluate_reproduces_the_metrics_from_the_folder_alone(interest_run: Path) -> None:
    run = graftrec.load_run(interest_run)
    again = {f"{part}/{n}": value for part, result in run.evaluate().items() for n, value in result.values.items()}
    assert again == metrics_of(interest_run)


def test_pairs_are_saved_with_their_probabilities(interest_run: Path) -> None:
    rows = pl.read_parquet(interest_run / "pairs.parquet")
    assert rows.columns == ["negatives", "user", "item", "label", "probability", "part"]
    uniform = rows.filter((pl.col("part") == "test") & (pl.col("negatives") == "uniform"))
    metrics = metrics_of(interest_run)
    predicted = uniform["probability"] >= metrics["test/uniform/threshold"]
    assert (predicted.cast(pl.Int64) == uniform["label"]).mean() == pytest.approx(metrics["test/uniform/accuracy"])


def test_another_model_is_judged_on_the_same_pairs(
    interest_run: Path, cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli("train", *INTEREST, "seed=3", "encoder=identity", f"hydra.run.dir={tmp_path}")
    printed = capsys.readouterr().out
    for expected in ("popularity matched", "popularity's ROC-AUC", "no interest", "macro avg", "interest, identity"):
        assert expected in printed
    assert (tmp_path / "classification_report.txt").read_text() in printed.replace("\n\n\n", "\n\n")
    assert printed.strip().splitlines()[-1] == str(tmp_path)
    names = ["part", "negatives", "user", "item", "label"]
    tables = [pl.read_parquet(folder / "pairs.parquet").select(names) for folder in (interest_run, tmp_path)]
    assert tables[0].equals(tables[1])


def test_recommend_ranks_by_the_head(interest_run: Path) -> None:
    run = graftrec.load_run(interest_run)
    lists = run.recommend(run.dataset.users.ids.head(5).to_list(), k=3)
    assert lists["rank"].to_list() == [1, 2, 3] * 5
    assert not set(lists["item"].head(3)) & set(run.history(lists["user"][0])["item"])


def test_settings_of_ranking_are_refused(interest_run: Path) -> None:
    with pytest.raises(InputError, match=r"k concern task=ranking.*leave them out"):
        graftrec.load_run(interest_run).evaluate(k=[5])


@pytest.mark.parametrize("name", ["head.safetensors", "pairs.parquet"])
def test_damaged_files_are_named(name: str, interest_run: Path) -> None:
    path = interest_run / name
    content = path.read_bytes()
    path.write_bytes(content[:50])
    try:
        with pytest.raises(InputError, match=f"{name} is damaged"):
            graftrec.load_run(interest_run).evaluate()
        path.unlink()
        with pytest.raises(InputError, match=f"has no {name}"):
            graftrec.load_run(interest_run)
    finally:
        path.write_bytes(content)


def test_a_sweep_over_tasks_has_a_table_each(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = [word for word in SMALL if not word.startswith("trainer.max_epochs")]
    cli(
        "train", "-m", *settings, "trainer.max_epochs=1", "logger=csv", "task=ranking,interest", "encoder=identity",
        f"hydra.sweep.dir={tmp_path}",
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert "synthetic/random-5core, lists of 20" in printed
    assert "synthetic/random-5core, interest classification" in printed
    assert pl.read_csv(tmp_path / "summary.csv")["task"].to_list() == ["ranking", "interest"]
