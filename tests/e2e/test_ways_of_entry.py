"""Every way of entry and conditioning from the command line."""

import json
from pathlib import Path

import pytest

from graftrec.pipeline.run import load_run
from tests.e2e.conftest import SMALL, Cli, Refused

QUICK = [word for word in SMALL if not word.startswith(("trainer.max_epochs", "baselines"))]
QUICK += ["trainer.max_epochs=1", "baselines=none", "logger=csv"]


@pytest.mark.parametrize(
    "words",
    [
        ["input=init", "conditioning=pca", "input.unfreeze_after=1"],
        ["input=gated", "conditioning=center", "features.users=text"],
        ["input=text", "conditioning=random_projection", "features.users=none"],
    ],
    ids=lambda words: "-".join(words),
)
def test_vectors_are_conditioned_and_described(
    cli: Cli, tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    cli("train", *QUICK, *words, f"hydra.run.dir={tmp_path / 'run'}")
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("text vectors: "))
    kept = json.loads((tmp_path / "run" / "run.json").read_text())["text_vectors"]
    for name in ("encoded", "conditioned"):
        assert f"{name} {kept[name]['width']} wide, mean cosine {kept[name]['mean_cosine']:.3f}" in line
    assert kept["encoded"]["width"] == 256
    run = load_run(tmp_path / "run")
    again = run.evaluate()["test"].values  # diversity is that of the encoded vectors, whatever the conditioning
    assert again["diversity@20"] == pytest.approx(run.metrics["test/diversity@20"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["input=init", "conditioning=none"], "needs text vectors of dim=16 numbers, and they have 256"),
        (["input=init", "features=none"], "there are none; choose features=minilm, or conditioning=none"),
        (["conditioning=pca", "conditioning.dim=300"], "must be a whole number from 1 to 256"),
        (["conditioning=pca", "conditioning.dim=200"], "need more than 200 items with text in training"),
        (["input=concatenated", "input.id_dim=16"], "input.id_dim=16 must lie between 0 and dim=16"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_bad_settings_leave_no_folder(refused: Refused, tmp_path: Path, words: list[str], message: str) -> None:
    folder = tmp_path / "run"
    assert message in refused("train", *QUICK, *words, f"hydra.run.dir={folder}", f"paths.cache={tmp_path}")
    assert not folder.exists()
    assert not (tmp_path / "features").exists()  # refused before anything is encoded
