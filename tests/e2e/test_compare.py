"""``graftrec compare`` and ``graftrec report`` on runs of the command line."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from graftrec.reporting.comparison import compare, verdict
from graftrec.reporting.runs import find_runs, read_baselines, read_runs
from tests.e2e.conftest import SMALL, Cli, Refused

DATA = [*(word for word in SMALL if "item_knn" not in word and "features" not in word), "logger=csv", "features=none"]
TINY = [*DATA, "input=id", "trainer.max_epochs=2", "~baselines.models.item_knn"]
POPULARITY = [*DATA, "baseline=popularity", "baselines=none"]


@pytest.fixture(scope="module")
def runs(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeds that learn and two that do not."""
    folder = tmp_path_factory.mktemp("compared") / "sweep"
    cli("train", "-m", *TINY, "optimizer.lr=0.02,1e-7", "seed=0,1", f"hydra.sweep.dir={folder}")
    return folder


def copied(run: Path, target: Path, *changes: tuple[str, str]) -> Path:
    """The same run under other settings."""
    shutil.copytree(run, target)
    text = (target / "config.yaml").read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (target / "config.yaml").write_text(text)
    return target


def test_a_planted_difference_is_found(cli: Cli, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli("compare", str(runs))
    printed = capsys.readouterr().out
    assert "- Real: lr=0.02 is better than lr=1e-07 by" in printed
    assert "4 of 4" in printed
    assert "popularity" in printed


def test_the_same_run_under_another_name_is_not_called_different(runs: Path, tmp_path: Path) -> None:
    first = find_runs(runs)[0]
    other = copied(first, tmp_path / "copy", ("batch_size: 512", "batch_size: 511"))
    comparison = compare([str(first), str(other)])
    assert verdict(comparison, comparison.runs["label"][1]).startswith("None: ")
    assert set(comparison.runs["label"]) == {"batch_size=512", "batch_size=511"}


def test_the_same_run_as_another_seed_is_the_same_variant(refused: Refused, runs: Path, tmp_path: Path) -> None:
    first = find_runs(runs)[0]
    other = copied(first, tmp_path / "copy", ("\nseed: 0", "\nseed: 7"))
    assert "Nothing to compare: 2 run(s) of one variant" in refused("compare", str(first), str(other))


def test_seeds_that_disagree_leave_it_open(runs: Path, tmp_path: Path) -> None:
    good, bad = find_runs(runs)[0], find_runs(runs)[2]
    again = copied(good, tmp_path / "again", ("lr: 0.02", "lr: 0.03"))
    worse = copied(bad, tmp_path / "worse", ("lr: 1.0e-07", "lr: 0.03"), ("\nseed: 0", "\nseed: 1"))
    comparison = compare([*map(str, find_runs(runs)[:2]), str(again), str(worse)])
    assert verdict(comparison, "lr=0.03").startswith("Open: lr=0.02 is better")


def test_one_seed_is_told_of(runs: Path) -> None:
    found = find_runs(runs)
    assert "had one seed" in verdict(compare([str(found[0]), str(found[2])]), "lr=1e-07")


def test_a_repeated_run_counts_once(runs: Path, tmp_path: Path) -> None:
    again = copied(find_runs(runs)[0], tmp_path / "again")
    comparison = compare([str(runs), str(again)])
    assert (len(comparison.runs), comparison.left_out) == (4, (1, 0))


def test_the_reference_may_be_named_or_be_a_run(runs: Path) -> None:
    bad = str(find_runs(runs)[2])
    by_name, by_run = (compare([str(runs)], against, "ndcg@10") for against in ("lr=1e-07", bad))
    assert by_name.reference == by_run.reference == "lr=1e-07"
    assert by_name.k == 10
    assert by_name.differences["lr=0.02"].mean < 0


@pytest.mark.parametrize(
    ("word", "name", "change"),
    [
        ("data.split_seed=1", "data", "split= and data.split_seed"),
        ("filter=none", "data", "with the same data=, filter=, split="),
        ("data.seed=1", "hash", "train them on the same files"),
        ("evaluation.mask=train", "mask", "with the same evaluation.mask"),
        ("protocol=paper", "protocol", "with the same protocol="),
        ("evaluation.max_users=50", "max_users", "with the same evaluation.max_users"),
    ],
)
def test_runs_of_another_task_are_refused(
    cli: Cli, refused: Refused, runs: Path, tmp_path: Path, word: str, name: str, change: str
) -> None:
    other = tmp_path / "other"
    cli("train", *POPULARITY, word, f"hydra.run.dir={other}")
    message = refused("compare", str(runs), str(other))
    assert f"These runs differ in {name} and cannot be compared" in message
    assert change in message
    assert f": {other}" in message


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["k=5"], "Not all runs were judged at k=5; choose k= of all"),
        (["metric=auc"], "metric='auc' is unknown; choose one of recall@10"),
        (["against=me"], "against='me' is none of these runs"),
    ],
)
def test_bad_words_are_refused(refused: Refused, runs: Path, words: list[str], message: str) -> None:
    assert message in refused("compare", str(runs), *words)


def test_a_folder_without_runs_is_refused(refused: Refused, tmp_path: Path) -> None:
    assert "is not a run folder, and holds none" in refused("compare", str(tmp_path))
    assert "holds no finished run" in refused("report", str(tmp_path))
    assert "No folder" in refused("report", str(tmp_path / "absent"))


def test_a_report_has_one_table_a_data_set(cli: Cli, runs: Path, tmp_path: Path) -> None:
    shutil.copytree(runs, tmp_path / "one")
    cli("train", *POPULARITY, "filter=none", f"hydra.run.dir={tmp_path / 'two' / 'deep'}")
    cli("report", str(tmp_path))
    markdown, latex = ((tmp_path / "report" / name).read_text() for name in ("table.md", "table.tex"))
    assert markdown.count("## synthetic/random-5core (hash") == markdown.count("## synthetic/random (hash") == 1
    assert latex.count(r"\begin{tabular}") == 2
    assert "| lr=0.02 | 2 | **" in markdown
    means = pl.read_csv(tmp_path / "report" / "table.csv")
    assert means["label"].to_list() == ["lr=0.02", "lr=1e-07", "popularity", "popularity"]
    each = pl.read_csv(tmp_path / "report" / "runs.csv")
    assert len(each) == 5
    own = each.filter(pl.col("label") == "lr=0.02")["test/recall@20"]
    assert means["test/recall@20"][0] == pytest.approx(own.mean())
    assert means["test/recall@20_std"][0] == pytest.approx(own.std())


def test_a_baseline_that_is_a_run_stands_in_the_table_once(cli: Cli, runs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "popularity"
    cli("train", *POPULARITY, f"hydra.run.dir={folder}")
    comparison = compare([str(runs), str(folder)])
    assert set(comparison.differences) == {"lr=1e-07", "popularity"}
    from graftrec.reporting.sheets import make_sheet

    sheet = make_sheet(comparison.runs, comparison.baselines, ["test/recall@20"])
    assert sheet.rows["label"].to_list().count("popularity") == 1


def test_a_row_says_what_a_run_was(runs: Path) -> None:
    row = read_runs(find_runs(runs)).row(0, named=True)
    told = {name: row[name] for name in ("name", "task", "data", "protocol", "mask", "seed", "model", "epochs")}
    assert told == {
        "name": "0_lightgcn_seed0", "task": "ranking", "data": "synthetic/random-5core", "protocol": "clean",
        "mask": "train_and_valid", "seed": 0, "model": "lightgcn", "epochs": 2,
    }  # fmt: skip
    assert read_baselines(find_runs(runs))["label"].to_list() == ["popularity"]
