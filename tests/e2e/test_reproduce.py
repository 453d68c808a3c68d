"""``graftrec reproduce`` on small files in LightGCN's format, in the place of data that is not here."""

import json
from pathlib import Path

import numpy as np
import pytest

from graftrec.cli.main import main
from graftrec.pipeline.reproduce import experiments
from tests.e2e.conftest import Cli, Refused

RECIPE = "lightgcn/yelp2018"
QUICK = ["dim=8", "trainer.max_epochs=4", "trainer.check_val_every_n_epoch=2", "batch_size=256", "optimizer.lr=0.05"]
WORDS = [*QUICK, "data.statistics=null", "logger=csv", "trainer.enable_progress_bar=false"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of data sets with a yelp2018 of 60 users and 200 items in two groups."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "yelp2018").mkdir()
    rng, lines = np.random.default_rng(0), {"train": [], "test": []}
    for user in range(60):
        items = 100 * (user % 2) + rng.permutation(100)[:30]
        lines["train"].append(" ".join(map(str, [user, *items[:20]])))
        lines["test"].append(" ".join(map(str, [user, *items[20:]])))
    for part, rows in lines.items():
        (folder / "yelp2018" / f"{part}.txt").write_text("\n".join(rows) + "\n")
    return folder


@pytest.fixture(scope="module")
def recorded(data: Path, cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Folder of a finished reproduction, and words that make what came out its target."""
    folder = tmp_path_factory.mktemp("reproduced")
    with pytest.raises(SystemExit) as ended:  # far above the paper's numbers
        cli("reproduce", RECIPE, *WORDS, "seeds=[0,1]", f"paths.data={data}", f"folder={folder}")
    assert ended.value.code == 1
    got = {row["metric"]: row["got"] for row in read(folder)["metrics"]}
    targets = ", ".join(f"{metric}: {value}" for metric, value in got.items())
    return folder, [f"paper.targets={{{targets}}}", "paper.tolerance=1e-6", f"paths.data={data}"]


def test_seeds_may_be_written_with_hydras_plus(recorded: tuple[Path, list[str]], cli: Cli) -> None:
    folder, words = recorded
    cli("reproduce", RECIPE, *WORDS, "+seeds=[0,1]", f"++folder={folder}", *words)
    assert read(folder)["seeds"] == [0, 1]
    assert not any("seeds" in word or "folder=" in word for word in read(folder)["changed"])


def read(folder: Path) -> dict:
    return json.loads((folder / RECIPE / "reproduce.json").read_text())


def test_finished_runs_are_kept_and_pass_their_own_numbers(
    recorded: tuple[Path, list[str]], cli: Cli, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, words = recorded
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("metrics.json")}
    cli("reproduce", RECIPE, *WORDS, "seeds=[0,1]", f"folder={folder}", *words)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("metrics.json")} == before
    assert (read(folder)["passed"], read(folder)["seeds"], read(folder)["leaky"]) == (True, [0, 1], True)
    out = capsys.readouterr().out
    assert out.count("│ pass") == 2
    assert "±" in out


def test_another_layer_mix_fails_visibly(
    recorded: tuple[Path, list[str]], cli: Cli, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = [*WORDS, "encoder.mix=last", "seeds=[0,1]", f"folder={tmp_path}", *recorded[1]]
    with pytest.raises(SystemExit) as ended:
        cli("reproduce", RECIPE, *words)
    out = capsys.readouterr().out
    assert ended.value.code == 1
    assert [row["passed"] for row in read(tmp_path)["metrics"]] == [False, False]
    assert (out.count("│ fail"), "changed:" in out, "encoder.mix=last" in out) == (2, True, True)


def test_a_folder_with_other_settings_is_refused(recorded: tuple[Path, list[str]], refused: Refused) -> None:
    folder, words = recorded
    message = refused("reproduce", RECIPE, *WORDS, "encoder.mix=last", f"folder={folder}", *words)
    assert "seed0 holds a run with encoder.mix=mean, and this command has last; give the same settings" in message


def test_an_interrupted_run_goes_on(recorded: tuple[Path, list[str]], cli: Cli) -> None:
    folder, words = recorded
    run = folder / RECIPE / "seed0"
    before, trained = json.loads((run / "metrics.json").read_text()), (run / "checkpoints/last.ckpt").stat().st_mtime_ns
    (run / "metrics.json").unlink()
    cli("reproduce", RECIPE, *WORDS, "seeds=[0,1]", f"folder={folder}", *words)
    assert json.loads((run / "metrics.json").read_text()) == before
    assert (run / "checkpoints/last.ckpt").stat().st_mtime_ns == trained


def test_other_files_than_the_published_ones_are_refused(data: Path, refused: Refused, tmp_path: Path) -> None:
    message = refused("reproduce", RECIPE, *QUICK, f"paths.data={data}", f"folder={tmp_path / 'new'}")
    assert "data=yelp2018 holds 60 users, but the published data has 31,668; bring the files of github.com" in message
    assert not (tmp_path / "new" / RECIPE / "seed0").exists()


def test_missing_data_is_told_with_its_numbers(refused: Refused, tmp_path: Path) -> None:
    message = refused("reproduce", RECIPE, f"paths.data={tmp_path}", f"folder={tmp_path / 'new'}")
    assert "data/yelp2018 (31,668 users, 38,048 items, 1,561,406 interactions)" in message


def test_nothing_chosen_on_the_test_set_is_not_leaky(data: Path, cli: Cli, tmp_path: Path) -> None:
    words = ["data.statistics=null", "logger=csv", f"paths.data={data}", f"folder={tmp_path}"]
    cli("reproduce", "gfcf/yelp2018", *words)
    content = json.loads((tmp_path / "gfcf/yelp2018/reproduce.json").read_text())
    assert (content["leaky"], content["data"], content["passed"]) == (False, "yelp2018/lightgcn", True)


@pytest.fixture(scope="module")
def formats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 40 users and 30 items as MovieLens-1M and as AlphaRec's games are written."""
    folder = tmp_path_factory.mktemp("formats")
    rng, ratings, lines = np.random.default_rng(0), [], {"train": [], "valid": [], "test": []}
    for user in range(40):
        items = rng.permutation(30)[:20].tolist()
        ratings += [f"{user + 1}::{item + 1}::{rng.integers(1, 6)}::{978300000 + item}" for item in items]
        for part, chosen in zip(lines, (items[:8], items[8:14], items[14:]), strict=True):
            lines[part].append(" ".join(map(str, [user, *chosen])))
    for name in ("ml-1m", "alpharec-games"):
        (folder / name).mkdir()
    films = [f"{item + 1}::Film {item} (1999)::Drama|Crime" for item in range(30)]
    for name, rows in (("ratings", ratings), ("movies", films)):
        (folder / "ml-1m" / f"{name}.dat").write_text("\n".join(rows) + "\n", encoding="latin-1")
    for part, rows in lines.items():
        (folder / "alpharec-games" / f"{part}.txt").write_text("\n".join(rows) + "\n")
    games = "item\ttitle\n" + "".join(f"{item}\tGame {item}\n" for item in range(30))
    (folder / "alpharec-games" / "items.tsv").write_text(games)
    return folder


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *((f"{method}/movielens_1m", ["data.statistics=null"]) for method in ("mf", "sgl", "simgcl", "xsimgcl")),
        ("alpharec/games", ["features=hashing", "~features.encoder.model", "trainer.check_val_every_n_epoch=1"]),
    ],
)
def test_a_recipe_runs_on_files_of_its_datas_format(
    formats: Path, cli: Cli, tmp_path: Path, name: str, words: list[str]
) -> None:
    quick = ["trainer.max_epochs=1", "dim=8", "logger=csv", f"paths.data={formats}", f"folder={tmp_path}"]
    with pytest.raises(SystemExit) as ended:  # these files are not the paper's
        cli("reproduce", name, *words, *quick)
    assert ended.value.code == 1
    content = json.loads((tmp_path / name / "reproduce.json").read_text())
    data = "movielens_1m/random80_10_10_down-rating3" if "1m" in name else "alpharec_games/given"
    assert (content["data"], content["leaky"]) == (data, False)
    assert all(row["got"] > 0 for row in content["metrics"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lightgcn/gowala"], "There is no recipe lightgcn/gowala. Did you mean lightgcn/gowalla"),
        (["amazon_office"], "experiment=amazon_office names no published numbers"),
        (["lightgcn/gowalla", "mf/gowalla"], "takes one recipe, not 2: lightgcn/gowalla mf/gowalla"),
        (
            ["lightgcn/gowalla", "seed=5"],
            "seed=5 is no setting of graftrec reproduce; the seeds of its runs are seeds=[0,1,2]",
        ),
        (["gfcf/gowalla", "experiment=ease/gowalla"], "experiment=ease/gowalla is no setting of graftrec reproduce"),
        (["experiment=gfcf/gowalla"], "the recipe stands alone, such as graftrec reproduce gfcf/gowalla"),
        (["lightgcn/gowalla", "++seed=5"], "++seed=5 is no setting of graftrec reproduce"),
        (["lightgcn/gowalla", "sweep=lightgcn"], "sweep=lightgcn is no setting of graftrec reproduce"),
        (["lightgcn/gowalla", "resume=outputs"], "the same command again goes on with interrupted runs"),
        (
            ["lightgcn/gowalla", "paper.tolerance=narrow"],
            "paper.tolerance=narrow of experiment=lightgcn/gowalla must be a number",
        ),
        (["gfcf"], "There is no recipe gfcf. Did you mean gfcf/amazon_book or gfcf/gowalla or gfcf/yelp2018?"),
        (["GFCF/gowalla.yaml"], "Did you mean gfcf/gowalla"),
        (["lightgcn/gowalla", "seeds=[0,0]"], "seeds=[0,0] must be different whole numbers"),
        (["lightgcn/gowalla", "seeds=[0,"], "seeds=[0, must be different whole numbers >= 0"),
        (["lightgcn/gowalla", "--epochs", "3"], "--epochs is unknown"),
        (["lightgcn/gowalla", "encoder=lightgnc"], "encoder=lightgnc is unknown. Did you mean encoder=lightgcn?"),
        (["lightgcn/gowalla", "paper.tolerence=1"], "There is no setting paper.tolerence"),
    ],
)
def test_wrong_words_are_refused(refused: Refused, words: list[str], message: str) -> None:
    assert message in refused("reproduce", *words)


def test_the_list_shows_every_file_with_targets(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    monkeypatch.setattr("sys.argv", ["graftrec", "reproduce", "--list"])
    monkeypatch.setenv("GRAFTREC_DATA", str(data))
    main()
    out = capsys.readouterr().out
    conf = Path(__file__).parents[2] / "conf" / "experiment"
    named = [name for name in experiments() if "\npaper:" in (conf / f"{name}.yaml").read_text()]
    shown = {line.split("│")[1].strip(): line for line in out.splitlines() if line.startswith("│")}
    assert [name for name in shown if name] == named
    assert ("yes" in shown["gfcf/yelp2018"].split(), "no" in shown["gfcf/amazon_book"].split()) == (True, True)
