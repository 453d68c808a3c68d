"""The same search without a pruner and with two: best validation metric and total epochs; results/pruning.csv.

    python experiments/sweeps/pruning.py [FOLDER] [SEED ...]

SEED (0 by default) is the sampler's. TPE learns from what was pruned and then tries other settings. So each pruner is
also replayed on the curves of the unpruned sweep: there nothing but the pruner differs. The sweeps lie in FOLDER
(outputs/sweeps/pruning by default); the same command goes on.
"""

import json
import sys
from pathlib import Path
from typing import Any

import optuna
import polars as pl
from common import RESULTS, SPACE, WITHOUT_TEXT, command, place, run, seconds, trials
from optuna.pruners import BasePruner, MedianPruner, SuccessiveHalvingPruner
from optuna.trial import TrialState

METRIC = "valid/ndcg@20"
PRUNERS = {
    "none": ["hydra/sweeper/pruner=none"],
    "median": ["hydra/sweeper/pruner=median", "hydra.sweeper.pruner.n_warmup_steps=2"],
    "halving": ["hydra/sweeper/pruner=successive_halving", "hydra.sweeper.pruner.min_resource=3"],
}
REPLAYED: dict[str, BasePruner] = {
    "median": MedianPruner(n_startup_trials=5, n_warmup_steps=2),
    "halving": SuccessiveHalvingPruner(min_resource=3, reduction_factor=3),
}
WORDS = [
    *WITHOUT_TEXT,
    "~callbacks.health",
    "encoder=lightgcn",
    "trainer.max_epochs=15",
    "hydra.sweeper.n_trials=24",
    *SPACE,
]


def main() -> None:
    """Search and replay, then search with pruners; the table grows with every sweep."""
    seeds = [int(word) for word in sys.argv[1:] if word.isdecimal()] or [0]
    rows: list[dict[str, Any]] = []
    for pruner in PRUNERS:
        for seed in seeds:
            rows.append({"seed": seed, "pruner": pruner, "how": "trained", **told(sweep(pruner, seed))})
            if pruner == "none":
                curves = curves_of(folder_of(pruner, seed))
                rows += [{"seed": seed, "pruner": name, "how": "replayed", **replay(curves, name)} for name in REPLAYED]
            table = compared(pl.DataFrame(rows, infer_schema_length=None))
            table.write_csv(RESULTS / "pruning.csv")
    print(table)


def folder_of(pruner: str, seed: int) -> Path:
    """Where one sweep lies."""
    return place("pruning") / f"{pruner}_{seed}"


def sweep(pruner: str, seed: int) -> Path:
    """Search, or go on with it."""
    folder = folder_of(pruner, seed)
    run(command(folder, *WORDS, *PRUNERS[pruner], f"hydra.sweeper.sampler.seed={seed}"))
    return folder


def told(folder: Path) -> dict[str, float]:
    """The best of one sweep and what it cost."""
    complete = [trial for trial in trials(folder) if trial.state == TrialState.COMPLETE]
    pruned = [trial for trial in trials(folder) if trial.state == TrialState.PRUNED]
    ended = [json.loads((path.parent / "run.json").read_text()) for path in folder.glob("*/metrics.json")]
    return {
        "complete": len(complete),
        "pruned": len(pruned),
        "epochs": sum(run["epochs"]["trained"] for run in ended) + sum(trial.last_step or 0 for trial in pruned),
        "seconds": seconds(folder),
        METRIC: max(trial.value for trial in complete if trial.value is not None),
    }


def curves_of(folder: Path) -> list[list[float]]:
    """The objective after each epoch of each finished run, in the order of the trials."""
    runs = sorted(folder.glob("*/metrics.json"), key=lambda path: int(path.parent.name.split("_")[0]))
    return [pl.read_csv(path.parent / "metrics.csv")[METRIC].to_list() for path in runs]


def replay(curves: list[list[float]], pruner: str) -> dict[str, float]:
    """What ``pruner`` would have left of these runs."""
    study = optuna.create_study(direction="maximize", pruner=REPLAYED[pruner])
    for curve in curves:
        trial = study.ask()
        for epoch, value in enumerate(curve, start=1):
            trial.report(value, epoch)
            if trial.should_prune():
                study.tell(trial, state=TrialState.PRUNED)
                break
        else:
            study.tell(trial, max(curve))
    pruned = [trial for trial in study.trials if trial.state == TrialState.PRUNED]
    return {
        "complete": len(curves) - len(pruned),
        "pruned": len(pruned),
        "epochs": sum(trial.last_step or 0 for trial in study.trials),
        METRIC: study.best_value,
    }


def compared(table: pl.DataFrame) -> pl.DataFrame:
    """With shares of the unpruned sweep's epochs and best."""
    plain = table.filter(pruner="none").select("seed", unpruned=METRIC, all_epochs="epochs")
    ratios = {"epochs_share": pl.col("epochs") / pl.col("all_epochs"), "of_best": pl.col(METRIC) / pl.col("unpruned")}
    return table.join(plain, on="seed").with_columns(**ratios).drop("unpruned", "all_epochs")


if __name__ == "__main__":
    main()
