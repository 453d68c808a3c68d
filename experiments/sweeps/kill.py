"""A sweep of 60 trials by two processes, killed at five random moments and started again each time.

    python experiments/sweeps/kill.py [FOLDER] [SEED]

FOLDER (outputs/sweeps/kill by default) must not exist. SIGKILL goes to the whole process group. Writes
results/kill.csv (a row a start) and results/kill.json, and fails where a trial is missing or was done twice.
"""

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import polars as pl
from common import GRAFTREC, RESULTS, SPACE, TWO_PROCESSES, WITHOUT_TEXT, command, place, run, trials
from optuna.trial import FrozenTrial, TrialState

from graftrec.pipeline.sweep.ledger import FINISHED

TRIALS, KILLS = 60, 5
LATEST = 50  # so many finished trials at most before the last kill
DELAY = 10.0  # the moment comes up to so many seconds after the drawn number of finished trials
METRIC = "valid/ndcg@20"


def main() -> None:
    """Kill and start again, then check what is left and write it down."""
    folder = place("kill")
    seed = next((int(word) for word in sys.argv[1:] if word.isdecimal()), 0)
    if folder.exists():
        sys.exit(f"{folder} exists; name a new folder, or remove this one.")
    words = [*WITHOUT_TEXT, "encoder=lightgcn", "trainer.max_epochs=4", *SPACE]
    sweep = command(folder, *words, *TWO_PROCESSES, f"hydra.sweeper.n_trials={TRIALS}")
    print(*sweep, flush=True)
    begin = time.time()
    rows = [killed(sweep, folder, count, delay) for count, delay in moments(seed)]
    rows.append(ended(sweep, folder))
    facts = {
        "seed": seed,
        "wall_seconds": round(time.time() - begin, 1),
        **lost(rows, folder),
        **checked(folder),
        **best(folder),
    }
    pl.DataFrame(rows).write_csv(RESULTS / "kill.csv")
    (RESULTS / "kill.json").write_text(json.dumps(facts, indent=2) + "\n")
    print(pl.DataFrame(rows), json.dumps(facts, indent=2), sep="\n")


def moments(seed: int) -> list[tuple[int, float]]:
    """When to kill: so many seconds after so many trials are finished; 0 trials: from the start of the command."""
    chance = random.Random(seed)
    return [(count, chance.uniform(0, DELAY)) for count in sorted(chance.sample(range(LATEST), KILLS))]


def killed(sweep: Sequence[str], folder: Path, count: int, delay: float) -> dict[str, float | None]:
    """Start, wait for the moment, kill the process group; what was lost by it."""
    start = time.time()
    process = started(sweep, folder)
    while done(folder) < count:
        if process.poll() is not None:
            sys.exit(f"The sweep ended by itself, see {folder}.log.")
        time.sleep(0.05)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGKILL)
    end = time.time()
    process.wait()
    running = [trial for trial in trials(folder) if trial.state == TrialState.RUNNING]
    torn = [trial for trial in running if not finished_folders(folder, trial.number)]
    begun = [begin_of(trial) for trial in torn]
    none_claimed = first_trial(folder, start) is None
    return {
        **row(folder, start, end),
        "running": len(running),
        "recovered": len(running) - len(torn),
        "lost_seconds": round(end - min([start] if none_claimed else begun, default=end), 1),
    }


def ended(sweep: Sequence[str], folder: Path) -> dict[str, float | None]:
    """The last start, which comes to the end."""
    start = time.time()
    if started(sweep, folder).wait():
        sys.exit(f"The sweep failed, see {folder}.log.")
    return {**row(folder, start, time.time()), "running": 0, "recovered": 0, "lost_seconds": 0.0}


def started(sweep: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    """The command in a process group of its own; what it prints goes to a file beside ``folder``."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with Path(f"{folder}.log").open("a") as log:
        return subprocess.Popen(sweep, stdout=log, stderr=log, start_new_session=True)


def row(folder: Path, start: float, end: float) -> dict[str, float | None]:
    """What every start has: its seconds, those until and in its first trial, and the finished trials at its end."""
    first = first_trial(folder, start)
    until = None if first is None else round(begin_of(first) - start, 1)
    took = None if first is None else duration(first)
    return {
        "seconds": round(end - start, 1),
        "seconds_to_first_trial": until,
        "seconds_of_first_trial": took,
        "finished": done(folder),
    }


def first_trial(folder: Path, start: float) -> FrozenTrial | None:
    """The first trial that began after ``start``."""
    return min((t for t in trials(folder) if begin_of(t) > start), key=begin_of, default=None)


def duration(trial: FrozenTrial) -> float | None:
    """Seconds of a finished trial."""
    return None if trial.duration is None else round(trial.duration.total_seconds(), 1)


def begin_of(trial: FrozenTrial) -> float:
    """Seconds since the epoch; those of a waiting trial are to come."""
    return 0.0 if trial.datetime_start is None else trial.datetime_start.timestamp()


def done(folder: Path) -> int:
    """Runs that have come to an end."""
    return len(finished_folders(folder))


def finished_folders(folder: Path, number: int | None = None) -> list[Path]:
    """Finished runs, of one trial or of all."""
    return [path.parent for path in folder.glob(f"{'*' if number is None else number}_*/metrics.json")]


def lost(rows: Sequence[dict[str, float | None]], folder: Path) -> dict[str, float]:
    """Seconds of wall time that the kills have cost: trainings done again, and starts beyond the first.

    A start costs the sweep's own process what passes until its first trial, and its workers, which load the libraries
    in their first trial, what that one takes longer than others.
    """
    usual = statistics.median(duration(trial) or 0.0 for trial in trials(folder) if trial.state in FINISHED)
    return {
        "usual_trial": usual,
        "lost_in_training": round(sum(row["lost_seconds"] or 0.0 for row in rows), 1),
        "lost_in_starts": round(sum(row["seconds_to_first_trial"] or 0.0 for row in rows[1:]), 1),
        "lost_in_workers": round(sum(max(0.0, (row["seconds_of_first_trial"] or 0.0) - usual) for row in rows[1:]), 1),
    }


def checked(folder: Path) -> dict[str, int]:
    """Count; nothing may be missing or be there twice."""
    found = [trial for trial in trials(folder) if trial.state in FINISHED]
    settings = {json.dumps(trial.params, sort_keys=True) for trial in found}
    runs = sorted(int(path.name.split("_")[0]) for path in finished_folders(folder))
    assert len(found) == len(settings) == TRIALS, (len(found), len(settings))
    assert runs == sorted(trial.number for trial in found), "a finished run is no finished trial, or the other way"
    torn = sum(trial.user_attrs.get("failure") == "killed" for trial in trials(folder))
    return {"finished_trials": len(found), "distinct_settings": len(settings), "finished_runs": len(runs), "torn": torn}


def best(folder: Path) -> dict[str, float | str | bool]:
    """Train best.yaml as it is; it must reach what the sweep has measured, to the last digit."""
    again = folder.parent / "best_again"
    run([*GRAFTREC, "--config-dir", str(folder), "experiment=best", f"hydra.run.dir={again}"])
    measured = max(trial.value for trial in trials(folder) if trial.value is not None)
    reached = json.loads((again / "metrics.json").read_text())[METRIC]
    stated = (folder / "experiment" / "best.yaml").read_text().splitlines()[1].rsplit(" = ", 1)[1].removesuffix(".")
    assert f"{reached:.6g}" == stated, (reached, stated)
    return {"metric": METRIC, "stated": stated, "measured": measured, "reached": reached, "equal": reached == measured}


if __name__ == "__main__":
    main()
