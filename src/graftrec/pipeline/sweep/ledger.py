"""The trials of a sweep, taken and settled under one lock by all processes that work on it."""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, GridSampler, RandomSampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from graftrec.errors import InputError
from graftrec.pipeline.sweep.grammar import Space
from graftrec.pipeline.sweep.outcome import Outcome
from graftrec.pipeline.sweep.owner import Owner
from graftrec.pipeline.sweep.settings import Settings
from graftrec.pipeline.sweep.storage import Lock

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)  # an infeasible trial is pruned, or complete beyond a limit
TWINS = 10  # proposals that another process works on already, before this one waits
MakeSampler = Callable[[int], BaseSampler]  # from a seed
Recover = Callable[[int], Sequence[Outcome]]  # by the number of a trial whose process was killed


@dataclass(frozen=True)
class Claim:
    """A trial that this process works on."""

    trial: Trial

    @property
    def number(self) -> int:
        return self.trial.number

    @property
    def params(self) -> dict[str, Any]:
        return self.trial.params


class Ledger:
    """One study. ``question`` is what it was started on: another one is refused."""

    def __init__(
        self, storage: BaseStorage, lock: Lock, name: str, settings: Settings, space: Space, sampler: MakeSampler
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        warnings.filterwarnings("ignore", category=ExperimentalWarning)
        self.lock = lock
        self.settings = settings
        self.space = space
        self.make_sampler = sampler
        self.me = Owner.me()
        with lock():
            self.study = optuna.create_study(
                study_name=name, storage=storage, directions=settings.directions, load_if_exists=True
            )
            self._check_question()

    def _check_question(self) -> None:
        """Keep, or compare, what makes trials of one study comparable."""
        question: dict[str, Any] = {
            "space": self.space.to_json(),
            "objectives": list(self.settings.objectives),
            "repeats": [self.settings.repeats, self.settings.aggregate],
            "constraints": dict(self.settings.constraints),
            "sampler": type(self.make_sampler(0)).__name__,
        }
        known = self.study.user_attrs.get("question")
        if known is None:
            self.study.set_metric_names(list(self.settings.objectives))
            self.study.set_user_attr("question", question)
        elif any(known[name] != question[name] for name in known):  # earlier versions kept less
            old, new = ({**q["space"], **{k: q[k] for k in known if k != "space"}} for q in (known, question))
            changed = sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))
            told = "; ".join(f"{key} was {old.get(key)}, is {new.get(key)}" for key in changed)
            raise InputError(
                f"This sweep was started with other settings: {told}. Type the first command again, or give another "
                f"folder by hydra.sweep.dir=..."
            )

    @property
    def trials(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    def count(self, *states: TrialState) -> int:
        return sum(trial.state in states for trial in self.trials)

    @property
    def wanted(self) -> int:
        """How many trials the sweep ends with: not more than a grid has points."""
        sampler = self.make_sampler(0)
        points = len(sampler._all_grids) if isinstance(sampler, GridSampler) else self.settings.n_trials
        return min(points, self.settings.n_trials)

    def missing(self) -> int:
        """Trials that nobody has finished or works on."""
        return self.wanted - self.count(*FINISHED, TrialState.RUNNING)

    def claim(self, most: int, recover: Recover) -> list[Claim]:
        """Take up to ``most`` new trials. What was finished before is not trained again: it counts at once."""
        claims: list[Claim] = []
        twins = 0
        with self.lock():
            self._settle_the_dead(recover)
            while len(claims) < most and self.missing() > 0 and twins < TWINS and not self._exhausted():
                trial = self._ask()
                twin = self._twin(trial)
                if twin is None:
                    claims.append(Claim(trial))
                elif twin.state in FINISHED:
                    self._copy(twin, trial)
                else:
                    twins += 1
                    self._fail(trial, f"the same as trial {twin.number}, which is running", "duplicate")
        return claims

    def settle(self, claim: Claim, runs: Sequence[Outcome]) -> None:
        """Record how the runs of a trial ended, one a seed."""
        with self.lock():
            self._settle(claim.trial, runs)

    def release(self, claims: Sequence[Claim]) -> None:
        """Give back what was interrupted: it is the next to be tried."""
        with self.lock():
            for claim in claims:
                if self._state(claim.trial) == TrialState.RUNNING:
                    self._again(claim.trial, "interrupted")

    def forget(self) -> None:
        """Remove a study that has come to nothing, so that its question can be put right."""
        with self.lock():
            if not self.count(*FINISHED, TrialState.RUNNING):
                optuna.delete_study(study_name=self.study.study_name, storage=self.study._storage)

    def _ask(self) -> Trial:
        """A proposal of a sampler whose seed is new for every trial: equal seeds propose equal points."""
        number = len(self.trials)
        self.study.sampler = self.make_sampler(number)
        trial = self.study.ask(fixed_distributions=dict(self.space.distributions))
        trial.set_user_attr("owner", str(self.me))
        self.study.sampler = RandomSampler()  # a grid's would stop the study when it is told a result
        return trial

    def _exhausted(self) -> bool:
        sampler = self.make_sampler(0)
        waiting = self.count(TrialState.WAITING)
        return isinstance(sampler, GridSampler) and not waiting and sampler.is_exhausted(self.study)

    def _twin(self, trial: Trial) -> FrozenTrial | None:
        """Another trial with the same settings, a finished one if there is."""
        alike = [t for t in self.trials if t.number != trial.number and t.params == trial.params]
        found = [t for state in ((*FINISHED,), (TrialState.RUNNING,)) for t in alike if t.state in state]
        return found[0] if found else None

    def _copy(self, twin: FrozenTrial, trial: Trial) -> None:
        for name, value in twin.user_attrs.items():
            trial.set_user_attr(name, value)
        trial.set_user_attr("same_as", twin.user_attrs.get("same_as", twin.number))
        for name, value in twin.constraints.items():
            trial.set_constraint(name, value)
        for step, value in twin.intermediate_values.items():
            trial.report(value, step)
        self.study.tell(trial, twin.values if twin.state == TrialState.COMPLETE else None, state=twin.state)

    def _settle_the_dead(self, recover: Recover) -> None:
        """Trials of processes that are no more: what was finished counts, the rest is tried again."""
        for frozen in self.trials:
            if frozen.state == TrialState.RUNNING and self._lost(frozen):
                trial = Trial(self.study, frozen._trial_id)
                runs = recover(frozen.number)
                if runs:
                    self._settle(trial, runs)
                else:
                    self._again(trial, "its process was killed")

    def _lost(self, trial: FrozenTrial) -> bool:
        """Whether nobody works on a running trial. This process takes trials only when it works on none."""
        if "owner" not in trial.user_attrs:
            return True
        owner = Owner.read(trial.user_attrs["owner"])
        if owner.here:
            return owner == self.me or not owner.lives()
        assert trial.datetime_start is not None
        return time.time() - trial.datetime_start.timestamp() > 3600 * self.settings.lost_after

    def _again(self, trial: Trial, error: str) -> None:
        self._fail(trial, error, "killed")
        self.study.enqueue_trial(trial.params)

    def _settle(self, trial: Trial, runs: Sequence[Outcome]) -> None:
        if self._state(trial) != TrialState.RUNNING:
            return  # counted as lost in the meantime
        bad = next((run for state in ("failed", "infeasible", "pruned") for run in runs if run.state == state), None)
        if bad is not None and bad.state == "failed":
            return self._fail(trial, bad.error, "failed")
        if bad is not None and bad.state == "infeasible":
            trial.set_constraint("possible", 1.0)
            trial.set_user_attr("error", bad.error)
        if bad is not None:
            self.study.tell(trial, state=TrialState.PRUNED)
            return
        self._complete(trial, [run.metrics for run in runs])

    def _complete(self, trial: Trial, runs: Sequence[Mapping[str, float]]) -> None:
        means = {name: sum(run[name] for run in runs) / len(runs) for name in runs[0]}
        trial.set_user_attr("metrics", means)
        for name, limit in self.settings.constraints.items():
            trial.set_constraint(name, means[name] - limit)
        values = [self.settings.value(name, [run[name] for run in runs]) for name in self.settings.objectives]
        self.study.tell(trial, values)

    def _fail(self, trial: Trial, error: str, kind: str) -> None:
        trial.set_user_attr("error", error)
        trial.set_user_attr("failure", kind)
        self.study.tell(trial, state=TrialState.FAIL)

    def _state(self, trial: Trial) -> TrialState:
        return self.trials[trial.number].state


def seeded(seed: int, number: int) -> int:
    """A sampler's seed for the trial of a ``number``."""
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
