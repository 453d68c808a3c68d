"""From the command line to a finished run folder, and back."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

import graftrec
from tests.e2e.conftest import SMALL, Cli


def metrics_of(folder: Path) -> dict[str, float]:
    """The flat metrics of a run."""
    content: dict[str, float] = json.loads((folder / "metrics.json").read_text())
    return content


def test_run_folder_is_complete(small_run: Path) -> None:
    files = {path.relative_to(small_run).as_posix() for path in small_run.rglob("*") if path.is_file()}
    assert {
        "config.yaml",
        "metrics.json",
        "metrics.csv",
        "per_user.parquet",
        "recommendations.parquet",
        "environment.json",
        "run.json",
        "embeddings.safetensors",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
        "dataset/interactions.parquet",
        "dataset/users.parquet",
        "dataset/items.parquet",
    } <= files
    assert not [name for name in files if name.endswith(".partial")]


def test_as_many_threads_are_used_as_asked_for(cli: Cli, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    try:
        cli("train", *SMALL, "threads=2", "trainer.max_epochs=1", "logger=csv", f"hydra.run.dir={tmp_path}/run")
    finally:
        torch.set_num_threads(before)
    assert json.loads((tmp_path / "run" / "environment.json").read_text())["threads"] == 2


def test_learning_curves_have_a_row_an_epoch(small_run: Path) -> None:
    curves = pl.read_csv(small_run / "metrics.csv")
    assert curves["epoch"].to_list() == [0, 1, 2]
    assert {"train/loss", "train/loss/softmax", "valid/recall@20", "valid/ndcg@10"} <= set(curves.columns)
    assert curves.null_count().sum_horizontal().item() == 0


def test_metrics_are_means_of_the_users_values(small_run: Path) -> None:
    per_user = pl.read_parquet(small_run / "per_user.parquet")
    for name in ("recall@20", "ndcg@10", "f1@20"):
        assert metrics_of(small_run)[f"test/{name}"] == pytest.approx(per_user[name].cast(pl.Float64).mean(), abs=1e-12)


def test_reported_validation_is_that_of_the_best_epoch(small_run: Path) -> None:
    curves = pl.read_csv(small_run / "metrics.csv")
    assert metrics_of(small_run)["valid/ndcg@20"] == pytest.approx(curves["valid/ndcg@20"].max(), abs=1e-6)


def test_the_same_command_twice_gives_identical_metrics(small_run: Path, cli: Cli, tmp_path: Path) -> None:
    cli("train", *SMALL, "logger=csv", f"hydra.run.dir={tmp_path}")
    assert metrics_of(tmp_path) == metrics_of(small_run)


def test_another_seed_trains_differently_on_the_same_split(small_run: Path, cli: Cli, tmp_path: Path) -> None:
    cli("train", *SMALL, "logger=csv", "seed=7", f"hydra.run.dir={tmp_path}")
    facts = [json.loads((folder / "run.json").read_text())["data"] for folder in (small_run, tmp_path)]
    assert facts[0] == facts[1]
    assert metrics_of(tmp_path) != metrics_of(small_run)


def test_table_at_the_end(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli("train", *SMALL, "logger=csv", f"hydra.run.dir={tmp_path}")
    printed = capsys.readouterr().out
    for expected in ("popularity", "item-kNN", "this run", "lists of 20", "peak memory"):
        assert expected in printed
    assert printed.strip().splitlines()[-1] == str(tmp_path)


def test_one_epoch_and_a_short_path(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cli("train", *SMALL, "trainer.max_epochs=1", "hydra.run.dir=run")
    printed = capsys.readouterr().out
    assert "\n1 epoch (best: 1)" in printed
    assert "To upload to W&B: wandb sync run/wandb/offline-run-" in printed


def test_evaluate_reproduces_the_metrics_from_the_folder_alone(small_run: Path) -> None:
    results = graftrec.load_run(small_run).evaluate()
    again = {f"{part}/{name}": value for part, result in results.items() for name, value in result.values.items()}
    assert again == pytest.approx(metrics_of(small_run), abs=1e-7)


def test_evaluate_with_other_lists(small_run: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    cli("evaluate", f"run={small_run}", "k=[5]", "mask=train")
    printed = capsys.readouterr().out
    assert "recall@5" in printed
    assert "recall@20" not in printed


def test_recommend_prints_titles(small_run: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    cli("recommend", f"run={small_run}", "user=5", "k=3")
    printed = capsys.readouterr().out
    assert "User 5" in printed
    assert printed.count("number") >= 6  # three titles of the history, three recommended


def test_recommendations_are_never_known_items(small_run: Path) -> None:
    run = graftrec.load_run(small_run)
    users = run.dataset.users.ids.head(20).to_list()
    lists = run.recommend(users, k=5)
    assert lists.columns == ["user", "rank", "item", "score", "title"]
    assert lists["rank"].to_list() == [1, 2, 3, 4, 5] * 20
    for user in users:
        recommended = set(lists.filter(pl.col("user") == user)["item"])
        assert not recommended & set(run.history(user)["item"])


def test_one_id_may_be_given_instead_of_a_list(small_run: Path) -> None:
    run = graftrec.load_run(small_run)
    for one in (5, "5", np.int64(5)):
        assert run.recommend(one, k=3).equals(run.recommend([5], k=3))


def test_planted_groups_are_recommended(small_run: Path) -> None:
    run = graftrec.load_run(small_run)
    lists = run.recommend(run.dataset.users.ids.to_list(), k=3)
    same_group = (lists["user"] % 4 == lists["item"] % 4).mean()
    assert same_group > 0.6  # 0.25 by chance


def test_unknown_user_is_refused(small_run: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli("recommend", f"run={small_run}", "user=99999")
    assert "1 of 1 user ids are unknown (first: 99999)" in capsys.readouterr().err


def test_paper_protocol_on_train_and_test_files_is_tagged_leaky(cli: Cli, tmp_path: Path) -> None:
    lines = "\n".join(f"{user} " + " ".join(str((user * 7 + 3 * n) % 50) for n in range(12)) for user in range(80))
    held_out = "\n".join(f"{user} {(user * 7 + 36) % 50} {(user * 7 + 39) % 50}" for user in range(80))
    (tmp_path / "train.txt").write_text(lines)
    (tmp_path / "test.txt").write_text(held_out)
    own = ["data=lightgcn_text", f"data.train={tmp_path}/train.txt", f"data.test={tmp_path}/test.txt"]
    settings = [word for word in SMALL if not word.startswith(("data", "features"))]
    for protocol, tags, data_id in (
        ("paper", ["leaky"], "lightgcn_text/given"),
        ("clean", [], "lightgcn_text/given-valid10"),
    ):
        folder = tmp_path / protocol
        cli(
            "train", *own, *settings, "features=none", "input=id", f"protocol={protocol}", "logger=csv",
            f"hydra.run.dir={folder}",
        )  # fmt: skip
        facts = json.loads((folder / "run.json").read_text())
        assert (facts["tags"], facts["data"]["id"]) == (tags, data_id)
        assert graftrec.load_run(folder).dataset.leaky == (protocol == "paper")


def test_own_tables_from_the_command_line_alone(cli: Cli, tmp_path: Path) -> None:
    rows = [f"u{user},item {(user * 5 + n * (1 + user % 3)) % 30}" for user in range(60) for n in range(10)]
    (tmp_path / "ratings.csv").write_text("uid,movie\n" + "\n".join(rows))
    films = [f'item {n},"Film, the {n}th",drama' for n in range(30)]
    (tmp_path / "items.csv").write_text("movie,title,genres\n" + "\n".join(films))
    settings = [word for word in SMALL if not word.startswith("data")]
    folder = tmp_path / "run"
    cli(
        "train", "data=table", f"data.interactions={tmp_path}/ratings.csv", f"data.items={tmp_path}/items.csv",
        "data.item_text=[title,genres]", "data.columns.user=uid", "data.columns.item=movie",
        *settings, "logger=csv", f"hydra.run.dir={folder}",
    )  # fmt: skip
    listed = graftrec.load_run(folder).recommend(["u7"], k=4)
    assert listed["title"].str.starts_with("Film, the ").all()


def test_a_used_folder_is_refused(small_run: Path, cli: Cli, capsys: pytest.CaptureFixture[str]) -> None:
    before = metrics_of(small_run)
    with pytest.raises(SystemExit):
        cli("train", *SMALL, "seed=5", f"hydra.run.dir={small_run}")
    assert "holds a run already" in capsys.readouterr().err
    assert metrics_of(small_run) == before


def test_a_failing_job_does_not_end_the_sweep(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli(
            "train", "-m", *SMALL, "logger=csv", "objective.terms.softmax.temperature=-1,0.2",
            f"hydra.sweep.dir={tmp_path}",
        )  # fmt: skip
    assert end.value.code == 1
    assert [path.parent.name[0] for path in tmp_path.glob("*/metrics.json")] == ["1"]
    printed = capsys.readouterr().err
    assert "job 0 failed: softmax.temperature=-1 must be > 0" in printed
    assert "1 job of the sweep failed" in printed


def test_behaviours_are_weighted_from_the_command_line(cli: Cli, tmp_path: Path) -> None:
    rows = [f"{user},{(user * 5 + n) % 30},{'view' if n % 2 else 'buy'}" for user in range(60) for n in range(10)]
    (tmp_path / "events.csv").write_text("user,item,event\n" + "\n".join(rows))
    own = ["data=table", f"data.interactions={tmp_path}/events.csv", "data.columns.behaviour=event", "input=id"]
    weights = ["weighting=behaviour", "weighting.weights={view: 1, buy: 4}", "features=none", "logger=csv"]
    settings = [word for word in SMALL if not word.startswith(("data", "features"))]
    cli("train", *own, *weights, *settings, f"hydra.run.dir={tmp_path}/run")
    assert graftrec.load_run(tmp_path / "run").facts["sizes"]["edges"] > 0
