"""The same search with and without a pruner: best validation metric and total epochs; results/pruning.csv.

    python experiments/sweeps/pruning.py [FOLDER] [SEED ...]

SEED (0 by default) is the sampler's. The sweeps lie in FOLDER (outputs/sweeps/pruning by default); the same command
goes on.
"""

import json
import sys
from pathlib import Path

import polars as pl
from common import RESULTS, SPACE, WITHOUT_TEXT, command, place, run, seconds, trials
from optuna.trial import TrialState

METRIC = "valid/ndcg@20"
PRUNERS = {
    "none": ["hydra/sweeper/pruner=none"],
    "median": ["hydra/sweeper/pruner=median", "hydra.sweeper.pruner.n_warmup_steps=2"],
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
    """Search, then table."""
    rows = []
    for seed in [int(word) for word in sys.argv[1:] if word.isdecimal()] or [0]:
        for pruner, words in PRUNERS.items():
            folder = place("pruning") / f"{pruner}_{seed}"
            run(command(folder, *WORDS, *words, f"hydra.sweeper.sampler.seed={seed}"))
            rows.append({"seed": seed, "pruner": pruner, **told(folder)})
    table = pl.DataFrame(rows)
    plain = table.filter(pruner="none").select("seed", unpruned=METRIC, all_epochs="epochs")
    ratios = {"epochs_share": pl.col("epochs") / pl.col("all_epochs"), "of_best": pl.col(METRIC) / pl.col("unpruned")}
    table = table.join(plain, on="seed").with_columns(**ratios).drop("unpruned", "all_epochs")
    table.write_csv(RESULTS / "pruning.csv")
    print(table)


def told(folder: Path) -> dict[str, float]:
    """The best of one sweep and what it cost."""
    complete = [trial for trial in trials(folder) if trial.state == TrialState.COMPLETE]
    pruned = [trial for trial in trials(folder) if trial.state == TrialState.PRUNED]
    ended = [
        json.loads(path.read_text()) for path in folder.glob("*/run.json") if (path.parent / "metrics.json").exists()
    ]
    return {
        "complete": len(complete),
        "pruned": len(pruned),
        "epochs": sum(run["epochs"]["trained"] for run in ended) + sum(trial.last_step or 0 for trial in pruned),
        "seconds": seconds(folder),
        METRIC: max(trial.value for trial in complete if trial.value is not None),
    }


if __name__ == "__main__":
    main()
