"""A language model adapted from the command line, a small one with random weights."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from graftrec.pipeline.run import load_run
from tests.e2e.conftest import SMALL, Cli, Refused
from tests.features.adapt.test_adaptation import needs_packages
from tests.features.encoders.tiny_models import save_bert

QUICK = [word for word in SMALL if not word.startswith(("features", "baselines", "trainer.max_epochs"))]
QUICK += ["trainer.max_epochs=1", "logger=csv", "baselines=none", "features.encoder.model.dtype=float32"]
QUICK += ["features=hf", "features.encoder.max_tokens=16", "adapt=lora", "adapt.max_pairs=60"]


@needs_packages
def test_an_adapted_model_is_made_once_and_read_by_run_evaluation_and_baseline(
    cli: Cli, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*QUICK, f"features.encoder.model.name={save_bert(tmp_path / 'model')}"]
    for name, more in (("first", []), ("again", []), ("text_knn", ["baseline=text_knn"]), ("none", ["adapt=none"])):
        kept = [word for word in words if not (name == "none" and word.startswith("adapt"))]
        cli("train", *kept, *more, f"hydra.run.dir={tmp_path}/{name}", cache=tmp_path / "cache")
    told = capsys.readouterr().out
    assert told.count("Language model adapted (lora, ") == 3
    assert len(list((tmp_path / "cache" / "adapted").iterdir())) == 1
    first, again, text_knn, none = (load_run(tmp_path / name) for name in ("first", "again", "text_knn", "none"))
    assert first.metrics == again.metrics != none.metrics
    facts = first.facts["adaptation"]
    assert (facts["method"], facts["pairs"] + facts["held_out"] <= 60) == ("lora", True)
    assert facts == again.facts["adaptation"] == text_knn.facts["adaptation"]
    assert none.facts["adaptation"] is None
    features = [run.item_features for run in (first, text_knn, none)]
    assert features[0] is not None
    assert np.array_equal(features[0], features[1])
    assert not np.array_equal(features[0], features[2])
    assert json.loads((Path(facts["model"]) / "config.json").read_text())["model_type"] == "bert"


@pytest.mark.skipif(find_spec("peft") is None, reason="needs pip install 'graftrec[adapt]'")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["features=hashing"], "a transformer on this machine, but features= gives HashingEncoder; choose"),
        (["features=none", "input=id"], "but features= gives NoFeatures; choose features=minilm"),
        (["features=minilm", "adapt.pairs=clicks"], "adapt.pairs='clicks' is unknown; choose one of co_interacted"),
        (["features=minilm", "adapt.pairs=user_text", "data.user_text=[]"], "the data has no text of users"),
        (["features=minilm", "adapt=full", "adapt.rank=2"], "rank"),
    ],
)
def test_bad_settings_are_refused_before_long_work(
    refused: Refused, tmp_path: Path, words: list[str], message: str
) -> None:
    kept = [word for word in QUICK if not word.startswith("features")]
    where = [f"hydra.run.dir={tmp_path}/run", f"paths.cache={tmp_path}/cache"]
    assert message in refused("train", *kept, *words, *where)
    assert not (tmp_path / "cache").exists()
