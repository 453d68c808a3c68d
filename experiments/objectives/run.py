"""Which objective for LightGCN, and does text in it help? Ids as input, on amazon_office, beside text as input.

    python experiments/objectives/run.py

Every objective runs at three learning rates with one seed; the rate with the best validation NDCG runs again with two
more. How to choose some of the runs and go on: see experiments/study.py. Writes results.csv and table.md.
"""

import itertools
import sys
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from study import (  # noqa: E402
    RATES,
    SEEDS,
    UNTUNED,
    Cell,
    Finished,
    best_rate,
    edge,
    markdown,
    mean_and_deviation,
    search,
    with_earlier,
)

IDS = ("input=id", "features=none")
TEXT_IN_OBJECTIVE = ("input=id", "features=minilm")
RANDOM_IN_OBJECTIVE = ("input=id", "features=random")  # the control: as wide, with nothing in them
OBJECTIVES = {  # by name, what is typed
    "bpr": ("objective=bpr", *IDS),
    "bpr_hard": ("objective=bpr_hard", *IDS),
    "bce": ("objective=bce", *IDS),
    "softmax": ("objective=softmax", *IDS),
    "simplex": ("objective=simplex", "scorer=dot", *IDS),  # as all; norms to other powers stand beside
    "directau": ("objective=directau", *IDS),
    "sgl": ("objective=sgl", *IDS),
    "simgcl": ("objective=simgcl", "encoder.mix=mean_without_input", *IDS),
    "xsimgcl": ("objective=xsimgcl", "encoder.mix=mean_without_input", *IDS),
    "rlmrec_con": ("objective=rlmrec_con", *TEXT_IN_OBJECTIVE),
    "rlmrec_gen": ("objective=rlmrec_gen", *TEXT_IN_OBJECTIVE),
    "rlmrec_con_random": ("objective=rlmrec_con", *RANDOM_IN_OBJECTIVE),
    "rlmrec_gen_random": ("objective=rlmrec_gen", *RANDOM_IN_OBJECTIVE),
    # text as input, and its own negatives, temperature and scorer
    "alpharec": ("experiment=alpharec", "positives=each_pair", "objective.terms.softmax.mask_positives=false"),
}
KEY = ("objective", "rate", "seed")
METRICS = ("recall@20", "precision@20", "f1@20", "ndcg@20", "coverage@20")
POWERED = ("recall@20", "ndcg@20")  # with the items' norms to the best power
SETTINGS = (*UNTUNED, "trainer.max_epochs=50", "data=amazon_office", "encoder=lightgcn", "baselines=strong")


def cell(objective: str, rate: str, seed: int) -> Cell:
    """One run."""
    words = (*OBJECTIVES[objective], f"optimizer.lr={rate}", f"seed={seed}")
    return Cell(dict(zip(KEY, (objective, rate, seed), strict=True)), (*SETTINGS, *words))


SEARCHED = [cell(objective, rate, SEEDS[0]) for objective, rate in itertools.product(OBJECTIVES, RATES)]


def report(finished: list[Finished]) -> None:
    """results.csv with every run; table.md: each objective at its best rate, mean ± standard deviation over seeds."""
    if not finished and not (HERE / "results.csv").is_file():
        return
    rows = []
    for done in finished:
        rows += [{"rate": "", "seed": 0, **row} for row in done.baseline_rows(METRICS, "objective")]
        rows.append(done.searched_row(METRICS, POWERED))
    results = with_earlier(pl.DataFrame(rows, infer_schema_length=None), HERE / "results.csv", KEY).sort(KEY)
    results.select(*KEY, pl.exclude(KEY)).write_csv(HERE / "results.csv", float_precision=6)
    lines = []
    for (objective,), runs in results.group_by("objective", maintain_order=True):
        rate = best_rate(runs)
        chosen = runs.filter(pl.col("rate") == rate)
        means = [mean_and_deviation(chosen[name]) for name in METRICS]
        powered = ["" if chosen["power"].null_count() else mean_and_deviation(chosen[f"powered {n}"]) for n in POWERED]
        epochs, seconds = (f"{chosen[name].median():.0f}" if rate else "" for name in ("epochs", "seconds"))
        lines.append([objective, rate, *means, *powered, len(chosen), edge(runs, rate), epochs, seconds])
    lines.sort(key=lambda line: line[2], reverse=True)
    by_power = (f"{name} at the best power" for name in POWERED)
    header = ("objective", "rate", *METRICS, *by_power, "seeds", "rate at an edge", "best epoch", "seconds")
    (HERE / "table.md").write_text(markdown(header, lines), encoding="utf-8")


if __name__ == "__main__":
    search(HERE, SEARCHED, KEY, cell, report)
