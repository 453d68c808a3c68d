"""The plots of a sweep, from its trials.csv alone: wherever its storage is, and while it is going on."""

import json
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from graftrec.errors import InputError
from graftrec.metrics.direction import is_lower_better
from graftrec.reporting.sweep import plots

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

MARK = "param:"


def search_of(folder: Path) -> dict[str, Any] | None:
    """Objectives, numbers of trials by state, all trials as a table, and plots; None where ``folder`` is no sweep's.

    A plot is Plotly's JSON with a title, or a title with the reason why it is not drawn.
    """
    path = folder / "trials.csv"
    if not path.is_file():
        return None
    try:
        frame = pl.read_csv(path, infer_schema_length=None)
        objectives = frame.columns[2 : next(i for i, name in enumerate(frame.columns) if name.startswith(MARK))]
        states = dict(frame["state"].value_counts(sort=True).iter_rows())
    except (OSError, pl.exceptions.PolarsError, StopIteration) as error:
        raise InputError(f"{path} is damaged ({error}); the sweep's own command writes it again.") from error
    recipe = folder / "experiment" / "best.yaml"
    return {
        "objectives": objectives,
        "states": states,
        "trials": _trials(frame, objectives),
        "recipe": f"graftrec train --config-dir {folder.resolve()} experiment=best" if recipe.is_file() else None,
        "figures": _figures(study_of(frame, objectives, _logarithmic(folder)), objectives),
    }


def _trials(frame: pl.DataFrame, objectives: list[str]) -> dict[str, list[Any]]:
    shown = frame.select("trial", "state", *objectives, *(name for name in frame.columns if name.startswith(MARK)))
    return {"columns": [name.removeprefix(MARK) for name in shown.columns], "rows": [list(row) for row in shown.rows()]}


def study_of(frame: pl.DataFrame, objectives: list[str], logarithmic: set[str]) -> "Study":
    """The complete trials as a study of Optuna's, in memory, under their own numbers: the others are failed there."""
    import optuna
    from optuna.study import StudyDirection

    directions = [StudyDirection.MINIMIZE if is_lower_better(n) else StudyDirection.MAXIMIZE for n in objectives]
    with warnings.catch_warnings(action="ignore"):
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(directions=directions)
        complete = frame.filter(pl.col("state") == "complete")
        names = [
            name for name in frame.columns if name.startswith(MARK) and complete[name].count() == len(complete) > 0
        ]
        spaces = {name: _space(complete[name], name.removeprefix(MARK) in logarithmic) for name in names}
        rows = {row["trial"]: row for row in complete.iter_rows(named=True)}
        for number in range(max(rows, default=-1) + 1):
            study.add_trial(_trial(rows.get(number), spaces, objectives))
    return study


def _trial(row: dict[str, Any] | None, spaces: "dict[str, BaseDistribution]", objectives: list[str]) -> "FrozenTrial":
    import optuna

    if row is None:
        return optuna.trial.create_trial(state=optuna.trial.TrialState.FAIL)
    return optuna.trial.create_trial(
        params={name.removeprefix(MARK): row[name] for name in spaces},
        distributions={name.removeprefix(MARK): space for name, space in spaces.items()},
        values=[row[name] for name in objectives],
    )


def _space(column: pl.Series, logarithmic: bool) -> "BaseDistribution":
    """The smallest space that holds all values of a parameter."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    values = column.to_list()
    if column.dtype.is_integer():
        return IntDistribution(min(values), max(values), log=logarithmic)
    if column.dtype.is_float():
        return FloatDistribution(min(values), max(values), log=logarithmic)
    return CategoricalDistribution(list(dict.fromkeys(values)))


def _logarithmic(folder: Path) -> set[str]:
    """Parameters that were searched on a log scale, as the sweep's export for W&B says."""
    try:
        space = yaml.safe_load((folder / "wandb_sweep.yaml").read_text("utf-8"))["parameters"]
    except (OSError, yaml.YAMLError, KeyError, TypeError):  # only the scale of axes hangs on it
        return set()
    return {name for name, how in space.items() if "log" in how.get("distribution", "")}


def _figures(study: "Study", objectives: list[str]) -> list[dict[str, Any]]:
    """None are drawn before a trial is complete."""
    figures: list[dict[str, Any]] = []
    for title, draw in plots(study, objectives) if study.trials else []:
        try:
            with warnings.catch_warnings(action="ignore"):
                figure = json.loads(draw().to_json())
            figure["layout"].pop("template", None)  # the page has its own colours
            figures.append({"title": title, **figure})
        except (ValueError, RuntimeError, ImportError) as error:  # too few trials, a parameter that never varied
            figures.append({"title": title, "reason": str(error)})
    return figures
