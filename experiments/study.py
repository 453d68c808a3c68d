"""What the studies share: runs of a design that go on where they stopped, and tables over their seeds.

    python experiments/NAME/run.py [FOLDER] [again] [data=movielens_small encoder=gcn,gin seed=0 ...]

Runs go to FOLDER (outputs/NAME by default). A finished run is kept, an interrupted one goes on, one that has a row in
the study's results.csv is not repeated, so the same command continues in a new checkout too; ``again`` repeats what
results.csv has, but not what FOLDER has. Words such as ``encoder=gcn,gin`` choose some of the runs; two commands with
different words may share a folder. After every run the tables are written beside the study's run.py, from FOLDER's runs
and from the rows of results.csv.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from rich.progress import track

from graftrec.nn.scorers import Cosine
from graftrec.pipeline.composed import composed
from graftrec.pipeline.ranking import held_out_tasks
from graftrec.pipeline.run import load_run
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.train import train
from graftrec.recommend.evaluation import evaluate
from graftrec.scoring import FactorScorer

Value = str | int | float
AGAIN = "again"  # on the command line: run what results.csv has too
POWERS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25)  # of an item's norm in its score
RATES = ("1e-3", "3e-3", "1e-2")  # of the studies that search the learning rate
SEEDS = (0, 1, 2)  # the first chooses the rate
CHOICE = "valid/ndcg@20"  # by this
UNTUNED = (  # one recipe for all, of the studies that compare features and ways of entry
    "batch_size=8192",
    "optimizer.lr=1e-2",
    "trainer.max_epochs=25",
    "trainer.enable_progress_bar=false",
    "callbacks.early_stopping.patience=5",
    "logger=[]",
    "threads=1",
)


@dataclass(frozen=True)
class Cell:
    """One run of a study: ``values`` name it, ``overrides`` are what is typed after ``graftrec train``."""

    values: Mapping[str, Value]
    overrides: tuple[str, ...]

    def chosen(self, words: Mapping[str, list[str]]) -> bool:
        """Whether every word, such as encoder: [gcn, gin], names this run's value."""
        return all(str(self.values.get(name)) in values for name, values in words.items())

    def known(self, results: Path) -> bool:
        """Whether ``results`` (results.csv) has a row of this run."""
        if not results.is_file():
            return False
        same = [pl.col(name).cast(pl.String) == str(value) for name, value in self.values.items()]
        return not pl.read_csv(results, infer_schema_length=None).filter(*same).is_empty()

    def folder(self, runs: Path) -> RunFolder:
        """Where it lies in ``runs``."""
        return RunFolder(runs / "_".join(str(value) for value in self.values.values()))


@dataclass(frozen=True)
class Finished:
    """A cell and its finished run."""

    cell: Cell
    run: RunFolder

    @property
    def facts(self) -> dict[str, Any]:
        """run.json."""
        return RunFolder.read_json(self.run.facts)

    def row(self, metrics: Iterable[str]) -> dict[str, object]:
        """Values, cost and test metrics."""
        facts, found = self.facts, RunFolder.read_json(self.run.metrics)
        cost = {"epochs": facts["epochs"]["best"], "seconds": facts["stages"]["train"]["seconds"]}
        return {**self.cell.values, **cost, **{name: found[f"test/{name}"] for name in metrics}}

    def baseline_rows(self, metrics: Iterable[str], column: str) -> list[dict[str, object]]:
        """Test metrics of the baselines that were computed beside it; their name stands in ``column``."""
        shared = {name: self.cell.values[name] for name in ("data", "task") if name in self.cell.values}
        return [
            {**shared, column: name, **{metric: found["metrics"].get(f"test/{metric}") for metric in metrics}}
            for name, found in self.facts["baselines"].items()
        ]

    def by_power(self, metrics: Sequence[str], parts: Sequence[str] = ("valid", "test")) -> pl.DataFrame:
        """Metrics of ``parts``, "valid/recall@20", with each of ``POWERS`` in ``scorer=cosine``.

        Of a run whose scorer leaves the items' norms as they are (dot, or ``item_norm=1``). Kept in the run's folder.
        """
        kept = self.run.path / "by_power.csv"
        names = [f"{part}/{name}" for part in parts for name in metrics]
        if kept.is_file() and set(names) <= set(pl.read_csv(kept).columns):
            return pl.read_csv(kept)
        run = load_run(self.run.path)
        rows, tasks = [], {part: task for part, task in held_out_tasks(run).items() if part in parts}
        for power in POWERS:
            scorer = FactorScorer(*Cosine(power).factors(*run.scorer.factors()))
            found = {part: evaluate(scorer, task).values for part, task in tasks.items()}
            values = {f"{part}/{name}": found[part][name] for part in found for name in metrics}
            rows.append({"power": power, **values})
        pl.DataFrame(rows).write_csv(kept)
        return pl.DataFrame(rows)

    def searched_row(self, metrics: Sequence[str], powered: Sequence[str]) -> dict[str, object]:
        """``row``, the metric that chooses the rate, and ``powered`` metrics at the best power where norms are left."""
        chosen_by = {CHOICE: RunFolder.read_json(self.run.metrics)[CHOICE]}
        scorer = self.run.read_config().scorer
        normed = "item_norm" in scorer and scorer.item_norm != 1
        return {**self.row(metrics), **chosen_by, **({} if normed else self.at_best_power(powered))}

    def at_best_power(self, metrics: Sequence[str]) -> dict[str, float]:
        """The power of the items' norms with the best validation NDCG; "powered recall@20": what it gives on test."""
        found = self.by_power([*metrics, CHOICE.split("/")[1]]).sort(CHOICE, descending=True).row(0, named=True)
        return {"power": found["power"], **{f"powered {name}": found[f"test/{name}"] for name in metrics}}

    def strata(self) -> pl.DataFrame:
        """The run's strata.csv with the cell's values as columns."""
        return pl.read_csv(self.run.strata).with_columns(pl.lit(v).alias(k) for k, v in self.cell.values.items())


def main(here: Path, cells: Sequence[Cell], report: Callable[[list[Finished]], None]) -> None:
    """Train what is chosen on the command line and missing; ``report`` writes the tables of all finished runs."""
    again = AGAIN in sys.argv[1:]
    places = [word for word in sys.argv[1:] if "=" not in word and word != AGAIN]
    words = {name: values.split(",") for name, values in (w.split("=") for w in sys.argv[1:] if "=" in w)}
    unknown = set(words) - set(cells[0].values)
    if unknown:
        sys.exit(f"{unknown.pop()}= is no word of this study; choose among {', '.join(cells[0].values)}.")
    runs = Path(places[0] if places else f"outputs/{here.name}")
    missing = [cell for cell in cells if cell.chosen(words) and (again or not cell.known(here / "results.csv"))]
    for cell in track(missing, "runs"):
        run = cell.folder(runs)
        if not run.metrics.is_file():
            train(composed(cell.overrides), run.path)
            report(finished(cells, runs))
    report(finished(cells, runs))
    print(*(path for path in sorted(here.iterdir()) if path.suffix in (".md", ".csv", ".png")), sep="\n")


def finished(cells: Iterable[Cell], runs: Path) -> list[Finished]:
    """The cells that have run."""
    return [Finished(cell, cell.folder(runs)) for cell in cells if cell.folder(runs).metrics.is_file()]


def with_earlier(results: pl.DataFrame, file: Path, key: Sequence[str]) -> pl.DataFrame:
    """``results``, then the rows of ``file`` with another ``key``: runs whose folders are gone or elsewhere."""
    tables = [results]
    if file.is_file():
        tables.append(pl.read_csv(file, infer_schema_length=None, empty_string_is_null=False))
    together = pl.concat(tables, how="diagonal_relaxed")
    return together.unique(list(key), keep="first", maintain_order=True)


def search(
    here: Path,
    searched: Sequence[Cell],
    key: Sequence[str],
    cell: Callable[..., Cell],
    report: Callable[[list[Finished]], None],
) -> None:
    """``main`` for ``searched``, which run at every rate with the first seed, then for the best rates with the others.

    ``key`` names ``cell``'s arguments, the last two are the rate and the seed.
    """
    main(here, searched, report)
    if (here / "results.csv").is_file():
        results = pl.read_csv(here / "results.csv", schema_overrides={"rate": pl.String})
        main(here, [*searched, *repeated(results, key, cell)], report)


def repeated(results: pl.DataFrame, key: Sequence[str], cell: Callable[..., Cell]) -> Iterator[Cell]:
    """The best rate of each of ``results`` that ran at every rate, with the other seeds."""
    first = results.filter(pl.col("seed") == SEEDS[0], pl.col("rate").is_in(RATES))
    for values, runs in first.group_by(key[:-2], maintain_order=True):
        if len(runs) == len(RATES):
            for seed in SEEDS[1:]:
                yield cell(*values, best_rate(runs), seed)


def best_rate(runs: pl.DataFrame) -> str:
    """The rate with the best validation NDCG among runs that differ in rate and seed, with the first seed."""
    return runs.filter(pl.col("seed") == SEEDS[0]).sort(CHOICE, descending=True, nulls_last=True)["rate"][0]


def edge(runs: pl.DataFrame, rate: str) -> str:
    """Whether the best rate is the lowest or the highest that was tried: a better one may lie outside."""
    tried = set(runs["rate"])
    return "yes" if tried == set(RATES) and rate in (RATES[0], RATES[-1]) else ""


def mean_and_deviation(values: pl.Series, digits: int = 4) -> str:
    """``0.2170 ± 0.0042``; without deviation for one value."""
    if values.null_count():
        return "n/a"
    mean = f"{values.mean():.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {values.std():.{digits}f}"


def markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
