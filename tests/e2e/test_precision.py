"""Trainings in other precisions than float32."""

from pathlib import Path

import pytest

import graftrec
from tests.e2e.conftest import SMALL, Cli


@pytest.mark.parametrize(
    "words",
    [
        ["trainer.precision=bf16-mixed", "input=gated"],
        ["trainer.precision=bf16-mixed", "input=id", "objective=rlmrec_con"],
        ["trainer.precision=bf16-mixed", "input=id", "objective=rlmrec_gen"],
        ["trainer.precision=bf16-true", "objective.terms.softmax.in_batch=true", "objective.terms.softmax.log_q=1"],
        ["trainer.precision=bf16-true", "input=id", "objective=directau"],
        ["trainer.precision=64-true"],
    ],
    ids=" ".join,
)
def test_a_training_in_it_beats_popularity(cli: Cli, tmp_path: Path, words: list[str]) -> None:
    cli("train", *SMALL, "logger=csv", "trainer.max_epochs=8", f"hydra.run.dir={tmp_path / 'run'}", *words)
    run = graftrec.load_run(tmp_path / "run")
    assert run.metrics["test/recall@20"] > run.facts["baselines"]["popularity"]["metrics"]["test/recall@20"]
