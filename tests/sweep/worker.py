"""A process that works on a study without training: ``python -m tests.sweep.worker FOLDER N_TRIALS SECONDS [URL]``.

The value of a trial is known beforehand: -(x - 3)^2 + y.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from optuna.distributions import FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, TPESampler

from graftrec.pipeline.sweep.grammar import Space
from graftrec.pipeline.sweep.ledger import Ledger, seeded
from graftrec.pipeline.sweep.outcome import Outcome
from graftrec.pipeline.sweep.settings import Settings
from graftrec.pipeline.sweep.storage import claim_lock, open_storage

SPACE = Space({"x": FloatDistribution(0, 10), "y": IntDistribution(0, 3)}, {"dim": "8"})
OBJECTIVE = "valid/recall@20"


def tpe(number: int) -> BaseSampler:
    """A sampler for the trial of a number."""
    return TPESampler(seed=seeded(0, number), n_startup_trials=5)


def ledger(
    folder: Path,
    n_trials: int,
    url: str | None = None,
    space: Space = SPACE,
    sampler: Callable[[int], BaseSampler] = tpe,
    **settings: Any,
) -> Ledger:
    """The study of a folder, or of a database."""
    folder.mkdir(parents=True, exist_ok=True)
    storage = open_storage(url, folder)
    asked = Settings(**{"n_trials": n_trials, "objectives": [OBJECTIVE], "constraints": {}, **settings})
    return Ledger(storage, claim_lock(storage, folder, "study"), "study", asked, space, sampler)


def value(params: dict[str, Any]) -> float:
    """The objective."""
    return -((params["x"] - 3) ** 2) + params["y"]


def work(study: Ledger, folder: Path, seconds: float) -> None:
    """Until there are enough; each finished evaluation leaves a line in ``done.txt``."""
    while (claims := study.claim(2, lambda number: [])) or study.missing() > 0:
        for claim in claims:
            time.sleep(seconds)
            with (folder / "done.txt").open("a") as done:
                done.write(f"{claim.number} {claim.params['x']} {claim.params['y']}\n")
            study.settle(claim, [Outcome("complete", {OBJECTIVE: value(claim.params)})])


if __name__ == "__main__":
    place, number, pause, *database = sys.argv[1:]
    work(ledger(Path(place), int(number), *database), Path(place), float(pause))
