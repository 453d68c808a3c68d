"""The description as a W&B workspace and report. Building them needs no account, saving does."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from graftrec.errors import InputError
from graftrec.reporting.dashboard.description import Panel, Section, describe

if TYPE_CHECKING:
    from wandb_workspaces.reports.v2 import Report
    from wandb_workspaces.workspaces import Workspace

NAME: Final = "graftrec"
COSTS: Final = {"seconds": "cost/train_seconds", "peak_gib": "cost/train_peak_gib"}  # as trackers are told
LOGGED: Final = ("alignment", "uniformity", "user_rank", "item_rank")  # by every run
SETTINGS: Final = ("optimizer.lr", "dim", "encoder.num_layers", "batch_size")  # axes of parallel coordinates


def push(entity: str | None, project: str, metric: str) -> list[str]:
    """Save both in the project; gives their addresses. Refuses without a key, before anything is sent."""
    if find_spec("wandb_workspaces") is None:
        raise InputError("W&B's workspaces are written with wandb-workspaces: pip install 'graftrec[dashboard]'.")
    if entity is None:
        raise InputError("Whose project is it? Give entity=NAME, your W&B user or team.")
    import wandb

    if not wandb.login(prompt=False):
        raise InputError(
            "A dashboard in W&B needs an API key: set WANDB_API_KEY, or type wandb login. "
            "Without an account, graftrec dashboard build FOLDER writes the same as one HTML file."
        )
    sections = described(metric)
    view, text = workspace(entity, project, sections), report(entity, project, sections)
    view.save()
    text.save()
    return [view.url, text.url]


def described(metric: str) -> tuple[Section, ...]:
    """What runs log that W&B is shown; ``metric`` such as recall@20, or uniform/roc_auc of ``task=interest``."""
    _, _, k = metric.partition("@")
    if k and not k.isdigit():
        raise InputError(f"metric={metric} has no list length; write it as in metrics.json, such as metric=recall@20.")
    return describe(metric, int(k) if k else None, [f"health/{name}" for name in LOGGED])


def workspace(entity: str, project: str, sections: Sequence[Section]) -> "Workspace":
    """One section each, all open."""
    import wandb_workspaces.workspaces as ws

    parts = [ws.Section(name=section.title, panels=_panels(section), is_open=True) for section in sections]
    return ws.Workspace(entity=entity, project=project, name=NAME, sections=[part for part in parts if part.panels])


def report(entity: str, project: str, sections: Sequence[Section]) -> "Report":
    """Headings, what each section tells, and its panels over all runs of the project."""
    import wandb_workspaces.reports.v2 as wr

    blocks: list[Any] = [wr.TableOfContents()]
    for section in sections:
        if panels := _panels(section):
            runs = wr.Runset(name="all runs")  # of the report's own project
            blocks += [wr.H2(section.title), wr.P(section.about), wr.PanelGrid(runsets=[runs], panels=panels)]
    return wr.Report(entity=entity, project=project, title=NAME, blocks=blocks, width="fluid")


def _panels(section: Section) -> list[Any]:
    return [drawn for panel in section.panels for drawn in DRAWS[panel.kind](panel)]


def _leaderboard(panel: Panel) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    bars = [wr.BarPlot(title=name, metrics=[_summary(name)]) for name in panel.metrics]
    return [*bars, wr.RunComparer(diff_only=True)]


def _curve(panel: Panel) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    return [wr.LinePlot(title=panel.title, x="epoch", y=list(panel.metrics))]


def _strata(panel: Panel) -> list[Any]:
    """The table that every run logs; one for all kinds of degree."""
    import wandb_workspaces.reports.v2 as wr

    return [wr.MediaBrowser(title=panel.title, media_keys=["strata"])] if panel.metrics == ("item degree",) else []


def _scatter(panel: Panel) -> list[Any]:
    import wandb_workspaces.reports.v2 as wr

    x, y = panel.metrics
    return [wr.ScatterPlot(title=panel.title, x=_summary(x), y=_summary(y), log_x=x == "seconds")]


def _search(panel: Panel) -> list[Any]:
    """W&B has plots of its own for two of a sweep's; the others are of Optuna's study."""
    import wandb_workspaces.reports.v2 as wr

    (metric,) = panel.metrics
    if panel.title == "Importance":
        return [wr.ParameterImportancePlot(with_respect_to=metric)]
    if panel.title == "Parallel coordinates":
        axes = [wr.ParallelCoordinatesPlotColumn(wr.Config(name), log="lr" in name) for name in SETTINGS]
        last = wr.ParallelCoordinatesPlotColumn(wr.SummaryMetric(metric))
        return [wr.ParallelCoordinatesPlot(title=panel.title, columns=[*axes, last])]
    return []


def _summary(name: str) -> Any:
    import wandb_workspaces.reports.v2 as wr

    return wr.SummaryMetric(COSTS.get(name, f"test/{name}"))


DRAWS: Final = {
    "leaderboard": _leaderboard,
    "curve": _curve,
    "strata": _strata,
    "scatter": _scatter,
    "search": _search,
}
