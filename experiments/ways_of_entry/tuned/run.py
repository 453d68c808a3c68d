"""Is it the text, or the setting? LightGCN on amazon_office by way, each way tuned alike and trained to its end.

    python experiments/ways_of_entry/tuned/run.py

Every way runs at every learning rate and temperature with one seed; what has the best validation NDCG runs again with
more. How to choose some of the runs and go on: see experiments/study.py.
"""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
from study import Cell, Finished, main, markdown, mean_and_deviation, with_earlier  # noqa: E402

from graftrec.pipeline.run_folder import RunFolder  # noqa: E402

WAYS = {
    "id": ("features=none", "input=id"),
    "init_minilm": ("features=minilm", "input=init", "conditioning=pca"),
    "init_random": ("features=random", "input=init", "conditioning=pca"),
    "sum_minilm": ("features=minilm", "input=id_plus_text", "conditioning=center"),
    "sum_random": ("features=random", "input=id_plus_text", "conditioning=center"),
}
RATES = ("3e-3", "1e-2", "3e-2")
TEMPERATURES = ("0.1", "0.2", "0.4")
SEEDS = (0, 1, 2)  # the first chooses the setting
KEY = ("way", "rate", "temperature", "seed")
METRICS = ("recall@20", "precision@20", "f1@20", "ndcg@20")
CHOICE = "valid/ndcg@20"
SETTINGS = (
    "data=amazon_office",
    "encoder=lightgcn",
    "objective=softmax",
    "batch_size=8192",
    "trainer.max_epochs=200",  # none reaches it
    "trainer.enable_progress_bar=false",
    "callbacks.early_stopping.patience=10",
    "baselines=strong",
    "logger=[]",
    "threads=1",
)


def cell(way: str, rate: str, temperature: str, seed: int) -> Cell:
    """One run."""
    words = (f"optimizer.lr={rate}", f"objective.terms.softmax.temperature={temperature}", f"seed={seed}")
    return Cell(dict(zip(KEY, (way, rate, temperature, seed), strict=True)), (*SETTINGS, *WAYS[way], *words))


def searched() -> Iterator[Cell]:
    """Every way at every setting, with the first seed."""
    for rate, temperature, way in itertools.product(RATES, TEMPERATURES, WAYS):
        yield cell(way, rate, temperature, SEEDS[0])


def repeated() -> Iterator[Cell]:
    """The best setting of each way, with the other seeds."""
    results = pl.read_csv(HERE / "results.csv", schema_overrides={"rate": pl.String, "temperature": pl.String})
    for way, seed in itertools.product(WAYS, SEEDS[1:]):
        yield cell(way, *best(results.filter(way=way)), seed)


def best(runs: pl.DataFrame) -> tuple[str, str]:
    """Rate and temperature with the best validation NDCG among one way's runs with the first seed."""
    first = runs.filter(pl.col("seed") == SEEDS[0]).sort(CHOICE, descending=True)
    return first["rate"][0], first["temperature"][0]


def report(finished: list[Finished]) -> None:
    """results.csv with every run; table.md with each way at its best setting, mean ± standard deviation over seeds."""
    rows = []
    for done in finished:
        beside = done.baseline_rows(METRICS, "way")
        rows += [{**row, "rate": "", "temperature": "", "seed": SEEDS[0]} for row in beside]
        rows.append({**done.row(METRICS), CHOICE: RunFolder.read_json(done.run.metrics)[CHOICE]})
    results = with_earlier(pl.DataFrame(rows, infer_schema_length=None), HERE / "results.csv", KEY)
    results = results.select(*KEY, pl.exclude(KEY)).sort(pl.col("way").is_in(list(WAYS)), "way", "seed")
    results.write_csv(HERE / "results.csv", float_precision=6)
    lines = []
    for (way,), runs in results.group_by("way", maintain_order=True):
        rate, temperature = best(runs) if way in WAYS else ("", "")
        chosen = runs.filter(rate=rate, temperature=temperature)
        values = (mean_and_deviation(chosen[name]) for name in METRICS)
        lines.append([way, rate, temperature, *values, len(chosen), chosen["epochs"].max() or ""])
    header = [*KEY[:3], *METRICS, "seeds", "best epoch, at most"]
    (HERE / "table.md").write_text(markdown(header, lines), encoding="utf-8")


if __name__ == "__main__":
    main(HERE, list(searched()), report)
    main(HERE, [*searched(), *repeated()], report)
