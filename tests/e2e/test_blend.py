"""``graftrec blend``: two runs as one, in a folder like any other."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

import graftrec
from graftrec.pipeline.run_folder import RunFolder
from graftrec.reporting.runs import find_runs, read_runs
from tests.e2e.conftest import Cli, Refused
from tests.e2e.test_baseline_run import WORDS


@pytest.fixture(scope="module")
def ease(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blend") / "ease"
    cli("train", *WORDS, "baseline=ease", "baseline.grid.penalty=[30]", f"hydra.run.dir={folder}")
    return folder


@pytest.fixture(scope="module")
def blended(cli: Cli, ease: Path, small_run: Path) -> Path:
    folder = ease.parent / "blend"
    cli("blend", f"runs=[{ease},{small_run}]", f"folder={folder}")
    return folder


def test_the_weight_is_the_best_on_validation(cli: Cli, ease: Path, small_run: Path, blended: Path) -> None:
    values = {}
    for weight in np.arange(0, 1.01, 0.1).round(1):
        folder = ease.parent / f"weight_{weight}"
        cli("blend", f"runs=[{ease},{small_run}]", f"weight={weight}", f"folder={folder}")
        values[weight] = graftrec.load_run(folder).metrics["valid/ndcg@20"]
    run = graftrec.load_run(blended)
    chosen = run.facts["model"]["settings"]["weight"]
    assert chosen == max(values, key=values.__getitem__)
    assert run.metrics["valid/ndcg@20"] == values[chosen]


@pytest.mark.parametrize("method", ["weighted", "reciprocal_rank"])
def test_all_weight_on_a_run_gives_its_lists_and_metrics(
    cli: Cli, ease: Path, small_run: Path, tmp_path: Path, method: str
) -> None:
    for weight, member in ((1, ease), (0, small_run)):
        folder = tmp_path / str(weight)
        words = [f"method={method}", f"weight={weight}", f"folder={folder}"]
        cli("blend", f"runs=[{ease},{small_run}]", *words)
        whole, own = graftrec.load_run(folder), graftrec.load_run(member)
        users = own.dataset.users.ids.to_list()
        assert whole.recommend(users, k=10).equals(own.recommend(users, k=10))
        assert whole.metrics == own.metrics


def test_the_folder_is_evaluated_and_recommends_like_any_other(
    cli: Cli, blended: Path, ease: Path, small_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = graftrec.load_run(blended)
    results = run.evaluate()
    again = {f"{part}/{name}": value for part, result in results.items() for name, value in result.values.items()}
    assert again == run.metrics
    assert pl.read_parquet(run.folder.per_user)["ndcg@20"].mean() == pytest.approx(run.metrics["test/ndcg@20"])
    assert run.strata["recall@20"].len() > 0
    assert [member["folder"] for member in run.facts["members"]] == [str(ease), str(small_run)]
    cli("recommend", f"run={blended}", f"user={run.dataset.users.ids[0]}")
    assert "Recommended:" in capsys.readouterr().out


def test_what_is_damaged_in_a_blend_is_to_be_blended_again(
    refused: Refused, blended: Path, ease: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(blended, copy)
    (copy / "per_user.parquet").write_bytes(b"no table")
    told = f"delete {copy} and blend again: graftrec blend runs=[...]"
    assert told in refused("compare", str(copy), str(ease))
    (copy / "metrics.json").unlink()
    assert told in refused("compare", str(copy), str(ease))
    assert "is a blend, which has nothing to continue" in refused("train", f"resume={copy}")


def test_a_blend_that_was_interrupted_is_written_again(
    cli: Cli, blended: Path, ease: Path, small_run: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(blended, copy)
    (copy / "metrics.json").unlink()
    cli("blend", f"runs=[{ease},{small_run}]", f"folder={copy}")
    assert graftrec.load_run(copy).metrics == graftrec.load_run(blended).metrics


def test_a_blend_is_a_member_of_a_blend(cli: Cli, blended: Path, small_run: Path, tmp_path: Path) -> None:
    cli("blend", f"runs=[{blended},{small_run}]", "weight=1", f"folder={tmp_path / 'run'}")
    assert graftrec.load_run(tmp_path / "run").metrics == graftrec.load_run(blended).metrics


@pytest.fixture(scope="module")
def others(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runs of popularity that ask another question than those above."""
    changes = {"data": "data.split_seed=1", "mask": "evaluation.mask=train", "protocol": "protocol=paper"}
    folders = {name: tmp_path_factory.mktemp("others") / name for name in changes}
    for name, change in changes.items():
        cli("train", *WORDS, "baseline=popularity", change, f"hydra.run.dir={folders[name]}")
    return folders


@pytest.mark.parametrize(
    ("name", "message"),
    [("data", "differ in their data"), ("mask", "differ in their evaluation.mask"), ("protocol", "their protocol")],
)
def test_runs_of_another_question_are_refused(
    refused: Refused, ease: Path, others: dict[str, Path], tmp_path: Path, name: str, message: str
) -> None:
    folder = tmp_path / "run"
    assert message in refused("blend", f"runs=[{ease},{others[name]}]", f"folder={folder}")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["weight=2"], "A weight of the first run must be a number in [0, 1]; given: 2"),
        (["weights=much"], "must be a number in [0, 1]; given: much"),
        (["tuning_users=0"], "tuning_users=0 must be a whole number >= 1, or null for all"),
        (["tuning_users=some"], "tuning_users=some must be a whole number"),
        (["method=mean"], "method='mean' is unknown; choose one of weighted, reciprocal_rank"),
        (["metric=auc"], "metric='auc' is unknown; choose one of"),
        (["metric=ndcg@20"], "metric='ndcg@20' is unknown; choose one of"),
    ],
)
def test_bad_settings_are_refused(
    refused: Refused, ease: Path, small_run: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    assert message in refused("blend", f"runs=[{ease},{small_run}]", *words, f"folder={tmp_path / 'run'}")


def test_one_run_is_no_blend(refused: Refused, ease: Path) -> None:
    assert "made of two runs, and 1 were given" in refused("blend", f"runs={ease}")


def test_a_run_is_not_blended_with_itself(refused: Refused, ease: Path) -> None:
    assert "was given twice" in refused("blend", f"runs=[{ease},{ease}]")


@pytest.mark.parametrize("runs", ["null", "[]", "[1,2]", "{a: 1}"])
def test_what_is_no_list_of_folders_is_refused(refused: Refused, runs: str) -> None:
    assert "must be two run folders; write runs=[RUN_A,RUN_B]" in refused("blend", f"runs={runs}")


def test_blends_that_differ_in_their_members_seeds_are_one_variant(
    cli: Cli, ease: Path, small_run: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(small_run, other)
    config = yaml.safe_load((other / "config.yaml").read_text())
    (other / "config.yaml").write_text(yaml.safe_dump({**config, "seed": config["seed"] + 1}))
    for member in (small_run, other):
        cli("blend", f"runs=[{ease},{member}]", "weight=0.5", f"folder={tmp_path / 'blends' / member.name}")
    cli("blend", f"runs=[{ease},{small_run}]", "weight=0.4", f"folder={tmp_path / 'blends' / 'weight'}")
    runs = read_runs([*find_runs(tmp_path / "blends"), ease, small_run])
    blends = ["EASE + lightgcn weight=0.5"] * 2 + ["EASE + lightgcn weight=0.4"]
    assert runs["label"].to_list() == [*blends, "EASE", "encoder=lightgcn"]
    assert (runs["seed"] - config["seed"]).to_list() == [1, 0, 0, 0, 0]
    assert runs["trained"].to_list() == [True, True, True, False, True]


def test_no_weight_is_chosen_on_the_test_set(cli: Cli, refused: Refused, tmp_path: Path) -> None:
    """Data with a given split has no validation part under protocol=paper."""
    for part, offsets in (("train", range(8)), ("test", range(8, 12))):
        lines = (" ".join(map(str, [user, *((user * 3 + i) % 20 for i in offsets)])) for user in range(30))
        (tmp_path / f"{part}.txt").write_text("\n".join(lines) + "\n")
    data = [f"data.{part}={tmp_path / part}.txt" for part in ("train", "test")]
    words = ["data=lightgcn_text", *data, "protocol=paper", "evaluation.k=[5]", "monitor=valid/ndcg@5", "logger=csv"]
    runs = [tmp_path / name for name in ("popularity", "item_knn")]
    for run in runs:
        cli("train", *words, "baselines=none", "baseline=" + run.name, f"hydra.run.dir={run}")
    leaky = tmp_path / "leaky"
    quick = ["features=none", "input=id", "encoder=identity", "trainer.max_epochs=1", "dim=4", "trainer=cpu"]
    cli("train", *words, "baselines=none", *quick, f"hydra.run.dir={leaky}")
    for number, members in enumerate(((runs[0], leaky), (leaky, runs[0]))):
        cli("blend", f"runs=[{members[0]},{members[1]}]", "weight=0.5", f"folder={tmp_path / str(number)}")
        assert RunFolder.read_json(tmp_path / str(number) / "run.json")["tags"] == ["leaky"]
    both = f"runs=[{runs[0]},{runs[1]}]"
    assert "no weight may be chosen; give it: weight=0.5" in refused("blend", both, f"folder={tmp_path / 'refused'}")
    cli("blend", both, "weight=0.5", f"folder={tmp_path / 'blend'}")
    assert RunFolder.read_json(tmp_path / "blend" / "run.json")["model"]["settings"]["weight"] == 0.5
