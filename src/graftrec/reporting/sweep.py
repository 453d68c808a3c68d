"""The end of a sweep: its trials as a table, a csv file, a page of plots and a tracked run."""

import html
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Table
from rich.text import Text

from graftrec.data.files import written
from graftrec.errors import InputError
from graftrec.pipeline.run import load_run
from graftrec.pipeline.run_folder import RunFolder
from graftrec.reporting.tables import SHOWN, console

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

    from graftrec.pipeline.sweep.run import Sweep

ROWS = 10  # trials that the terminal shows
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px system-ui;margin:2rem auto;max-width:1100px;padding:0 1rem}}</style>
<h1>{title}</h1>
{body}
"""


def report(sweep: "Sweep") -> None:
    """Everything that a sweep leaves beside its runs; a sweep without a complete trial leaves its csv file."""
    from graftrec.pipeline.sweep.best import best_trials, write_recipes, write_wandb_sweep
    from graftrec.pipeline.sweep.tracking import track

    frame = table(sweep)
    with written(sweep.folder / "trials.csv", "hydra.sweep.dir") as partial:
        frame.write_csv(partial)
    RunFolder.write_json(sweep.folder / "budget.json", budget(sweep), "hydra.sweep.dir")
    write_wandb_sweep(sweep)
    best = best_trials(sweep)
    if best:
        write_recipes(sweep, best)
        write_plots(sweep)
        track(sweep, frame, best[0])
    _print(sweep, frame, best)


def table(sweep: "Sweep") -> pl.DataFrame:
    """One row a trial: number, state, objectives, parameters, validation metrics, costs, folder, error."""
    from graftrec.pipeline.sweep.run import state_of

    rows = [_row(sweep, trial, state_of(trial)) for trial in sweep.ledger.trials if trial.state.name != "WAITING"]
    return pl.DataFrame([row for row in rows if row["state"] != "duplicate"], infer_schema_length=None)


def _row(sweep: "Sweep", trial: "FrozenTrial", state: str) -> dict[str, Any]:
    metrics = {k: v for k, v in trial.user_attrs.get("metrics", {}).items() if not k.startswith("test/")}
    number = trial.user_attrs.get("same_as", trial.number)
    folders = sorted(path.name for path in sweep.folder.glob(f"{number}_*") if path.is_dir())
    values = dict(zip(sweep.settings.objectives, trial.values or [], strict=False))
    return {
        "trial": trial.number,
        "state": state,
        **{name: values.get(name) for name in sweep.settings.objectives},
        **{f"param:{name}": trial.params.get(name) for name in sweep.space.distributions},
        **{f"mean:{name}" if sweep.settings.repeats > 1 else name: v for name, v in metrics.items()},
        "same_as": trial.user_attrs.get("same_as"),
        "epochs": trial.last_step,
        "folders": " ".join(folders),
        "error": trial.user_attrs.get("error"),
    }


def budget(sweep: "Sweep") -> dict[str, Any]:
    """What the search was given and what it took: sweeps with equal settings compare models tuned alike."""
    from graftrec.pipeline.sweep.ledger import FINISHED

    settings, trials = sweep.settings, sweep.ledger.trials
    trained = [trial for trial in trials if "same_as" not in trial.user_attrs]
    runs = (RunFolder(path) for trial in trained for path in sweep.folder.glob(f"{trial.number}_*"))
    seconds = [_train_seconds(run) for run in runs]
    return {
        "n_trials": settings.n_trials,
        "finished": sweep.ledger.count(*FINISHED),
        "repeated": sum(trial.state in FINISHED for trial in trials if "same_as" in trial.user_attrs),
        "repeats": settings.repeats,
        "objectives": list(settings.objectives),
        "sampler": sweep.config.hydra.sweeper.sampler._target_,
        "parameters": sweep.space.to_json(),
        "train_seconds": round(sum(seconds), 3),
    }


def _train_seconds(run: RunFolder) -> float:
    """What training took, or its epochs where it was ended; 0 of a run that has not come so far."""
    facts = RunFolder.read_json(run.facts) if run.facts.is_file() else {}
    if "stages" in facts:
        return float(facts["stages"]["train"]["seconds"])
    curves = pl.read_csv(run.curves) if run.curves.is_file() else pl.DataFrame()  # of a pruned or failed one
    return float(curves["cost/epoch_seconds"].sum()) if "cost/epoch_seconds" in curves.columns else 0.0


def write_plots(sweep: "Sweep") -> None:
    """``plots.html``, one page that needs no network."""
    if find_spec("plotly") is None:
        console().print("plots.html is left out: pip install 'graftrec\\[sweep]' brings plotly.")
        return
    parts = []
    for name, draw in plots(sweep.ledger.study, sweep.settings.objectives):
        parts.append(f"<h2>{html.escape(name)}</h2>")
        try:
            with warnings.catch_warnings(action="ignore"):
                figure = draw().update_layout(height=500)
            inline = not any("plotly.js" in part for part in parts)
            parts.append(figure.to_html(full_html=False, include_plotlyjs=inline))
        except (ValueError, RuntimeError, ImportError) as error:  # too few trials for it, a parameter that never varied
            parts.append(f"<p>Not drawn: {html.escape(str(error))}</p>")
    page = PAGE.format(title=html.escape(sweep.folder.name), body="\n".join(parts))
    with written(sweep.folder / "plots.html", "hydra.sweep.dir") as partial:
        partial.write_text(page)


def plots(study: "Study", names: Sequence[str]) -> list[tuple[str, Callable[[], Any]]]:
    """Titles, and what draws each, of a study of the objectives ``names``."""
    from optuna import visualization as draw

    found: list[tuple[str, Callable[[], Any]]] = []
    if 2 <= len(names) <= 3:
        found.append(("Pareto front", lambda: draw.plot_pareto_front(study, target_names=list(names))))
    kinds: Mapping[str, Any] = {
        "History": draw.plot_optimization_history,
        "Importance": draw.plot_param_importances,
        "Slices": draw.plot_slice,
        "Parallel coordinates": draw.plot_parallel_coordinate,
    }
    for kind, plot in kinds.items():
        for index, name in enumerate(names):
            found.append((f"{kind}: {name}", _drawn(plot, study, index, name, len(names))))
    return found


def _drawn(plot: Any, study: Any, index: int, name: str, count: int) -> Callable[[], Any]:
    """One plot of one objective; Optuna takes a target only where there are several."""
    target = None if count == 1 else (lambda trial: trial.values[index])
    return lambda: plot(study, target=target, target_name=name)


def _print(sweep: "Sweep", frame: pl.DataFrame, best: Sequence["FrozenTrial"]) -> None:
    out = console()
    states = ", ".join(f"{row[1]} {row[0]}" for row in frame["state"].value_counts(sort=True).iter_rows())
    out.print(f"\n[bold]{sweep.folder.name}[/]: {states}")
    if not best:
        out.print("No trial was completed within the limits; trials.csv says why.")
    else:
        out.print(_table(sweep, best))
        _print_best(sweep, best[0])
    out.print(Text(str(sweep.folder)), soft_wrap=True)


def _table(sweep: "Sweep", best: Sequence["FrozenTrial"]) -> Table:
    """The front of several objectives, or the best trials of one."""
    from graftrec.pipeline.sweep.run import state_of

    names, settings = list(sweep.space.distributions), sweep.settings
    shown = list(best)
    if len(settings.objectives) == 1:
        complete = [trial for trial in sweep.ledger.trials if state_of(trial) == "complete"]
        sign = -1 if settings.directions[0] == "maximize" else 1
        shown = sorted(complete, key=lambda trial: sign * trial.values[0])
    title = "best trials" if len(settings.objectives) == 1 else f"Pareto front of {len(best)}, the most balanced first"
    out = Table("trial", *settings.objectives, *(name.split(".")[-1] for name in names), title=title)
    for trial in shown[:ROWS]:
        values = [f"{value:.4f}" for value in trial.values]
        params = (trial.params[name] for name in names)
        out.add_row(str(trial.number), *values, *(Text(f"{p:.4g}" if isinstance(p, float) else str(p)) for p in params))
    return out


def _print_best(sweep: "Sweep", best: "FrozenTrial") -> None:
    """Test metrics of the one trial that validation chose, and how to run it again."""
    out = console()
    number = best.user_attrs.get("same_as", best.number)
    for folder in sorted(sweep.folder.glob(f"{number}_*")):
        try:
            run = load_run(folder)
        except InputError:
            continue
        k = max(run.config.evaluation.k)
        names = [f"test/{name}@{k}" for name in SHOWN if f"test/{name}@{k}" in run.metrics]
        cells = ", ".join(f"{name.removeprefix('test/')} {run.metrics[name]:.4f}" for name in names)
        out.print(f"trial {best.number}, seed {run.config.seed}, on test: {cells}", highlight=False)
    out.print(f"To train it again: graftrec train --config-dir {sweep.folder} experiment=best", soft_wrap=True)
