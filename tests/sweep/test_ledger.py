"""Trials are taken once, counted exactly, and survive whatever becomes of their processes."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.samplers import BaseSampler, GridSampler, RandomSampler
from optuna.trial import TrialState

from graftrec.errors import InputError
from graftrec.pipeline.sweep.grammar import Space
from graftrec.pipeline.sweep.ledger import FINISHED, Ledger
from graftrec.pipeline.sweep.outcome import Outcome
from graftrec.pipeline.sweep.owner import Owner
from graftrec.pipeline.sweep.run import state_of
from graftrec.pipeline.sweep.storage import JOURNAL
from tests.sweep.worker import OBJECTIVE, SPACE, ledger, value, work

ROOT = Path(__file__).parents[2]
GRID = Space({"a": CategoricalDistribution(["p", "q"]), "b": IntDistribution(1, 3)}, {})


def nothing(number: int) -> list[Outcome]:
    """No run folder is left of a trial."""
    return []


def good(metric: float = 1.0, **others: float) -> list[Outcome]:
    return [Outcome("complete", {OBJECTIVE: metric, **others})]


def start(folder: Path, n_trials: int, seconds: float, *url: str) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "tests.sweep.worker", str(folder), str(n_trials), str(seconds), *url]
    return subprocess.Popen(words, cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"})


def check_exact(folder: Path, n_trials: int, study: Ledger) -> None:
    """``n_trials`` finished ones, each settings evaluated to the end once, each value its own."""
    finished = [trial for trial in study.trials if trial.state in FINISHED]
    assert len(finished) == n_trials
    assert all(trial.value == value(trial.params) for trial in finished)
    evaluated = Counter(tuple(line.split()[1:]) for line in (folder / "done.txt").read_text().splitlines())
    trained = {(str(t.params["x"]), str(t.params["y"])) for t in finished if "same_as" not in t.user_attrs}
    assert trained <= set(evaluated)
    assert study.count(TrialState.RUNNING) == 0


def test_killed_at_random_moments_it_ends_with_the_exact_number(tmp_path: Path) -> None:
    moments, folder = random.Random(5), tmp_path / "sweep"
    folder.mkdir()
    for kill in range(5):
        process = start(folder, 40, 0.02)
        while len((folder / "done.txt").read_text().splitlines() if (folder / "done.txt").exists() else []) < 6 * kill:
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 0.3))
        process.kill()
        process.wait()
    with (folder / JOURNAL).open("ab") as journal:
        journal.write(b'{"op_code":8,"worker')  # what a kill in the middle of a line leaves
    study = ledger(folder, 40)
    work(study, folder, 0)
    check_exact(folder, 40, study)


def test_two_processes_share_a_study(tmp_path: Path) -> None:
    folder = tmp_path / "sweep"
    folder.mkdir()
    processes = [start(folder, 30, 0.02) for _ in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    study = ledger(folder, 30)
    check_exact(folder, 30, study)
    assert len((folder / "done.txt").read_text().splitlines()) == 30
    assert len({trial.user_attrs["owner"] for trial in study.trials}) == 2


def test_a_live_process_keeps_its_trials_and_a_dead_one_loses_them(tmp_path: Path) -> None:
    study = ledger(tmp_path, 10)
    claims = study.claim(3, nothing)
    with subprocess.Popen(["sleep", "60"]) as other:
        live = Owner(
            study.me.host, other.pid, Path(f"/proc/{other.pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
        )
        claims[0].trial.set_user_attr("owner", str(live))
        claims[1].trial.set_user_attr("owner", str(Owner(live.host, live.pid, "1")))  # an earlier process, same number
        claims[2].trial.set_user_attr("owner", str(Owner("elsewhere", live.pid, live.started)))
        again = study.claim(1, nothing)
        assert [state_of(trial) for trial in study.trials] == ["running", "killed", "running", "running"]
        assert again[0].params == claims[1].params
        os.kill(other.pid, signal.SIGKILL)
        other.wait()
    study.settle(again[0], good())
    study.claim(1, nothing)
    assert state_of(study.trials[0]) == "killed"


def test_another_machines_trial_is_lost_after_some_hours(tmp_path: Path) -> None:
    study = ledger(tmp_path, 10, lost_after=1e-9)
    study.claim(1, nothing)[0].trial.set_user_attr("owner", "elsewhere/1/1")
    study.claim(1, nothing)
    assert state_of(study.trials[0]) == "killed"


def test_a_killed_trial_whose_run_was_finished_counts(tmp_path: Path) -> None:
    study = ledger(tmp_path, 10)
    (claim,) = study.claim(1, nothing)
    study.claim(1, lambda number: good(0.25) if number == claim.number else [])
    assert study.trials[0].value == 0.25


def test_interrupted_trials_are_the_next_to_be_tried(tmp_path: Path) -> None:
    study = ledger(tmp_path, 4)
    claims = study.claim(2, nothing)
    study.release(claims)
    assert [c.params for c in study.claim(2, nothing)] == [c.params for c in claims]


def test_a_finished_configuration_is_reused_and_counts(tmp_path: Path) -> None:
    space = Space({"a": CategoricalDistribution(["p", "q"])}, {})
    study = ledger(tmp_path, 20, space=space)
    trained = []
    while study.missing() > 0:
        for claim in study.claim(1, nothing):
            trained.append(claim.params["a"])
            study.settle(claim, good(float(claim.params["a"] == "p")))
    assert sorted(trained) == ["p", "q"]
    assert study.count(*FINISHED) == 20
    assert all(trial.value == (trial.params["a"] == "p") for trial in study.trials)


def test_a_running_configuration_is_not_started_twice(tmp_path: Path) -> None:
    study = ledger(tmp_path, 5, space=Space({"a": CategoricalDistribution(["p"])}, {}))
    assert len(study.claim(3, nothing)) == 1


def test_every_trial_has_its_own_proposal(tmp_path: Path) -> None:
    def constant(number: int) -> BaseSampler:
        return RandomSampler(seed=1)

    params = [c.params["x"] for c in ledger(tmp_path / "a", 4).claim(4, nothing)]
    assert len(set(params)) == 4
    assert params == [c.params["x"] for c in ledger(tmp_path / "b", 4).claim(4, nothing)]
    assert len(ledger(tmp_path / "c", 4, sampler=constant).claim(4, nothing)) == 1


def test_a_grid_is_walked_once_whatever_fails(tmp_path: Path) -> None:
    study = ledger(tmp_path, 50, space=GRID, sampler=lambda number: GridSampler(GRID.grid(), seed=0))
    tried: list[dict[str, Any]] = []
    while claims := study.claim(2, nothing):
        if len(tried) == 0:
            study.release(claims)
            tried.append({})
            continue
        for claim in claims:
            tried.append(claim.params)
            failed = claim.params == {"a": "q", "b": 2}
            study.settle(claim, [Outcome("failed", error="no")] if failed else good())
    assert sorted((t["a"], t["b"]) for t in tried[1:]) == [(a, b) for a in "pq" for b in (1, 2, 3)]
    assert study.wanted == 6
    assert study.count(*FINISHED) == 5


def test_infeasible_trials_count_and_are_not_the_best(tmp_path: Path) -> None:
    study = ledger(tmp_path, 4, constraints={"peak_gib": 2.0})
    ends = [good(0.9, peak_gib=3.0), good(0.5, peak_gib=1.0), [Outcome("infeasible", error="no memory")]]
    for end in [*ends, [Outcome("failed", error="boom")]]:
        study.settle(study.claim(1, nothing)[0], end)
    assert [state_of(trial) for trial in study.trials] == ["infeasible", "complete", "infeasible", "failed"]
    assert study.trials[0].constraints == {"peak_gib": 1.0}
    assert study.trials[3].user_attrs["error"] == "boom"
    assert study.study.best_trial.number == 1
    assert study.missing() == 1


def test_seeds_are_averaged_or_bounded(tmp_path: Path) -> None:
    values = [0.1, 0.2, 0.6]  # mean 0.3, sd 0.264575, t(0.95, 2) = 2.919986: bound 0.3 - 2.919986 * 0.152753
    runs = [good(v, latency_ms=v)[0] for v in values]
    for name, expected in (("mean", 0.3), ("lower_bound", -0.146036)):
        study = ledger(tmp_path / name, 1, repeats=3, aggregate=name)
        study.settle(study.claim(1, nothing)[0], runs)
        assert study.trials[0].value == pytest.approx(expected, abs=1e-6)
        assert study.trials[0].user_attrs["metrics"][OBJECTIVE] == pytest.approx(0.3)
    study = ledger(tmp_path / "cost", 1, objectives=["latency_ms"], repeats=3, aggregate="lower_bound")
    study.settle(study.claim(1, nothing)[0], runs)
    assert study.trials[0].value == pytest.approx(0.746036, abs=1e-6)  # on the worse side


def test_another_question_is_refused_with_what_differs(tmp_path: Path) -> None:
    ledger(tmp_path, 2)
    ledger(tmp_path, 5, max_failures=3)  # these may change
    other = Space(SPACE.distributions, {"dim": "16"})
    with pytest.raises(InputError, match="dim was 8, is 16"):
        ledger(tmp_path, 2, space=other)
    with pytest.raises(InputError, match="objectives was"):
        ledger(tmp_path, 2, objectives=["valid/f1@20"])
    with pytest.raises(InputError, match="constraints was"):
        ledger(tmp_path, 2, constraints={"peak_gib": 4.0})


def test_another_sampler_is_refused(tmp_path: Path) -> None:
    ledger(tmp_path, 2)
    with pytest.raises(InputError, match="sampler was TPESampler, is RandomSampler"):
        ledger(tmp_path, 2, sampler=lambda number: RandomSampler(seed=number))


def test_a_study_that_came_to_nothing_can_be_asked_anew(tmp_path: Path) -> None:
    study = ledger(tmp_path, 2)
    study.settle(study.claim(1, nothing)[0], [Outcome("failed", error="no", fatal=True)])
    study.forget()
    assert ledger(tmp_path, 2, objectives=["valid/f1@20", "latency_ms"]).missing() == 2
