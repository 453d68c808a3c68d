"""Is one variant better than another, by how much, and may it be chance?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from graftrec.errors import InputError
from graftrec.reporting.runs import find_all, read_baselines, read_runs
from graftrec.reporting.significance import Difference, differences
from graftrec.reporting.variants import check_comparable, check_length, chosen, latest, paired


@dataclass(frozen=True, eq=False)
class Comparison:
    """``reference`` against every other variant on ``metric`` (such as recall@20)."""

    runs: pl.DataFrame
    left_out: tuple[int, int]  # runs that others repeat, trials that validation did not choose
    baselines: pl.DataFrame
    k: int
    metric: str
    reference: str
    best: bool  # the reference was chosen by these values
    differences: Mapping[str, Difference]

    @property
    def column(self) -> str:
        """Of ``runs`` and ``baselines``."""
        return f"test/{self.metric}"

    @property
    def tests(self) -> int:
        """What Holm's correction counts."""
        return tests(len(self.differences) + 1, self.best)

    def seeds(self, label: str) -> list[float]:
        """The value of each of a variant's runs."""
        return self.runs.filter(pl.col("label") == label)[self.column].to_list()

    def wins(self, label: str) -> tuple[int, int]:
        """In how many of all pairs of one run each the reference is better."""
        ours, theirs = self.seeds(self.reference), self.seeds(label)
        return sum(a > b for a in ours for b in theirs), len(ours) * len(theirs)

    def percent(self, label: str, of: str | None = None) -> float:
        """The difference to a variant in percent of its mean, or of the mean of another."""
        mean = float(np.mean(self.seeds(of or label)))
        return 100 * self.differences[label].mean / mean if mean else float("inf")

    def one_seed(self, label: str) -> list[str]:
        """Those of both that were trained with one seed alone."""
        both = self.runs.filter(pl.col("label").is_in([label, self.reference]) & pl.col("trained"))
        return [name for name, count in both["label"].value_counts(sort=True).sort("label").iter_rows() if count == 1]


def compare(
    paths: Sequence[str], against: str | None = None, metric: str | None = None, k: int | None = None
) -> Comparison:
    """Read runs, refuse those that cannot be compared, test the best variant, or ``against``, with all others."""
    folders = find_all(paths)
    everything = read_runs(folders)
    once = latest(everything)
    runs = chosen(once, [*paths, *([against] if against else [])])
    check_comparable(runs)
    if runs["task"][0] != "ranking":
        raise InputError(f"task={runs['task'][0]} keeps no values of users; graftrec report tables its means.")
    if runs["label"].n_unique() == 1:
        raise InputError(
            f"Nothing to compare: {len(runs)} run(s) of one variant; give some that differ in more than seed."
        )
    named = metric.rpartition("@")[2] if metric else ""
    k = check_length(runs, int(named) if k is None and named.isdigit() else k)
    metric = metric or f"recall@{k}"
    values = paired(runs, metric)
    reference = _reference(everything, values, against)
    others = [label for label in values if label != reference]
    family = tests(len(values), against is None)
    found = differences(values[reference], [values[label] for label in others], family)
    left_out = (len(everything) - len(once), len(once) - len(runs))
    return Comparison(
        runs,
        left_out,
        read_baselines(folders),
        k,
        metric,
        reference,
        against is None,
        dict(zip(others, found, strict=True)),
    )


def tests(variants: int, best: bool) -> int:
    """Of one variant with all others; where that is the best by these values, of all pairs: any could have been it."""
    return variants * (variants - 1) // 2 if best else variants - 1


def _reference(runs: pl.DataFrame, values: Mapping[str, np.ndarray], against: str | None) -> str:
    """The label of the best variant, or of the one that ``against`` names by its label or one of its ``runs``."""
    if against is None:
        return max(values, key=lambda label: values[label].mean())
    if against in values:
        return against
    given = Path(against).expanduser().resolve()
    for label, path in runs.select("label", "path").iter_rows():
        if Path(path).resolve() == given:
            return str(label)
    names = "\n".join(f"  {label}" for label in values)
    raise InputError(f"against={against!r} is none of these runs; give a run's folder, or one of\n{names}")


def verdict(comparison: Comparison, label: str) -> str:
    """One sentence: is the difference real?"""
    found, (won, pairs) = comparison.differences[label], comparison.wins(label)
    better, worse = (comparison.reference, label) if found.mean > 0 else (label, comparison.reference)
    size = f"{abs(found.mean):.4f} ({abs(comparison.percent(label, worse)):.1f}%)"
    claim, p = f"{better} is better than {worse} by {size}", f"Holm p {shown_p(found.holm)}"
    if not found.differing:
        return f"None: {better} and {worse} give every user the same {comparison.metric}."
    if not found.significant and not found.apart_from_zero:
        return f"Not shown: {size} between {better} and {worse} may be chance ({p})."
    if not (found.significant and found.apart_from_zero):
        return f"Open: {claim}, but the interval and the Wilcoxon test ({p}) disagree."
    if found.mean * found.effect < 0:
        return (
            f"Open: {claim} on average, but it is worse for more users than better ({p}, effect {found.effect:+.2f})."
        )
    if single := comparison.one_seed(label):
        told = f"{' and '.join(single)} had one seed, and another may differ: train more"
        return f"Real for these runs ({p}): {claim}; but {told}."
    if won not in (0, pairs):
        return (
            f"Open: {claim} on average, but not with every seed ({max(won, pairs - won)} of {pairs} pairs): train more."
        )
    return f"Real: {claim}{', with every seed' if pairs > 1 else ''} ({p})."


def shown_p(value: float) -> str:
    """Three digits, without a leading zero."""
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")
