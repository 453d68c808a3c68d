"""Profiles from the command line, written by a small model with random weights."""

import json
from pathlib import Path

import numpy as np
import pytest

from graftrec.pipeline.run import load_run
from tests.e2e.conftest import SMALL, Cli, Refused
from tests.features.profiles.test_local import save_writer

QUICK = [word for word in SMALL if not word.startswith(("baselines", "trainer.max_epochs", "data.num"))]
QUICK += ["data.num_users=60", "data.num_items=40", "data.num_interactions=1200"]
QUICK += ["trainer.max_epochs=1", "logger=csv", "baselines=none", "profile=local", "profile.generator.max_new_tokens=6"]
QUICK += ["profile.min_characters=1", "profile.generator.batch_size=32", "prompts.max_items=2", "profile.of=both"]


def test_profiles_of_items_and_users_are_written_once_and_encoded(
    cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = f"profile.generator.model.name={save_writer(tmp_path / 'model')}"
    words = [*QUICK, model, "profile.generator.model.dtype=float32", "features.users=text", "features.missing=zero"]
    for name in ("first", "again"):
        cli("train", *words, f"hydra.run.dir={tmp_path}/{name}", cache=tmp_path / "cache")
    told = capsys.readouterr().out
    assert told.count(" tokens of answers") == 2  # items, users; nothing the second time
    assert told.count("Profiles of items: 40 of 40 written") == 2
    (answers,) = (tmp_path / "cache" / "profiles").glob("*/answers.jsonl")
    lines = [json.loads(line) for line in answers.read_text().splitlines()]
    assert len({line["prompt"] for line in lines}) == len({line["prompt"] for line in lines if line["attempt"] == 0})
    first, again = (load_run(tmp_path / name) for name in ("first", "again"))
    assert first.metrics == again.metrics
    cli("train", *[word for word in words if "profile" not in word], f"hydra.run.dir={tmp_path}/without")
    assert not np.array_equal(first.item_features, load_run(tmp_path / "without").item_features)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "profile.of=both, but features.users=items reads no text of users; add features.users=text"),
        (["features=none", "input=id"], "profile= writes texts, but these features read none"),
        (["features.users=text"], "profile.generator.model.name has no value"),
        (
            ["features.users=text", "profile.generator.model.name=/nowhere"],
            "language model '/nowhere' cannot be loaded",
        ),
        (["features.users=text", "profile.generator.model.name=x", "prompts.item='{titel}'"], "unknown field {titel}"),
    ],
)
def test_bad_settings_are_refused(refused: Refused, tmp_path: Path, words: list[str], message: str) -> None:
    kept = [word for word in QUICK if not (word.startswith("features=") and "features=none" in words)]
    where = [f"hydra.run.dir={tmp_path}/run", f"paths.cache={tmp_path}/cache"]
    assert message in refused("train", *kept, *words, *where)
