"""Is it the loss? What BPR lacks beside softmax in the grid: a higher rate, more negatives, more epochs.

    python experiments/encoder_by_objective/controls/run.py [FOLDER] [encoder=lightgcn ...]

Runs are those of ../run.py on rlmrec_amazon but for what the control changes. How to choose some of the runs and go on:
see experiments/study.py. Writes results.csv and table.md.
"""

import itertools
import sys
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))
from study import Cell, Finished, main, markdown, mean_and_deviation, with_earlier  # noqa: E402

ENCODERS = ("identity", "gcn", "lightgcn")
OBJECTIVES = ("bpr", "softmax")
CONTROLS = {  # the words that it adds; the last epoch's number is only a limit
    "as in the grid": (),
    "rate 3e-2": ("optimizer.lr=3e-2",),
    "64 negatives": ("negatives.per_positive=64", "negatives.shared=64"),
    "500 epochs": ("trainer.max_epochs=500", "callbacks.early_stopping.patience=20"),
}
SEEDS = (0, 1, 2)
KEY = ("objective", "encoder", "control", "seed")
METRICS = ("recall@20", "ndcg@20")
SETTINGS = (
    "data=rlmrec_amazon",
    "features=none",
    "input=id",
    "batch_size=8192",
    "optimizer.lr=1e-2",
    "trainer.max_epochs=25",
    "trainer.enable_progress_bar=false",
    "callbacks.early_stopping.patience=5",
    "baselines=none",
    "logger=[]",
    "threads=1",
)


def cell(objective: str, encoder: str, control: str, seed: int) -> Cell:
    """One run."""
    words = (f"objective={objective}", f"encoder={encoder}", f"seed={seed}")
    return Cell(
        dict(zip(KEY, (objective, encoder, control, seed), strict=True)), (*SETTINGS, *words, *CONTROLS[control])
    )


CELLS = [cell(*values) for values in itertools.product(OBJECTIVES, ENCODERS, CONTROLS, SEEDS)]


def report(finished: list[Finished]) -> None:
    """results.csv: every run; table.md: recall@20 by control, mean ± standard deviation, and the best epoch."""
    rows = pl.DataFrame([done.row(METRICS) for done in finished], infer_schema_length=None)
    results = with_earlier(rows, HERE / "results.csv", KEY).sort(KEY)
    results.select(*KEY, pl.exclude(KEY)).write_csv(HERE / "results.csv", float_precision=6)
    lines = []
    for pair, runs in results.group_by(KEY[:2], maintain_order=True):
        shown = []
        for control in CONTROLS:
            chosen = runs.filter(pl.col("control") == control)
            epochs = "" if chosen.is_empty() else f" ({chosen['epochs'].median():.0f})"
            shown.append(mean_and_deviation(chosen[METRICS[0]]) + epochs if epochs else "")
        lines.append([*pair, *shown])
    header = [*KEY[:2], *(f"{control} (epoch)" for control in CONTROLS)]
    (HERE / "table.md").write_text(markdown(header, lines), encoding="utf-8")


if __name__ == "__main__":
    main(HERE, CELLS, report)
