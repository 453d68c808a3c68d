"""What one run folder's own files tell, as plain values."""

import math
from pathlib import Path
from typing import Any, Final

import polars as pl
import yaml

from graftrec.errors import InputError
from graftrec.pipeline.config import config_folder
from graftrec.pipeline.run_folder import LOADER

MOST_POINTS: Final = 200  # of a learning curve
CURVES: Final = ("train/loss", "valid/", "health/")


def command(settings: dict[str, Any]) -> list[str]:
    """The words after ``graftrec train`` that run a run again; a sweep's name becomes the groups that it changes."""
    choices, words = settings["choices"], settings["overrides"]
    given = {word.split("=", 1)[0] for word in words}
    swept = [word for word in words if word.startswith("sweep=")]
    groups = [group for word in swept for group in _groups_of(word.partition("=")[2]) if group not in given]
    return [*(f"{group}={choices[group]}" for group in groups), *(word for word in words if word not in swept)]


def _groups_of(sweep: str) -> list[str]:
    """Groups that ``conf/sweep/NAME.yaml`` chooses an option of; Hydra's own are the sweep's, not its runs'."""
    path = config_folder() / "sweep" / f"{sweep}.yaml"
    if not path.is_file():
        return []
    entries = [key for entry in yaml.load(path.read_text("utf-8"), LOADER).get("defaults", []) for key in entry]
    groups = [key.removeprefix("override").strip().lstrip("/") for key in entries]
    return [group for group in groups if not group.startswith("hydra/")]


def curves(path: Path) -> dict[str, list[float | None]]:
    """By column, at most ``MOST_POINTS`` epochs evenly spread, the last one among them; None where not measured."""
    frame = table(path)
    if "epoch" not in frame.columns:
        return {}
    step = math.ceil(len(frame) / MOST_POINTS)
    kept = frame.reverse().gather_every(step).reverse()
    return {name: kept[name].to_list() for name in kept.columns if name == "epoch" or name.startswith(CURVES)}


def strata(path: Path) -> dict[str, dict[str, list[Any]]]:
    """By kind of degree: labels, sizes and each metric's values, from cold to warm."""
    frame = table(path)
    if frame.is_empty():
        return {}
    return {
        str(kind): {
            name: rows[name].to_list() for name in rows.columns if name != "kind" and not rows[name].has_nulls()
        }
        for (kind,), rows in frame.group_by("kind", maintain_order=True)
    }


def table(path: Path) -> pl.DataFrame:
    """A csv file; empty where there is none."""
    try:
        return pl.read_csv(path, infer_schema_length=None) if path.is_file() else pl.DataFrame()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path} is damaged: {error}; move its run folder away, or train again.") from error
