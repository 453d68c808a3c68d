"""``baseline=``: a recommender without training has a run folder like any other."""

from pathlib import Path

import polars as pl
import pytest

import graftrec
from tests.e2e.conftest import SMALL, Cli, Refused

TRAINED = [*(word for word in SMALL if not word.startswith("trainer.max")), "logger=csv", "trainer.max_epochs=1"]
WORDS = [word for word in TRAINED if word.split(".")[0].split("=")[0] not in ("trainer", "optimizer")]


@pytest.fixture(scope="module")
def ease(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baseline") / "run"
    cli("train", *WORDS, "baseline=ease", "baseline.grid.penalty=[1,30,1000]", f"hydra.run.dir={folder}")
    return folder


def test_settings_are_chosen_on_validation_and_kept(ease: Path) -> None:
    run = graftrec.load_run(ease)
    assert run.facts["model"]["name"] == "EASE"
    assert run.facts["model"]["settings"]["penalty"] in (1, 30, 1000)
    assert run.metrics["test/recall@10"] > 1.5 * run.facts["baselines"]["popularity"]["metrics"]["test/recall@10"]


def test_the_folder_alone_gives_the_same_metrics_and_lists(ease: Path) -> None:
    run = graftrec.load_run(ease)
    results = run.evaluate()
    again = {f"{part}/{name}": value for part, result in results.items() for name, value in result.values.items()}
    assert again == run.metrics
    lists = run.recommend(run.dataset.users.ids[:3].to_list(), k=5)
    assert lists["rank"].to_list() == [1, 2, 3, 4, 5] * 3
    mean = pl.read_parquet(run.folder.per_user)["recall@10"].mean()
    assert mean == pytest.approx(run.metrics["test/recall@10"])


def test_it_is_the_same_as_the_baseline_beside_a_run(cli: Cli, ease: Path, tmp_path: Path) -> None:
    words = ["baselines=strong", "baselines.models.ease.grid.penalty=[1,30,1000]"]
    words += ["~baselines.models.gfcf", "~baselines.models.item_knn"]
    cli("train", *(word for word in TRAINED if "item_knn" not in word), *words, f"hydra.run.dir={tmp_path / 'run'}")
    beside = graftrec.load_run(tmp_path / "run").facts["baselines"]
    assert list(beside) == ["popularity", "EASE", "text-kNN"]
    own = graftrec.load_run(ease).metrics
    assert beside["EASE"]["metrics"] == {name: value for name, value in own.items() if name.startswith("test/")}


def test_a_sweep_compares_them_with_encoders(cli: Cli, tmp_path: Path) -> None:
    cli("train", "-m", *WORDS, "baseline=gfcf,text_knn", f"hydra.sweep.dir={tmp_path}")
    cli("train", *TRAINED, f"hydra.run.dir={tmp_path / 'trained'}")
    from graftrec.reporting.summary import print_summary

    print_summary(tmp_path)
    assert sorted(pl.read_csv(tmp_path / "summary.csv")["encoder"]) == ["GF-CF", "lightgcn", "text-kNN"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["baseline=ease", "task=interest"], "baseline=ease ranks items; leave out task=interest"),
        (["baseline=ease", "monitor=valid/auc"], "monitor='valid/auc' is unknown; choose one of valid/recall@10"),
        (["baseline=ease", "baseline.grid.penalty=[-1]"], "EASE's penalty=-1 must be > 0"),
        (["baseline=text_knn", "features=none"], "text-kNN needs item features"),
    ],
)
def test_bad_settings_are_refused(refused: Refused, tmp_path: Path, words: list[str], message: str) -> None:
    folder = tmp_path / "run"
    assert message in refused("train", *WORDS, *words, f"paths.cache={tmp_path}", f"hydra.run.dir={folder}")
    assert not folder.exists()
