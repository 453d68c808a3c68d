"""Run folders to the one block of data that a page reads."""

import math
import re
import shlex
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from graftrec.errors import InputError
from graftrec.metrics.direction import is_lower_better
from graftrec.pipeline.run_folder import RunFolder
from graftrec.reporting.dashboard.description import describe
from graftrec.reporting.dashboard.examples import Texts, examples
from graftrec.reporting.dashboard.folders import command, curves, strata
from graftrec.reporting.dashboard.groups import Group, Variant, read_groups
from graftrec.reporting.dashboard.search import search_of
from graftrec.reporting.runs import find_runs

DIGITS: Final = 5  # significant ones that are kept
LONG_NUMBER: Final = re.compile(r"\d+\.\d{4,}(?:e-?\d+)?|\d\.\d+e-\d+")


def collect(folder: Path) -> dict[str, Any]:
    """All finished runs under ``folder``: groups of variants, runs, texts of lists, the sweep's plots."""
    folders = find_runs(folder)
    found = read_groups(folders)
    if not found:
        raise InputError(f"{folder} holds no finished run; graftrec train resume=RUN finishes one.")
    number = {path: index for index, path in enumerate(map(str, folders))}
    texts, search = Texts(), search_of(folder)
    aims = [name.removeprefix("valid/") for name in (search or {"objectives": []})["objectives"]]
    runs = [_run(path, folder, texts) for path in folders]
    return {
        "title": folder.resolve().name,
        "folder": str(folder),
        "made": time.strftime("%Y-%m-%d %H:%M"),
        "left_out": _left_out(folder),
        "groups": [_group(group, number, runs, aims) for group in found],
        "runs": runs,
        "texts": texts.known,
        "search": plain(search),
    }


def _left_out(folder: Path) -> dict[str, int]:
    """How many runs have no metrics: pruned by a sweep, unfinished."""
    runs = (RunFolder(path.parent) for path in folder.rglob("run.json"))
    pruned = [RunFolder.read_json(run.facts)["status"] == "pruned" for run in runs if not run.metrics.is_file()]
    return {"pruned": sum(pruned), "unfinished": len(pruned) - sum(pruned)}


def _group(
    group: Group, number: Mapping[str, int], runs: Sequence[dict[str, Any]], aims: Sequence[str]
) -> dict[str, Any]:
    """``aims``: what a sweep was for; the page is judged by it at first."""
    own = [runs[number[path]] for variant in group.variants for path in variant.runs]
    health = dict.fromkeys(name for run in own for name in run["curves"] if name.startswith("health/"))
    labels = short_labels([variant.label for variant in group.variants])
    variants = [_variant(v, label, number) for v, label in zip(group.variants, labels, strict=True)]
    return {
        "setup": group.setup,
        "k": group.k,
        "sizes": own[0]["sizes"],
        "metrics": sorted(group.metrics, key=lambda name: name not in aims),
        "lower": [name for name in group.metrics if is_lower_better(name)],
        "sections": [asdict(section) for section in describe("{metric}", group.k, list(health))],
        "variants": [*variants, *(_variant(one, one.label, number) for one in group.baselines)],
    }


def _variant(variant: Variant, label: str, number: Mapping[str, int]) -> dict[str, Any]:
    return {
        "label": label,
        "trained": variant.trained,
        "runs": [number[path] for path in variant.runs],
        **{part: plain(getattr(variant, part)) for part in ("test", "valid", "cost")},
    }


def _run(path: Path, folder: Path, texts: Texts) -> dict[str, Any]:
    run = RunFolder(path)
    settings, facts, metrics = run.read_settings(), RunFolder.read_json(run.facts), RunFolder.read_json(run.metrics)
    known = {name: facts.get(name) for name in ("started", "model", "tags", "stages", "epochs", "parameters", "sizes")}
    return {
        "name": path.relative_to(folder).as_posix() if path != folder else path.resolve().name,
        "path": str(path),
        "seed": settings["seed"],
        "command": f"graftrec train {shlex.join(command(settings))}".strip(),
        "choices": {name: value for name, value in settings["choices"].items() if value is not None},
        **known,
        "metrics": plain(metrics),
        "curves": plain(curves(run.curves)),
        "strata": plain(strata(run.strata)),
        "examples": examples(run.examples, texts),
    }


def short_labels(labels: Sequence[str]) -> list[str]:
    """Long numbers in names of variants with three digits, or with as many as tell the names apart."""
    known = list(labels)
    for digits in (3, 4, 5, 6, 9):
        cut = [_cut(label, digits) for label in labels]
        seen = Counter(cut)
        known = [c if k == label and seen[c] == 1 else k for c, k, label in zip(cut, known, labels, strict=True)]
    return known


def _cut(label: str, digits: int) -> str:
    return LONG_NUMBER.sub(lambda number: f"{float(number[0]):.{digits}g}", label)


def plain(value: Any) -> Any:
    """Floats with ``DIGITS`` significant digits, in any nesting; None of what JSON has no word for."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
