"""The story of a sweep: take trials, hand them to Hydra's launcher, settle them, until there are enough."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import HydraException
from omegaconf import DictConfig
from optuna.trial import TrialState

from graftrec.errors import InputError
from graftrec.pipeline.sweep.grammar import Space, word
from graftrec.pipeline.sweep.ledger import FINISHED, Claim, Ledger
from graftrec.pipeline.sweep.outcome import Outcome
from graftrec.pipeline.sweep.plan import check_pruner, check_repeats, compose_all, folder_of, sampler_of, settings_of
from graftrec.pipeline.sweep.settings import Settings
from graftrec.pipeline.sweep.storage import claim_lock, open_storage
from graftrec.pipeline.sweep.trial import recovered

NAMED = 60  # characters of a trial's settings in the name of its folder
WAIT = 1.0  # seconds until this process looks again what the others have finished


@dataclass
class Sweep:
    """A study in its folder, and what launches its jobs."""

    config: DictConfig  # with hydra
    loader: ConfigLoader
    launcher: Any
    folder: Path
    settings: Settings
    space: Space
    ledger: Ledger
    prunes: bool

    @classmethod
    def plan(cls, plugin: Any, arguments: Sequence[str]) -> "Sweep":
        """Check everything that can be checked before the first trial; ``plugin`` is Hydra's sweeper."""
        config, loader = plugin.config, plugin.hydra_context.config_loader
        settings = settings_of(config, plugin.settings)
        space = Space.parse(plugin.params, arguments, loader)
        check_repeats(settings, space)
        prunes = check_pruner(plugin.nodes["pruner"], settings)
        folder = folder_of(config, space, settings)
        compose_all(config, loader, space)
        folder.mkdir(parents=True, exist_ok=True)
        storage = open_storage(plugin.storage, folder)
        name = folder.name
        sampler = sampler_of(plugin.nodes["sampler"], space)
        ledger = Ledger(storage, claim_lock(storage, folder, name), name, settings, space, sampler)
        return cls(config, loader, plugin.launcher, folder, settings, space, ledger, prunes)

    def run(self) -> None:
        """Until ``n_trials`` are finished; another process's running trials count as taken."""
        self._tell_start()
        failures: list[str] = []
        while True:
            claims = self.ledger.claim(self.settings.n_jobs, self._recover)
            if claims:
                failures += self._work(claims)
            elif self.ledger.missing() <= 0 or not self.ledger.count(TrialState.RUNNING):
                break
            else:
                time.sleep(WAIT)
            if len(failures) >= self.settings.max_failures:
                raise InputError(f"{len(failures)} trials of the sweep failed, the last one so: {failures[-1]}")
        self._tell_end()

    def _work(self, claims: Sequence[Claim]) -> list[str]:
        """Run the trials, seed by seed; the errors of those that failed."""
        runs: dict[int, list[Outcome]] = {claim.number: [] for claim in claims}
        try:
            for repeat in range(self.settings.repeats):
                going = [c for c in claims if all(run.state == "complete" for run in runs[c.number])]
                for claim, outcome in zip(going, self._launch(going, repeat), strict=True):
                    runs[claim.number].append(outcome)
        except BaseException as error:
            if not isinstance(error, HydraException):  # settings that cannot be composed would fail again
                self.ledger.release(claims)
            raise
        for claim in claims:
            self.ledger.settle(claim, runs[claim.number])
            self._tell(claim)
        ended = [run for claim in claims for run in runs[claim.number] if run.state == "failed"]
        if fatal := next((run for run in ended if run.fatal), None):
            self.ledger.forget()
            raise InputError(fatal.error)
        return [run.error for run in ended]

    def _launch(self, claims: Sequence[Claim], repeat: int) -> list[Outcome]:
        jobs = [self._words(claim, repeat) for claim in claims]
        if not jobs:
            return []
        try:
            returns: Sequence[JobReturn] = self.launcher.launch(jobs, initial_job_idx=claims[0].number)
        except HydraException:
            raise
        except Exception as error:  # a worker was killed, such as by the kernel for its memory
            failed = Outcome("failed", error=f"{type(error).__name__}: {str(error).strip().splitlines()[0]}")
            return [recovered(self.folder / self._name(c, repeat)) or failed for c in claims]
        return [_outcome(job) for job in returns]

    def _words(self, claim: Claim, repeat: int) -> list[str]:
        """What the job of a trial's seed is started with."""
        trial = {
            "number": claim.number,
            "sweep": str(self.folder),
            "study": self.ledger.study.study_name,
            "objectives": list(self.settings.objectives),
            "owner": str(self.ledger.me),
            "prune": self.prunes and repeat == 0,
        }
        place = [f"hydra.sweep.dir={_text(self.folder)}", f"hydra.sweep.subdir={_text(self._name(claim, repeat))}"]
        seed = [] if "seed" in self.space.distributions else [f"seed={self.config.seed + repeat}"]
        return [*self.space.overrides(claim.params), *seed, f"trial={_text(trial)}", *place]

    def _name(self, claim: Claim, repeat: int) -> str:
        """The folder of a trial's seed below the sweep's, and the name of its tracked run."""
        words = "_".join(f"{key.split('.')[-1].lstrip('+')}={_short(value)}" for key, value in claim.params.items())
        plain = re.sub(r"[^\w.=+-]", "-", words)[:NAMED]
        return f"{claim.number}_{plain}_seed{claim.params.get('seed', self.config.seed + repeat)}"

    def _recover(self, number: int) -> list[Outcome]:
        found = [recovered(path) for path in sorted(self.folder.glob(f"{number}_*"))]
        runs = [run for run in found if run is not None]
        ended = len(runs) == self.settings.repeats or any(run.state == "pruned" for run in runs)
        return runs if ended else []

    def _tell_start(self) -> None:
        done, wanted = self.ledger.count(*FINISHED), self.ledger.wanted
        aims = ", ".join(f"{n} ({d})" for n, d in zip(self.settings.objectives, self.settings.directions, strict=True))
        print(f"sweep: {done} of {wanted} trials are finished; objectives: {aims}\n{self.folder}", flush=True)

    def _tell(self, claim: Claim) -> None:
        trial = self.ledger.trials[claim.number]
        state = state_of(trial)
        result = ", ".join(f"{n} {v:.4g}" for n, v in zip(self.settings.objectives, trial.values or [], strict=False))
        told = result if state in ("complete", "pruned") else trial.user_attrs.get("error", "")
        params = " ".join(f"{key}={_short(value)}" for key, value in trial.params.items())
        print(f"trial {trial.number} {state}: {told or state} | {params}", flush=True)

    def _tell_end(self) -> None:
        running, done = self.ledger.count(TrialState.RUNNING), self.ledger.count(*FINISHED)
        if running:
            print(f"sweep: {done} trials are finished, {running} are running in other processes.", flush=True)


def state_of(trial: Any) -> str:
    """A trial's state in the words of this project: infeasible is what broke a constraint."""
    if any(value > 0 for value in trial.constraints.values()):
        return "infeasible"
    return trial.user_attrs.get("failure") or {"FAIL": "failed"}.get(trial.state.name, trial.state.name.lower())


def _outcome(job: JobReturn) -> Outcome:
    if job.status == JobStatus.COMPLETED and isinstance(job.return_value, Outcome):
        return job.return_value
    error = job._return_value
    return Outcome("failed", error=f"{type(error).__name__}: {error}")


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else word(value)


def _text(value: Any) -> str:
    """Plain values as one word of Hydra's grammar."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_text(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, str | Path):
        return QuotedString(str(value), Quote.single).with_quotes()
    return word(value)
