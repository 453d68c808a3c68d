"""What the dashboard shows, without a word of how: sections of panels that every renderer draws its own way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["leaderboard", "curve", "strata", "scatter", "search"]

SHOWN: Final = ("recall", "ndcg", "precision", "f1", "coverage", "novelty", "diversity")  # of lists of k items
HEALTH: Final = {  # by the first part of the name
    "alignment": "Squared distance of users to their training items; lower is closer.",
    "uniformity": "Lower: vectors are spread more evenly over the sphere.",
    "user_rank": "Effective number of dimensions that users' vectors fill.",
    "item_rank": "Effective number of dimensions that items' vectors fill.",
    "smoothness": "Mean cosine of nodes with a neighbour in common: near 1 is over-smoothing.",
    "drift": "1 - mean cosine to the language model's vectors, where training started.",
}
SEARCH: Final = {
    "Pareto front": "Trials that no other trial beats in every objective.",
    "History": "The objective of each trial, and the best so far.",
    "Importance": "How much of the objective's variance each setting explains.",
    "Slices": "The objective against one setting at a time.",
    "Parallel coordinates": "One line a trial through all of its settings.",
}


@dataclass(frozen=True)
class Panel:
    """One table or plot.

    ``metrics``: the table's columns, the curve's one metric, a scatter's x and y, the kind of degree of strata, or
    the objective of a search that does not say its own.
    """

    kind: Kind
    title: str
    about: str
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """Panels under one heading; ``name`` is the address inside a page."""

    name: str
    title: str
    about: str
    panels: tuple[Panel, ...]


def describe(metric: str, k: int | None, health: Sequence[str] = ()) -> tuple[Section, ...]:
    """The dashboard of runs that are judged by ``metric``, such as recall@20, on lists of ``k`` items.

    ``health`` are the columns of the learning curves that tell of representations. ``k=None``: no lists, as in
    ``task=interest``. A renderer leaves out what no run has measured.
    """
    lists = [f"{name}@{k}" for name in SHOWN] if k else []
    return (
        Section("leaderboard", "Leaderboard", "Mean ± standard deviation over seeds, on test.", (
            Panel("leaderboard", "Leaderboard", "One row a variant: runs that differ only in their seed.",
                  (*dict.fromkeys([metric, *lists]), "seconds", "peak_gib")),
        )),
        Section("curves", "Learning curves", "Of the selected variants; lines of one colour are its seeds.", tuple(
            Panel("curve", title, about, (name,)) for name, title, about in (
                (f"valid/{metric}", f"Validation {metric}", "By this, or another validation metric, a run stops."),
                ("train/loss", "Training loss", "The weighted sum of the objective's terms."),
            )
        )),
        Section("search", "Search", "What the sweep has tried.", tuple(
            Panel("search", title, about, (f"valid/{metric}",)) for title, about in SEARCH.items()
        )),
        Section("strata", "From cold to warm", "Who is served well: test metrics by how much training had of a node.", (
            Panel("strata", "By item degree", "Share of the held-out pairs that lists contain.", ("item degree",)),
            Panel("strata", "By user degree", "Mean over users of like degree.", ("user degree",)),
        )),
        Section("trade_offs", "Beyond accuracy", "Each point is a variant, each diamond a baseline.", tuple(
            Panel("scatter", f"{metric} and {name}", about, (f"{name}@{k}", metric)) for name, about in (
                ("coverage", "Share of all items that are in any list."),
                ("novelty", "Higher: less popular items."),
                ("diversity", "Higher: the items of a list are less alike."),
            )
        )),
        Section("health", "Health of representations", "Measured on users' and items' vectors while they learn.", tuple(
            _health(name) for name in health
        )),
        Section("cost", "Cost", "What a result takes.", (
            Panel("scatter", f"{metric} and training time", "Seconds of training, on a log scale.",
                  ("seconds", metric)),
            Panel("scatter", f"{metric} and memory", "Largest resident memory of the process, GiB.",
                  ("peak_gib", metric)),
        )),
    )  # fmt: skip


def _health(name: str) -> Panel:
    kind, _, layer = name.removeprefix("health/").partition("/")
    title = kind.replace("_", " ").capitalize() + (f", layer {layer}" if layer else "")
    return Panel("curve", title, HEALTH.get(kind, ""), (name,))
