"""Offline W&B runs: one a job, grouped, told everything, finished in every case."""

from pathlib import Path

import polars as pl
import pytest

from graftrec.features.stored import all_stored
from graftrec.pipeline.run import load_run
from tests.e2e.conftest import SMALL, Cli
from tests.offline_wandb import OfflineRun


@pytest.fixture(scope="module")
def tracked(small_run: Path) -> OfflineRun:
    """W&B's side of the small run."""
    return OfflineRun(small_run)


def test_run_is_finished_and_carries_id_group_and_type(tracked: OfflineRun) -> None:
    run = tracked.run
    assert (run["run_group"], run["job_type"], run["project"]) == ("synthetic/random-5core", "train", "graftrec")
    assert (run["display_name"], tracked.exit_code, tracked.summary["status"]) == ("small", 0, "finished")


def test_config_names_data_features_and_environment(tracked: OfflineRun, small_run: Path) -> None:
    run, config = load_run(small_run), tracked.config
    assert (config["data_id"], config["data_hash"]) == ("synthetic/random-5core", run.dataset.hash)
    assert config["store_key"] == run.facts["store_key"]
    assert config["store_key"] in [stored.key for stored in all_stored(Path(run.config.paths.cache) / "features")]
    assert config["environment"]["packages"]["graftrec"]
    assert config["dim"] == 16


def test_curves_are_those_of_the_csv_file(tracked: OfflineRun, small_run: Path) -> None:
    curves, history = pl.read_csv(small_run / "metrics.csv"), tracked.history
    assert {"train/loss/softmax", "train/lr", "valid/ndcg@20", "health/smoothness/1"} <= set(curves.columns)
    assert {"cost/epoch_seconds", "cost/examples_per_second", "cost/peak_gib"} <= set(curves.columns)
    assert curves["epoch"].to_list() == [0, 1, 2]
    for name in set(curves.columns) - {"epoch"}:
        logged = history.filter(pl.col(name).is_not_null())
        assert logged["epoch"].to_list() == [0, 1, 2]
        assert logged[name].to_list() == pytest.approx(curves[name].to_list())


def test_summary_has_metrics_of_the_best_epoch_baselines_and_costs(tracked: OfflineRun, small_run: Path) -> None:
    run, summary = load_run(small_run), tracked.summary
    assert {name: summary[name] for name in run.metrics} == pytest.approx(run.metrics)
    beside = run.facts["baselines"]["item-kNN"]["metrics"]["test/recall@20"]
    assert summary["baseline/item-kNN/test/recall@20"] == pytest.approx(beside)
    assert summary["cost/parameters"] == run.facts["parameters"]
    assert summary["cost/train_seconds"] == run.facts["stages"]["train"]["seconds"]


@pytest.mark.parametrize("name", ["per_user", "recommendations"])
def test_tables_are_those_of_the_folder(tracked: OfflineRun, small_run: Path, name: str) -> None:
    assert tracked.table(name).rows() == pl.read_parquet(small_run / f"{name}.parquet").rows()


def test_strata_are_a_table(tracked: OfflineRun, small_run: Path) -> None:
    assert tracked.table("strata").rows() == pl.read_csv(small_run / "strata.csv").rows()


def test_checkpoint_and_embeddings_are_artifacts_that_stay_where_they_are(tracked: OfflineRun, small_run: Path) -> None:
    made = {a["type"]: a["manifest"]["contents"][0] for a in tracked.of_type("artifact") if a["type"] != "run_table"}
    assert {kind: content["local_path"] for kind, content in made.items()} == {
        "model": str(small_run / "checkpoints" / "best.ckpt"),
        "embeddings": str(small_run / "embeddings.safetensors"),
    }


def test_nothing_is_kept_outside_the_run_folder(tracked: OfflineRun, small_run: Path) -> None:
    files = [content["local_path"] for a in tracked.of_type("artifact") for content in a["manifest"]["contents"]]
    assert len(files) == 5
    assert all(Path(file).is_relative_to(small_run) and Path(file).is_file() for file in files)


def test_each_job_of_a_multirun_is_a_run_also_where_one_fails(
    cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = tmp_path / "sweep"
    with pytest.raises(SystemExit):
        cli("train", "-m", *SMALL, "objective=bpr", "optimizer.lr=0.02,1e38", f"hydra.sweep.dir={sweep}")
    assert "training diverged" in capsys.readouterr().err
    good, bad = (OfflineRun(sweep / f"{number}_lightgcn_seed0") for number in range(2))
    assert [run.run["run_group"] for run in (good, bad)] == ["sweep", "sweep"]
    assert [run.run["display_name"] for run in (good, bad)] == ["0 optimizer.lr=0.02", "1 optimizer.lr=1e+38"]
    assert [(run.exit_code, run.summary["status"]) for run in (good, bad)] == [(0, "finished"), (1, "failed")]
    assert good.run["run_id"] != bad.run["run_id"]


def test_multirun_ends_with_a_summary_of_its_jobs(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = tmp_path / "sweep"
    cli("train", "-m", *SMALL, "encoder=gcn,lightgcn", "seed=1,2", "logger=csv", f"hydra.sweep.dir={sweep}")
    folders = sorted(path.parent for path in sweep.glob("*/metrics.json"))
    assert [folder.name for folder in folders] == ["0_gcn_seed1", "1_gcn_seed2", "2_lightgcn_seed1", "3_lightgcn_seed2"]
    summary = pl.read_csv(sweep / "summary.csv")
    assert sorted(zip(summary["encoder"], summary["seed"], strict=True)) == [
        ("gcn", 1),
        ("gcn", 2),
        ("lightgcn", 1),
        ("lightgcn", 2),
    ]
    printed = capsys.readouterr().out.strip().splitlines()
    assert printed[-1] == str(sweep / "summary.csv")


def test_run_of_a_baseline_is_tracked_too(cli: Cli, tmp_path: Path) -> None:
    cli("train", "data=synthetic", "features=none", "baseline=popularity", f"hydra.run.dir={tmp_path}/run")
    run = OfflineRun(tmp_path / "run")
    assert run.summary["test/recall@20"] == pytest.approx(load_run(run.folder).metrics["test/recall@20"])
    assert run.table("recommendations").rows() == pl.read_parquet(run.folder / "recommendations.parquet").rows()


def test_tensorboard_writes_event_files(cli: Cli, tmp_path: Path) -> None:
    cli("train", *SMALL, "logger=tensorboard", f"hydra.run.dir={tmp_path}")
    assert list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))
    assert not (tmp_path / "wandb").exists()
