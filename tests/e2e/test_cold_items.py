"""Held-out items, tables' columns and behaviours from the command line to the printed table."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import graftrec
from graftrec.reporting.tables import print_run
from tests.e2e.conftest import SMALL, Cli, Refused

QUICK = [*SMALL, "logger=csv", "trainer.max_epochs=4"]


def facts_of(folder: Path) -> dict:
    content: dict = json.loads((folder / "run.json").read_text())
    return content


@pytest.fixture(scope="module")
def cold_run(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "cold"
    cli("train", "experiment=cold_items", *QUICK, f"hydra.run.dir={folder}")
    return folder


def test_text_finds_items_that_training_never_saw(cold_run: Path) -> None:
    run = graftrec.load_run(cold_run)
    baselines = facts_of(cold_run)["baselines"]
    assert run.metrics["test/cold/ndcg@10"] > 1.3 * baselines["popularity"]["metrics"]["test/cold/ndcg@10"]
    assert run.metrics["test/recall@10"] > 5 * baselines["popularity"]["metrics"]["test/recall@10"]


def test_evaluation_from_the_folder_gives_both_candidate_sets_again(cold_run: Path) -> None:
    run = graftrec.load_run(cold_run)
    for part, result in run.evaluate().items():
        for name in ("recall@20", "cold/recall@20", "cold/ndcg@10"):
            assert result.values[name] == pytest.approx(run.metrics[f"{part}/{name}"], abs=1e-9)
    assert "cold/recall@10" in pl.read_parquet(cold_run / "per_user.parquet").columns


def test_both_candidate_sets_are_printed(cold_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_run(graftrec.load_run(cold_run))
    printed = capsys.readouterr().out
    assert "synthetic/cold_item-5core" in printed
    assert "lists of 20 cold items" in printed
    assert "items held out: 18" in printed  # 6 + 12 of 60


def test_ids_alone_are_warned_of(cli: Cli, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="input=id knows nothing of the items that split=cold_item holds out"):
        cli("train", *QUICK, "split=cold_item", "input=id", "trainer.max_epochs=1", f"hydra.run.dir={tmp_path}")


def test_users_without_items_or_text_are_refused(refused: Refused, tmp_path: Path) -> None:
    message = refused("train", *SMALL, "split=cold_user", f"hydra.run.dir={tmp_path}", f"paths.cache={tmp_path}")
    assert "split=cold_user holds users out with all their items" in message


def test_held_out_users_are_ranked_for_by_their_text(cli: Cli, tmp_path: Path) -> None:
    words = ["split=cold_user", "features.users=text", "input=text", "graph.isolated=self"]
    cli("train", *QUICK, *words, "trainer.max_epochs=6", f"hydra.run.dir={tmp_path}")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    popularity = facts_of(tmp_path)["baselines"]["popularity"]["metrics"]
    assert metrics["test/ndcg@10"] > 1.2 * popularity["test/ndcg@10"]


def test_held_out_users_are_ranked_for_by_a_column_of_theirs(cli: Cli, shop: list[str], tmp_path: Path) -> None:
    pl.DataFrame({"user": range(60), "kind": [f"k{user % 3}" for user in range(60)]}).write_csv(tmp_path / "people.csv")
    users = [f"data.users={tmp_path}/people.csv", "tabular=columns", "tabular.users.categorical=[kind]"]
    words = ["split=cold_user", "input=id_plus_text", "trainer.max_epochs=30"]
    cli("train", *shop, *users, *words, f"hydra.run.dir={tmp_path}/run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    popularity = facts_of(tmp_path / "run")["baselines"]["popularity"]["metrics"]
    assert metrics["test/recall@5"] > 2 * popularity["test/recall@5"]


def test_some_users_are_judged(cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli("train", *QUICK, "evaluation.max_users=9", "trainer.max_epochs=1", f"hydra.run.dir={tmp_path}")
    assert facts_of(tmp_path)["judged_users"] == {"test": 9, "valid": 9}
    assert "9 test users were judged" in capsys.readouterr().out


@pytest.fixture
def shop(tmp_path: Path) -> list[str]:
    """Words for 60 users and 30 items with prices and tags, views and buys."""
    rng = np.random.default_rng(0)
    rows = [(u, int(i) * 3 + u % 3, "view") for u in range(60) for i in rng.permutation(10)[:8]]
    rows += [(u, i, "buy") for u, i, _ in rows if rng.random() < 0.7]
    pl.DataFrame(rows, ["user", "item", "act"], orient="row").write_csv(tmp_path / "log.csv")
    goods = {"item": range(30), "price": rng.random(30), "tags": [f"kind{i % 3}|any" for i in range(30)]}
    pl.DataFrame(goods).write_csv(tmp_path / "goods.csv")
    words = [word for word in QUICK if not word.startswith(("data", "features"))]
    data = ["data=table", "data.name=shop", f"data.interactions={tmp_path}/log.csv", "data.columns.behaviour=act"]
    return [*words, *data, "features=none", "filter=none", "evaluation.k=[5]", "monitor=valid/ndcg@5"]


def test_columns_of_a_table_alone(shop: list[str], cli: Cli, tmp_path: Path) -> None:
    columns = ["tabular=columns", "tabular.items.multi_valued=[tags]", "tabular.items.numeric=[price]", "input=text"]
    cli("train", *shop, f"data.items={tmp_path}/goods.csv", *columns, f"hydra.run.dir={tmp_path}/run")
    run = graftrec.load_run(tmp_path / "run")
    popularity = facts_of(tmp_path / "run")["baselines"]["popularity"]["metrics"]
    assert run.metrics["test/recall@5"] > popularity["test/recall@5"]


def test_behaviours_from_the_command_line(
    shop: list[str], cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["input=id", "data.target_behaviour=buy", "graph=behaviours", f"hydra.run.dir={tmp_path}/run"]
    cli("train", *shop, *words)
    weights = facts_of(tmp_path / "run")["behaviour_weights"]
    assert (list(weights), sum(weights.values())) == (["buy", "view"], pytest.approx(1))
    printed = capsys.readouterr().out
    assert "shop/random-buy" in printed
    assert "learned weights of behaviours: buy" in printed
    assert len(graftrec.load_run(tmp_path / "run").recommend(3, k=3)) == 3


def test_behaviours_as_edge_weights_from_the_command_line(shop: list[str], cli: Cli, tmp_path: Path) -> None:
    words = ["input=id", "data.target_behaviour=buy", "weighting=behaviour", "weighting.weights={view: 1, buy: 4}"]
    cli("train", *shop, *words, f"hydra.run.dir={tmp_path}/run")
    facts = facts_of(tmp_path / "run")
    assert facts["sizes"]["edges"] == 2 * facts["data"]["counts"]["graph pairs"] > 2 * facts["sizes"]["train"]


def test_behaviours_with_attention_are_refused(shop: list[str], refused: Refused, tmp_path: Path) -> None:
    words = ["input=id", "graph=behaviours", "encoder=gat", f"hydra.run.dir={tmp_path}/run", f"paths.cache={tmp_path}"]
    assert "choose encoder=lightgcn, gcn or gin" in refused("train", *shop, *words)
