"""Tables in the terminal."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from graftrec.data.dataset import Dataset
from graftrec.pipeline.run import Run
from graftrec.pipeline.stages import Stages
from graftrec.pipeline.task import Result
from graftrec.reporting.interest import print_interest

SHOWN = ("recall", "precision", "f1", "ndcg", "coverage", "novelty", "diversity")
SHORT, LONG = 12, 60  # characters of a list's cell: never folded, cut off


def console() -> Console:
    """A terminal at its own width, a file or pipe at 130 columns."""
    terminal = Console()
    return terminal if terminal.is_terminal else Console(width=130)


def print_run(run: Run) -> None:
    """This run beside its baselines, what it cost, and, on the last line, its folder."""
    out = console()
    sizes = run.facts["sizes"]
    leaky = " [bold red](leaky: validated on the test set)[/]" if "leaky" in run.facts["tags"] else ""
    out.print(
        f"\n[bold]{run.facts['data']['id']}[/]{leaky}: {sizes['users']:,} users, {sizes['items']:,} items, "
        f"{sizes['train']:,} train / {sizes['valid']:,} valid / {sizes['test']:,} test interactions"
    )
    print_counts(run.facts["data"]["counts"])
    out.print(f"  this run: {describe(run)}", highlight=False)
    {"ranking": print_ranking, "interest": print_interest}[run.task.name](run, out)
    stages = run.facts["stages"]
    seconds = sum(stage["seconds"] for stage in stages.values())
    peak = max(stage["peak_gib"] for stage in stages.values())
    costs = ", ".join(f"{name} {stage['seconds']:.1f} s" for name, stage in stages.items())
    out.print(f"{_training(run)}{seconds:.0f} s, peak memory {peak:.2f} GiB ({costs})")
    for offline in sorted((run.folder.path / "wandb").glob("offline-run-*")):
        out.print(f"To upload to W&B: wandb sync {_shorter(offline)}", soft_wrap=True, highlight=False)
    out.print(Text(str(run.folder.path)), soft_wrap=True)


def _training(run: Run) -> str:
    """Epochs and parameters; nothing for a recommender without training."""
    if "epochs" not in run.facts:
        return ""
    trained, best = run.facts["epochs"]["trained"], run.facts["epochs"]["best"]
    word = "epoch" if trained == 1 else "epochs"
    return f"{trained} {word} (best: {best}), {run.facts['parameters']:,} parameters, "


def _shorter(path: Path) -> str:
    """``path`` as it is, or from the working folder where that is shorter."""
    return min(str(path), os.path.relpath(path), key=len)


def print_ranking(run: Run, out: Console) -> None:
    """Test metrics beside the baselines', and recall by degree."""
    rows = [
        (_beside(name, result), result["metrics"], result["seconds"]) for name, result in run.facts["baselines"].items()
    ]
    rows += [(f"member: {m['name']}", m["metrics"], m["seconds"]) for m in run.facts.get("members", ())]
    rows.append(("this run", run.metrics, run.facts["stages"]["train"]["seconds"]))
    k = max(run.config.evaluation.k)
    out.print(comparison(rows, k))
    if f"test/cold/recall@{k}" in run.metrics:
        out.print(comparison(rows, k, "cold/"))
    if run.config.evaluation.get("max_users"):  # runs of earlier versions have no such setting
        out.print(f"{run.facts['judged_users']['test']:,} test users were judged, evenly spread", highlight=False)
    if "behaviour_weights" in run.facts:
        cells = (f"{name}: {weight:.3f}" for name, weight in run.facts["behaviour_weights"].items())
        out.print(f"learned weights of behaviours: {', '.join(cells)}", highlight=False)
    for (kind,), strata in run.strata.group_by("kind", maintain_order=True):
        cells = (f"{name}: {value:.4f}" for name, value in strata.select("stratum", f"recall@{k}").iter_rows())
        out.print(f"recall@{k} by {kind} in training: {', '.join(cells)}", highlight=False)


def _beside(name: str, result: Mapping[str, Any]) -> str:
    """A baseline, what was chosen of its settings, and whether by the test set."""
    told = [result["chosen"]] if result["chosen"] else []
    told += ["leaky"] if result.get("leaky") else []  # results of earlier versions do not say
    return name + (f" ({', '.join(told)})" if told else "")


def comparison(rows: Sequence[tuple[str, Mapping[str, float], float]], k: int, candidates: str = "") -> Table:
    """Test metrics at ``k``, one row a recommender, the best value of each column in bold.

    ``candidates``: ``cold/`` for lists of items that training never saw; "" for lists of all items.
    """
    known = set.intersection(*(set(metrics) for _, metrics, _ in rows))  # no features, no diversity
    columns = [column for column in (f"test/{candidates}{name}@{k}" for name in SHOWN) if column in known]
    heads = (short(column).removeprefix(candidates) for column in columns)
    table = Table(f"lists of {k}{' cold items' if candidates else ''}", *heads, "seconds")
    best = {column: max(metrics[column] for _, metrics, _ in rows) for column in columns}
    for name, metrics, seconds in rows:
        cells = [f"[bold]{v:.4f}[/]" if v == best[c] else f"{v:.4f}" for c, v in ((c, metrics[c]) for c in columns)]
        table.add_row(Text(name), *cells, f"{seconds:.1f}")
    return table


def short(metric: str) -> str:
    """``test/recall@20`` as a column's head: recall."""
    return metric.removeprefix("test/").split("@")[0]


def describe(run: Run) -> str:
    """The task, the choices that name a run, such as encoder and objective, and the seed."""
    if "model" in run.facts:
        settings = (f"{name} {value}" for name, value in run.facts["model"]["settings"].items())
        return ", ".join([run.task.name, run.facts["model"]["name"], *settings])
    choices = run.config.choices
    named = [choices[group] for group in run.task.choices]
    named += ["tabular columns"] if choices.get("tabular", "none") != "none" else []
    return ", ".join([run.task.name, *named, f"seed {run.config.seed}"])


def print_counts(counts: Mapping[str, int]) -> None:
    """What reading, filtering and splitting kept and dropped."""
    console().print("  " + ", ".join(f"{name}: {value:,}" for name, value in counts.items() if value), highlight=False)


def print_prepared(dataset: Dataset, stages: Stages, edges: int) -> None:
    """Sizes, and time and peak memory of each stage."""
    console().print(
        f"[bold]{dataset.id}[/] (hash {dataset.hash}): {dataset.num_users:,} users, {dataset.num_items:,} items, "
        f"{len(dataset.train):,} train / {len(dataset.valid):,} valid / {len(dataset.test):,} test, {edges:,} edges"
    )
    print_counts(dataset.counts)
    table = Table("stage", "seconds", "peak memory, GiB")
    for stage in stages.done:
        table.add_row(stage.name, f"{stage.seconds:.2f}", f"{stage.peak_gib:.2f}")
    console().print(table)


def print_recommendations(run: Run, users: Sequence[Any], k: int) -> None:
    """History and recommendations of each user, with titles where the data has text."""
    out = console()
    for user in users:
        recommended, history = run.recommend([user], k).drop("user"), run.history(user)
        out.print(f"\n[bold]User {user}[/]: {len(history)} items, the latest:" if len(history) else f"User {user}")
        out.print(_items_table(history.head(k)))
        out.print("Recommended:")
        out.print(_items_table(recommended))


def _items_table(frame: pl.DataFrame) -> Table:
    table = Table()
    if "time" in frame.columns:
        frame = frame.with_columns(pl.from_epoch(pl.col("time").cast(pl.Int64)).dt.strftime("%Y-%m-%d"))
    rows = [[_cell(cell) for cell in row] for row in frame.iter_rows()]
    for index, column in enumerate(frame.columns):
        needed = max(map(len, [column, *(row[index] for row in rows)]))
        table.add_column(column, no_wrap=needed <= SHORT)  # in a narrow terminal only long texts are folded
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _cell(value: object) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value or "")
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


def print_evaluation(run: Run, results: Mapping[str, Result]) -> None:
    """All metrics of both held-out parts."""
    out = console()
    table = Table("metric", *results, title=run.facts["data"]["id"])
    names = list(next(iter(results.values())).values)
    for name in names:
        table.add_row(name, *(f"{result.values[name]:.6g}" for result in results.values()))
    out.print(table)
    out.print(Text(str(run.folder.path)), soft_wrap=True)
