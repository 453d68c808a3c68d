"""Softmax's temperature, rate and log q on gowalla, chosen on the last tenth of each user's training list alone.

    python experiments/lightgcn_gowalla/choice/run.py [FOLDER] [again] [temperature=0.1 ...]

Temperature first, then rate at the best temperature, then log q at the best of both. Every run is scored with each
power of the items' norms, and judged by the best of them, in validation. How to choose some of the runs and go on: see
experiments/study.py. Writes results.csv and table.md.
"""

import sys
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))
from study import Cell, Finished, main, markdown, with_earlier  # noqa: E402

RESULTS = HERE / "results.csv"
TRIED = {  # one after another; the first value is the one before its turn
    "temperature": (0.1, 0.07, 0.14, 0.2),
    "rate": (1e-3, 2e-3, 4e-3),
    "log_q": (0.25, 0.0, 0.5, 1.0),
}
KEY = tuple(TRIED)
CHOICE = "valid/ndcg@20"
METRICS = ("valid/recall@20", CHOICE)
SETTINGS = (
    "experiment=softmax/gowalla",
    "protocol=clean",
    "split.by=order",
    "evaluation.mask=train_and_valid",
    "scorer.item_norm=1",
    "dim=64",
    "baselines=none",
    "trainer.enable_progress_bar=false",
    "threads=1",
    "logger=[]",
)


def cell(temperature: float, rate: float, log_q: float) -> Cell:
    """One run of three epochs, 64 wide."""
    words = (
        f"objective.terms.softmax.temperature={temperature}",
        f"optimizer.lr={rate}",
        f"objective.terms.softmax.log_q={log_q}",
    )
    return Cell(dict(zip(KEY, (temperature, rate, log_q), strict=True)), (*SETTINGS, *words))


def turn(name: str) -> list[Cell]:
    """The values of ``name``, with what is best of those before it and the first values of those after it.

    None while a run of the turn before is missing.
    """
    chosen = {other: values[0] for other, values in TRIED.items()}
    place = KEY.index(name)
    if place:
        before = turn(KEY[place - 1])
        if not before or not all(cell.known(RESULTS) for cell in before):
            return []
        known = pl.read_csv(RESULTS).filter(pl.col(other) == chosen[other] for other in KEY[place:])
        chosen |= known.sort(CHOICE, descending=True).select(KEY).row(0, named=True)
    return [cell(**{**chosen, name: value}) for value in TRIED[name]]


def report(finished: list[Finished]) -> None:
    """results.csv: every run and power; table.md: each run at its best power, the best first."""
    tables = []
    for done in finished:
        values = {name: pl.lit(value) for name, value in done.cell.values.items()}
        powers = done.by_power(("recall@20", "ndcg@20"), parts=("valid",))
        tables.append(powers.with_columns(**values, seconds=round(done.facts["stages"]["train"]["seconds"])))
    results = with_earlier(pl.concat(tables) if tables else pl.DataFrame(), RESULTS, (*KEY, "power"))
    results = results.sort(*KEY, "power").select(*KEY, "power", pl.exclude(*KEY, "power"))
    results.write_csv(RESULTS, float_precision=5)
    best = results.sort(CHOICE, descending=True).unique(KEY, keep="first", maintain_order=True)
    best = best.with_columns(pl.col(METRICS).round(4))
    (HERE / "table.md").write_text(markdown(best.columns, best.iter_rows()), encoding="utf-8")


if __name__ == "__main__":
    for name in TRIED:
        if cells := turn(name):
            main(HERE, cells, report)
