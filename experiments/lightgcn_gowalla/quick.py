"""The quick way on gowalla: LightGCN by objective, width, epochs and power of the items' norms in the score.

    python experiments/lightgcn_gowalla/quick.py [FOLDER] [again] [trained_on=last10 dim=128 ...]

A run is scored with every power, since the power does not enter training. How to choose some of the runs and go on: see
experiments/study.py. Writes results.csv and quick.md.
"""

import sys
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from study import POWERS, Cell, Finished, main, markdown, mean_and_deviation, with_earlier  # noqa: E402

PARTS = {  # what is held out for validation: a random tenth of each user's training items, the last tenth, nothing
    "valid10": ("protocol=clean", "evaluation.mask=train_and_valid"),
    "last10": ("protocol=clean", "evaluation.mask=train_and_valid", "split.by=order"),
    "train": (),
}
OBJECTIVES = {  # each its own words; rates and DirectAU's gamma are ours
    "softmax": ("experiment=softmax/gowalla",),
    **{
        f"directau gamma {gamma:g}": (
            "objective=directau",
            f"objective.weights.uniformity={gamma:g}",
            "input.std=0.005",
        )
        for gamma in (0.5, 2)
    },
    "xsimgcl": (
        "objective=xsimgcl",
        "objective.weights.xsimgcl=0.2",
        "encoder.mix=mean_without_input",
        "input.std=0.008",
        "batch_size=2048",
    ),
}
RUNS = (  # trained on, objective, dim, epochs, seed; nothing is chosen among the runs on train
    ("valid10", "softmax", 64, 12, 0),
    ("valid10", "softmax", 128, 3, 0),
    ("last10", "softmax", 64, 3, 0),
    *(("last10", f"directau gamma {gamma:g}", 64, 3, 0) for gamma in (0.5, 2)),
    ("last10", "xsimgcl", 64, 3, 0),
    ("last10", "softmax", 256, 4, 0),
    *(("train", "softmax", dim, epochs, seed) for dim, epochs in ((128, 3), (256, 4)) for seed in (0, 1, 2)),
)
KEY = ("trained_on", "objective", "dim", "epochs", "seed")
METRICS = ("recall@20", "ndcg@20")
COMMON = (
    "protocol=paper",
    "scorer=cosine",
    "scorer.item_norm=1",
    "baselines=none",
    "trainer.enable_progress_bar=false",
    "threads=1",
    "logger=[]",
)
UNLIKE_SOFTMAX = (  # what experiment=softmax/gowalla has, for the other objectives
    "data=gowalla",
    "encoder=lightgcn",
    "scheduler=linear_decay",
    "batch_size=4096",
    "encoder.propagation_dtype=bfloat16",
    "optimizer.lr=1e-3",
    "evaluation.mask=train",
)


def cell(trained_on: str, objective: str, dim: int, epochs: int, seed: int) -> Cell:
    """One run; its rate decays to 0, so that only its end is looked at."""
    words = (
        f"dim={dim}",
        f"trainer.max_epochs={epochs}",
        f"trainer.check_val_every_n_epoch={epochs}",
        f"seed={seed}",
        *PARTS[trained_on],
    )
    shared = () if objective == "softmax" else UNLIKE_SOFTMAX
    values = dict(zip(KEY, (trained_on, objective, dim, epochs, seed), strict=True))
    return Cell(values, (*shared, *OBJECTIVES[objective], *COMMON, *words))


def named(done: Finished) -> dict[str, pl.Expr]:
    """What a run is, and its seconds of training."""
    facts = {**done.cell.values, "seconds": round(done.facts["stages"]["train"]["seconds"])}
    return {name: pl.lit(value) for name, value in facts.items()}


def report(finished: list[Finished]) -> None:
    """results.csv: every run and power; quick.md: recall@20 by power over seeds, the best of each line in bold."""
    earlier = HERE / "results.csv"
    tables = [done.by_power(METRICS).with_columns(**named(done)) for done in finished]
    results = with_earlier(pl.concat(tables) if tables else pl.DataFrame(), earlier, (*KEY, "power"))
    order = pl.DataFrame(RUNS, schema=list(KEY), orient="row").with_row_index("place")
    results = results.join(order, on=KEY, how="left").sort("place", "power", nulls_last=True).drop("place")
    results = results.select(*KEY, "power", pl.exclude(*KEY, "power"))
    results.write_csv(earlier, float_precision=5)
    lines = []
    for key, runs in results.group_by(KEY[:-1], maintain_order=True):
        for part in ("test",) if key[0] == "train" else ("valid", "test"):
            recalls = [by_power[f"{part}/{METRICS[0]}"] for _, by_power in runs.group_by("power", maintain_order=True)]
            best = max(recall.mean() for recall in recalls)
            marks = ["**" if recall.mean() == best else "" for recall in recalls]
            shown = [f"{mark}{mean_and_deviation(recall)}{mark}" for mark, recall in zip(marks, recalls, strict=True)]
            lines.append([*key, runs["seed"].n_unique(), round(runs["seconds"].mean()), part, *shown])
    header = [
        *(name.replace("_", " ") for name in KEY[:-1]),
        "seeds",
        "seconds",
        METRICS[0],
        *(f"power {power:g}" for power in POWERS),
    ]
    (HERE / "quick.md").write_text(markdown(header, lines), encoding="utf-8")


if __name__ == "__main__":
    main(HERE, [cell(*run) for run in RUNS], report)
