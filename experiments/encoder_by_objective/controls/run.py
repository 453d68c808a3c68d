"""Is it the loss? What BPR lacks beside softmax in the grid: a higher rate, as many negatives, more epochs.

    python experiments/encoder_by_objective/controls/run.py [FOLDER] [again] [encoder=lightgcn ...]

Runs are those of ../run.py on rlmrec_amazon with rate 1e-2 but for what the control changes, and stand beside its own.
How to choose some of the runs and go on: see experiments/study.py. Writes results.csv and table.md.
"""

import itertools
import sys
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))
from study import UNTUNED, Cell, Finished, main, markdown, mean_and_deviation, with_earlier  # noqa: E402

ENCODERS = ("identity", "gcn", "lightgcn")
NEGATIVES = ("negatives.per_positive=64", "negatives.shared=64")
CONTROLS = {  # by objective, the words that it adds; the last epoch's number is only a limit
    "bpr": {
        "rate 3e-2": ("optimizer.lr=3e-2",),
        "64 negatives": NEGATIVES,
        "500 epochs": ("trainer.max_epochs=500", "callbacks.early_stopping.patience=20"),
    },
    "softmax": {"64 negatives": NEGATIVES},
}
GRID = "as in the grid"
SEEDS = (0, 1, 2)
KEY = ("objective", "encoder", "control", "seed")
METRICS = ("recall@20", "ndcg@20")
SETTINGS = (*UNTUNED, "data=rlmrec_amazon", "features=none", "input=id", "baselines=none")  # those of ../run.py


def cell(objective: str, encoder: str, control: str, seed: int) -> Cell:
    """One run."""
    words = (f"objective={objective}", f"encoder={encoder}", f"seed={seed}")
    values = dict(zip(KEY, (objective, encoder, control, seed), strict=True))
    return Cell(values, (*SETTINGS, *words, *CONTROLS[objective][control]))


CELLS = [
    cell(objective, encoder, control, seed)
    for objective, controls in CONTROLS.items()
    for encoder, control, seed in itertools.product(ENCODERS, controls, SEEDS)
]


def of_the_grid() -> pl.DataFrame:
    """Its runs of the same encoders and objectives at the same rate."""
    results = pl.read_csv(HERE.parent / "results.csv", schema_overrides={"rate": pl.String})
    chosen = results.filter(pl.col("data") == "rlmrec_amazon", pl.col("rate") == "1e-2")
    return chosen.with_columns(control=pl.lit(GRID)).select(*KEY, *METRICS, "epochs", "seconds")


def report(finished: list[Finished]) -> None:
    """results.csv: every run; table.md: recall@20 by control, mean ± standard deviation, and the best epoch."""
    if not finished and not (HERE / "results.csv").is_file():
        return
    rows = pl.DataFrame([done.row(METRICS) for done in finished], infer_schema_length=None)
    results = with_earlier(rows, HERE / "results.csv", KEY).sort(KEY)
    results.select(*KEY, pl.exclude(KEY)).write_csv(HERE / "results.csv", float_precision=6)
    together = pl.concat([of_the_grid(), results], how="diagonal_relaxed")
    names, lines = list(dict.fromkeys([GRID, *(name for controls in CONTROLS.values() for name in controls)])), []
    for objective, encoder in itertools.product(CONTROLS, ENCODERS):
        runs = together.filter(pl.col("objective") == objective, pl.col("encoder") == encoder)
        cells = [runs.filter(pl.col("control") == name) for name in names]
        shown = [
            f"{mean_and_deviation(cell[METRICS[0]])} ({cell['epochs'].median():.0f})" if len(cell) else ""
            for cell in cells
        ]
        lines.append([objective, encoder, *shown])
    header = [*KEY[:2], *(f"{name} (best epoch)" for name in names)]
    (HERE / "table.md").write_text(markdown(header, lines), encoding="utf-8")


if __name__ == "__main__":
    main(HERE, CELLS, report)
