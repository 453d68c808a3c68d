"""Bad input through the command line and ``load_run``: one message, no traceback, nothing long done before."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import graftrec
from tests.e2e.conftest import SMALL, Cli, Refused


def small(folder: Path, *words: str) -> list[str]:
    """The words that train on small data, with a cache of its own."""
    return ["train", *SMALL, "logger=csv", f"hydra.run.dir={folder}/run", f"paths.cache={folder}/cache", *words]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["evaluation.k=[10,61]"],
            "evaluation.k=61 is larger than the catalogue of 60 items; set evaluation.k to",
        ),
        (["evaluation.k=10"], "evaluation.k=10 must be a list of whole numbers >= 1, such as [10,20]"),
        (["evaluation.k=[5,10]"], "monitor='valid/ndcg@20' is unknown; choose one of valid/recall@5"),
        (["evaluation.mask=all"], "evaluation.mask='all' is unknown; choose one of train, train_and_valid"),
        (["negatives.shared=0"], "softmax has no candidates: set negatives.shared > 0"),
        (["objective=bpr", "negatives.per_positive=0"], "bpr has no negatives: set negatives.per_positive >= 1"),
        (["objective=simplex", "negatives.shared=0"], "simplex has no negatives: set negatives.shared > 0"),
        (["objective=xsimgcl", "encoder=identity"], "xsimgcl.layer=1, but the encoder's layers are 0 to 0"),
        (["objective=rlmrec_con", "features=none", "input=id"], "objective.terms.rlmrec reads text vectors"),
        (["objective=rlmrec_gen", "~objective.views.mask"], "objective.views must hold graftrec.graph.views.NodeMask"),
        (["objective=simgcl", "trainer=ddp"], "objective.terms.simgcl is no mean over the pairs"),
        (["objective.weights.softmax=0"], "objective.weights are all 0; give one term a weight"),
        (["objective.terms.softmax.temperature=0"], "softmax.temperature=0 must be > 0"),
        (["input.projector=tree"], "input.projector='tree' is unknown; choose one of linear, mlp"),
        (["encoder=gcn", "encoder.normalization=rows"], "'rows' is unknown; choose one of"),
        (["baselines.metric=auc"], "baselines.metric='auc' is unknown; choose one of"),
        (["trainer=ddp", "objective.terms.softmax.in_batch=true"], "set in_batch=false and negatives.shared"),
        (["trainer.max_epochs=0"], "trainer.max_epochs=0 must be a whole number >= 1"),
        (["trainer.max_epochs=-1"], "trainer.max_epochs=-1 must be a whole number >= 1"),
        (["trainer.max_epochs=null"], "trainer.max_epochs=None must be a whole number >= 1"),
        (["trainer.precision=16-true"], "take bf16-true or 32-true"),
        (["encoder=gcn", "encoder.dim=32"], "encoder.dim=32, but dim=16"),
        (["encoder=gat", "encoder.heads=0"], "encoder.heads=0 must be >= 1"),
        (["encoder=gat", "encoder.attention_dropout=1.5"], "encoder.attention_dropout=1.5 must be >= 0 and < 1"),
        (["negatives.shared=-3"], "negatives.shared=-3 must be >= 0"),
        (["batch_size=0"], "batch_size=0 must be >= 1"),
        (["dim=0"], "dim=0 must be >= 1"),
        (["seed=-1"], "seed=-1 must be >= 0"),
        (["monitor=valid/gini@20"], "add callbacks.early_stopping.mode=min callbacks.best.mode=min"),
        (["protocol=dirty"], "protocol='dirty' is unknown; choose one of clean, paper"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_settings_are_refused_before_texts_are_encoded(
    refused: Refused, tmp_path: Path, words: list[str], message: str
) -> None:
    assert message in refused(*small(tmp_path, *words))
    assert not (tmp_path / "cache" / "features").exists()


def test_a_training_that_cannot_fit_is_refused_before_long_work(refused: Refused, tmp_path: Path) -> None:
    message = refused(*small(tmp_path, "dim=1_000_000_000"))
    assert "60 items of dim 1,000,000,000" in message
    assert "The largest part is 'step': make smaller dim, encoder.num_layers" in message
    assert "memory_check=false" in message
    assert not (tmp_path / "cache" / "features").exists()
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["encoder.number_of_layers=3"],
            "There is no setting encoder.number_of_layers. Did you mean encoder.num_layers=...?",
        ),
        (["encoder=gnn"], "encoder=gnn is unknown. Did you mean encoder=gcn? Choose one of"),
        (["encoder=hgt"], "lightgcn"),  # the options that there are
    ],
)
def test_unknown_keys_and_options_are_refused(refused: Refused, tmp_path: Path, words: list[str], message: str) -> None:
    assert message in refused(*small(tmp_path, *words))


def own_tables(folder: Path, items: str, ids: Callable[[int], str] = "item {}".format) -> list[str]:
    """60 users with 10 of 30 items each, and an item table of ``items`` (its rows without a header)."""
    rows = [f"u{user},{ids((user + n * (1 + user % 3)) % 30)}" for user in range(60) for n in range(10)]
    (folder / "log.csv").write_text("user,item\n" + "\n".join(rows))
    (folder / "items.csv").write_text(f"item,title\n{items}\n")
    tables = [f"data.interactions={folder}/log.csv", f"data.items={folder}/items.csv", "data.item_text=[title]"]
    return ["data=table", *tables]


WITHOUT_THE_LAST = "\n".join(f"item {n},film {n}" for n in range(29))
SETTINGS = [word for word in SMALL if not word.startswith("data")]


def train(cli: Cli, folder: Path, *words: str) -> Path:
    """A finished run."""
    cli("train", *SETTINGS, "logger=csv", *words, f"hydra.run.dir={folder}/run")
    return folder / "run"


def test_an_item_that_the_item_table_lacks_is_named(refused: Refused, tmp_path: Path) -> None:
    message = refused("train", *SETTINGS, *own_tables(tmp_path, WITHOUT_THE_LAST), f"hydra.run.dir={tmp_path}/run")
    assert "No text for 1 of 30 items (first: 'item 29'); set features.missing=zero or features.missing=id" in message


def test_text_input_refuses_items_that_live_on_their_ids(refused: Refused, tmp_path: Path) -> None:
    words = [*own_tables(tmp_path, WITHOUT_THE_LAST), "features.missing=id", "input=text", f"paths.cache={tmp_path}"]
    message = refused("train", *SETTINGS, *words, f"hydra.run.dir={tmp_path}/run")
    assert "input=text has nothing for 1 of 90 users and items, which have no text under features.missing=id" in message
    assert "choose input=id_plus_text" in message
    assert not (tmp_path / "features").exists()


def test_items_without_text_live_on_their_ids(cli: Cli, tmp_path: Path) -> None:
    run = graftrec.load_run(train(cli, tmp_path, *own_tables(tmp_path, WITHOUT_THE_LAST), "features.missing=id"))
    assert run.evaluate()["test"].values == pytest.approx(
        {name.removeprefix("test/"): value for name, value in run.metrics.items() if name.startswith("test/")}
    )


def test_million_character_titles_are_read_encoded_and_shown(
    cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    titles = [f"item {n},film {n}" for n in range(28)] + [f"item 28,{'word ' * 200_000}", f"item 29,{'x' * 1_000_000}"]
    run = train(cli, tmp_path, *own_tables(tmp_path, "\n".join(titles)))
    cli("recommend", f"run={run}", "user=u7", "k=30")
    assert len(capsys.readouterr().out) < 100_000


@pytest.mark.parametrize(
    ("user", "message"),
    [("99999", "1 of 1 user ids are unknown (first: 99999)"), ("[5,ann]", "unknown (first: 'ann')"), ("null", "None")],
)
def test_unknown_users_are_refused(small_run: Path, refused: Refused, user: str, message: str) -> None:
    assert message in refused("recommend", f"run={small_run}", f"user={user}")


@pytest.mark.parametrize("k", ["0", "61", "many"])
def test_lists_that_the_catalogue_cannot_fill_are_refused(small_run: Path, refused: Refused, k: str) -> None:
    message = refused("recommend", f"run={small_run}", "user=5", f"k={k}")
    assert re.search(rf"k='?{k}'? must be a number from 1 to the catalogue's 60 items", message)


@pytest.mark.parametrize("group", ["features", "baselines"])
def test_a_cache_that_cannot_be_written_is_refused_before_training(
    refused: Refused, tmp_path: Path, group: str
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / group).write_text("a file where the folder should be")
    message = refused(*small(tmp_path))
    assert f"{tmp_path}/cache/{group}" in message
    assert "cannot be written" in message
    assert "Set paths.cache elsewhere" in message
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_damaged_results_of_baselines_are_measured_again(cli: Cli, tmp_path: Path) -> None:
    cli(*small(tmp_path), cache=tmp_path / "cache")
    before = graftrec.load_run(tmp_path / "run").facts["baselines"]
    for path in (tmp_path / "cache").glob("baselines/*.json"):
        path.write_text(path.read_text()[:20])
    shutil.rmtree(tmp_path / "run")
    cli(*small(tmp_path), cache=tmp_path / "cache")
    again = graftrec.load_run(tmp_path / "run").facts["baselines"]
    assert {name: result["metrics"] for name, result in again.items()} == {
        name: result["metrics"] for name, result in before.items()
    }
