"""Finished runs under a folder as one table, a row a run."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from graftrec.errors import InputError
from graftrec.pipeline.config import flat
from graftrec.pipeline.facts import random_seeds
from graftrec.pipeline.fit import UNUSED
from graftrec.pipeline.run import check_run_folder
from graftrec.pipeline.run_folder import RunFolder
from graftrec.reporting.labels import OF_BLENDS, label

SETUP = ("task", "data", "hash", "protocol", "mask", "max_users")  # runs that differ in one are never compared
NO_SETTINGS = {  # of a method: where and how a run was made, and how it was judged, which SETUP holds
    "seed", "paths", "store", "logger", "threads", "keep_freed_memory", "memory_check", "resume", "group", "job_type",
    "name", "trial", "tags", "overrides", "choices", "baselines", "evaluation", "protocol", "task",
    "callbacks.progress", "trainer.enable_progress_bar", "trainer.enable_model_summary",
}  # fmt: skip
NO_CHOICES = NO_SETTINGS | {"sweep", "trainer", "callbacks", "data", "baseline"}
FOLLOW_SEED = ("conditioning.seed", "adapt.seed", "baseline.model.seed")  # the run's own seed, unless typed
UNTRAINED = {*UNUSED, "dim", "batch_size", "callbacks"}  # no settings of a recommender without training


def find_runs(folder: str | Path) -> list[Path]:
    """Folders of the finished runs in ``folder``, at any depth, itself included; in order of their names."""
    top = Path(folder).expanduser()
    if not top.is_dir():
        raise InputError(f"No folder {top.absolute()}; give a run folder, or a folder that holds runs.")
    runs = (RunFolder(path.parent) for path in top.rglob("metrics.json"))
    return sorted(run.path for run in runs if run.config.is_file() and run.facts.is_file())


def find_all(paths: Iterable[str | Path]) -> list[Path]:
    """Runs named one by one or by a folder that holds them, each once; refuses a path without any."""
    found: dict[Path, Path] = {}
    for path in paths:
        runs = find_runs(path)
        if not runs:
            check_run_folder(Path(path).expanduser())
            RunFolder(Path(path).expanduser()).require("config", "facts", "metrics")
        found.update({run.resolve(): run for run in runs})
    return list(found.values())


def read_runs(folders: Sequence[Path]) -> pl.DataFrame:
    """One row a run, in the given order. Runs with the same ``SETUP`` and ``variant`` differ only in seed.

    Columns: path, name (of the folder); ``SETUP``: task, data (id), hash, protocol (clean, paper, paper (leaky)),
    mask, max_users; seed; variant (a key), label (in words what differs between the variants of its setup), model
    (encoder, or the name of another recommender), start (the random seeds that it depends on), trained (whether there
    are any); seconds (of training), epochs, parameters, started; sweep (of which it is a trial, or null) and aim (what
    that is to choose by); then ``test/...`` and ``valid/...`` metrics.
    """
    if not folders:
        return pl.DataFrame(schema={"path": pl.String, "label": pl.String, **dict.fromkeys(SETUP, pl.String)})
    rows, settings = zip(*(_read(RunFolder(Path(folder))) for folder in folders), strict=True)
    frame = pl.DataFrame(rows, infer_schema_length=None)
    known = dict(zip(frame["variant"], settings, strict=True))
    labels: dict[tuple[Any, ...], str] = {}
    for setup, part in frame.group_by(SETUP, maintain_order=True):
        variants = part["variant"].unique(maintain_order=True).to_list()
        words = label([known[variant] for variant in variants])
        labels |= {(*setup, variant): text for variant, text in zip(variants, words, strict=True)}
    named = [labels[row] for row in frame.select(*SETUP, "variant").iter_rows()]
    return frame.with_columns(pl.Series("label", named, dtype=pl.String))


def read_baselines(folders: Sequence[Path]) -> pl.DataFrame:
    """The simple recommenders that stand beside runs: one row a result, as often as different runs had it once.

    Columns: ``SETUP``, label (its name, with the text features where results differ), seconds, ``test/...`` metrics.
    """
    rows = [row for folder in folders for row in _beside(RunFolder(Path(folder)))]
    if not rows:
        return pl.DataFrame(schema={"label": pl.String, "seconds": pl.Float64, **dict.fromkeys(SETUP, pl.String)})
    frame = pl.DataFrame(rows, infer_schema_length=None)
    accuracy = [name for name in frame.columns if name.startswith("test/recall@")]  # diversity depends on features
    frame = frame.unique([*SETUP, "label", *accuracy], maintain_order=True, keep="first")
    several = pl.len().over([*SETUP, "label"]) > 1
    name = pl.when(several).then(pl.format("{} (features={})", "label", "features")).otherwise("label")
    return frame.with_columns(label=name).drop("features")


def _read(run: RunFolder) -> tuple[dict[str, Any], dict[str, Any]]:
    """The row of one run, and its settings."""
    config, facts = run.read_settings(), RunFolder.read_json(run.facts)
    metrics = RunFolder.read_json(run.metrics)
    settings = _settings(config, facts)
    key = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:12]
    row = {
        "path": str(run.path),
        "name": run.path.resolve().name,
        **_setup(config, facts),
        "seed": config["seed"],
        "variant": key,
        "label": "",
        "model": facts["model"]["name"] if "model" in facts else config["choices"]["encoder"],
        "start": " ".join(map(str, random_seeds(config["seed"], facts))),
        "trained": bool(random_seeds(config["seed"], facts)),
        "seconds": float(facts["stages"]["train"]["seconds"]),
        "epochs": facts.get("epochs", {}).get("trained"),
        "parameters": facts.get("parameters"),
        "started": facts.get("started"),
        **_search(config),
    }
    return {**row, **_measured(metrics)}, settings


def _search(config: Mapping[str, Any]) -> dict[str, str | None]:
    """The sweep that a run is a trial of, and the validation metric by which that chooses."""
    trial = config.get("trial")
    if trial is None:
        return {"sweep": None, "aim": None}
    aims = [name for name in trial["objectives"] if name.startswith("valid/")]
    return {"sweep": trial["sweep"], "aim": aims[0] if aims else config["monitor"]}


def _measured(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: float(value) for name, value in metrics.items() if not name.endswith("num_users")}


def _setup(config: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """On what, and how, the run was judged; earlier versions had no ``protocol``, no ``max_users``."""
    protocol = _protocol(config.get("protocol", "clean"), "leaky" in facts["tags"])
    values = (
        config["choices"].get("task", "ranking").lower(), facts["data"]["id"], facts["data"]["hash"], protocol,
        config["evaluation"]["mask"], config["evaluation"].get("max_users"),
    )  # fmt: skip
    return dict(zip(SETUP, map(_text, values), strict=True))


def _protocol(name: str, leaky: bool) -> str:
    return name + (" (leaky)" if leaky else "")


def _text(value: Any) -> str:
    return "all" if value is None else str(value)


def _settings(config: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a variant: choices (``encoder``) and single settings (``encoder.num_layers``), in that order."""
    if "members" in facts:
        return _of_blend(config, facts)
    unused = UNTRAINED if "model" in facts else set()
    choices = {name: v for name, v in config["choices"].items() if name not in NO_CHOICES | unused and "@" not in name}
    model = {"baseline": facts["model"]["name"]} if "model" in facts else {}
    found = {name: v for name, v in flat(config) if not any(_under(name, part) for part in NO_SETTINGS | unused)}
    typed = {word.lstrip("+").split("=")[0] for word in config.get("overrides", ())}
    found = {name: v for name, v in found.items() if name not in FOLLOW_SEED or name in typed}
    for folder in ("data", "cache"):  # the same files, kept elsewhere
        found = {name: _moved(value, config["paths"].get(folder), folder) for name, value in found.items()}
    return {**model, **choices, **found}


def _of_blend(config: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
    """How it blends, and what makes its members variants; blends of earlier versions know their folders alone."""
    members, chosen = facts["members"], config["blend"]
    chooses = ("weight",) if chosen.get("weight") is not None else ("weights", "metric", "tuning_users")
    own = {f"blend.{name}": chosen.get(name) for name in ("method", *chooses)}
    parts = {
        f"{place}.{name}": value
        for place, member in zip(OF_BLENDS, members, strict=True)
        for name, value in (
            _settings(member["settings"], member) if "settings" in member else {"folder": member["folder"]}
        ).items()
    }
    return {"baseline": " + ".join(member["name"] for member in members), **own, **parts}


def _moved(value: Any, folder: str | None, name: str) -> Any:
    """A path under ``folder`` without it."""
    within = folder and isinstance(value, str) and Path(value).is_relative_to(folder)
    return f"<{name}>/{Path(value).relative_to(folder)}" if within and folder else value


def _under(name: str, part: str) -> bool:
    return name == part or name.startswith(f"{part}.")


def _beside(run: RunFolder) -> list[dict[str, Any]]:
    config, facts = run.read_settings(), RunFolder.read_json(run.facts)
    common = {**_setup(config, facts), "features": config["choices"].get("features")}
    told, leaky = config.get("protocol", "clean"), "leaky" in facts["tags"]
    results: Mapping[str, Any] = facts.get("baselines") or {}
    return [
        {
            **common,
            "protocol": _protocol(told, leaky or result.get("leaky", False)),  # earlier versions do not say
            "label": name,
            "seconds": float(result["seconds"]),
            **_measured(result["metrics"]),
        }
        for name, result in results.items()
    ]
