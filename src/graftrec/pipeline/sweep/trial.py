"""What a job of a sweep does: one ordinary run, told to the sweep in plain values whatever becomes of it."""

import statistics
import time
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig

from graftrec.errors import InfeasibleError, InputError
from graftrec.pipeline.run import Run, load_run
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.sweep.outcome import Outcome
from graftrec.pipeline.sweep.owner import Owner, end_with
from graftrec.pipeline.train import train
from graftrec.training.pruning import Pruned

OUTPUT = "output.txt"  # what the run printed
QUERIES = 50
OUT_OF_MEMORY = ("can't allocate memory", "out of memory")  # torch's RuntimeError on a CPU, of a cuBLAS call


def run_trial(config: DictConfig, folder: Path) -> Outcome:
    """Train into ``folder``; everything it prints goes to a file there. Only Ctrl-C is raised."""
    end_with(Owner.read(config.trial.owner))
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / OUTPUT).open("a") as output, redirect_stdout(output), redirect_stderr(output):
        try:
            train(config, folder)
            return _complete(measured(folder), config.trial.objectives)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) or isinstance(error.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from error  # Lightning turns Ctrl-C into an exit of its own
            traceback.print_exc()
            return _outcome(error)


def _complete(metrics: dict[str, float], objectives: Sequence[str]) -> Outcome:
    unknown = [name for name in objectives if name not in metrics]
    if unknown:
        told = f"hydra.sweeper.objectives: a run has no {unknown[0]}; choose of {', '.join(metrics)}."
        return Outcome("failed", error=told, fatal=True)
    return Outcome("complete", metrics)


def _outcome(error: BaseException) -> Outcome:
    message = str(error).strip() or type(error).__name__
    if isinstance(error, Pruned):
        return Outcome("pruned", error=message)
    if isinstance(error, InfeasibleError | MemoryError | torch.OutOfMemoryError):
        return Outcome("infeasible", error=message)
    if isinstance(error, RuntimeError) and any(words in message for words in OUT_OF_MEMORY):
        return Outcome("infeasible", error=message.splitlines()[0])
    if isinstance(error, InputError):
        return Outcome("failed", error=message, fatal=message.startswith("hydra.sweeper"))
    return Outcome("failed", error=f"{type(error).__name__}: {message}")


def measured(folder: Path) -> dict[str, float]:
    """Metrics and costs of a finished run; its latency is measured the first time and kept in run.json."""
    run = load_run(folder)
    if "latency_ms" not in run.facts:
        run.facts["latency_ms"] = round(latency_ms(run), 4)
        RunFolder.write_json(run.folder.facts, run.facts, "hydra.sweep.dir")
    seconds = run.facts["stages"]["train"]["seconds"]
    costs = {
        "train_seconds": seconds,
        "epoch_seconds": seconds / max(1, run.facts.get("epochs", {"trained": 1})["trained"]),  # a baseline has none
        "peak_gib": max(stage["peak_gib"] for stage in run.facts["stages"].values()),
        "parameters": float(run.facts.get("parameters", 0)),
        "latency_ms": run.facts["latency_ms"],
    }
    return {**run.metrics, **costs}


def latency_ms(run: Run) -> float:
    """Median milliseconds to order the whole catalogue's best 20 for one user, from vectors in memory."""
    times = []
    for number in range(QUERIES):
        user = torch.tensor([number % run.dataset.num_users])
        start = time.perf_counter()
        torch.topk(run.scorer.scores(user), min(20, run.dataset.num_items))
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def recovered(folder: Path) -> Outcome | None:
    """What a killed process's run had come to, where it had come to an end."""
    files = RunFolder(folder)
    try:
        if files.metrics.is_file():
            return Outcome("complete", measured(folder))
        facts: dict[str, Any] = RunFolder.read_json(files.facts) if files.facts.is_file() else {}
    except InputError:
        return None
    return Outcome("pruned") if facts.get("status") == "pruned" else None
