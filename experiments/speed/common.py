"""What the benchmarks share: contestants in processes of their own, interleaved rounds, tables.

A benchmark's file is started again as ``FILE --one NAME`` for each contestant and round, in graftrec's environment
or the peers', and prints one JSON object as its last line. Imports of either environment stay inside functions.
"""

import argparse
import csv
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
WORK = HERE / "work"  # files that both environments read; made when missing
BATCH, DIM, LAYERS, K = 2048, 64, 3, 20
RECIPE = ("experiment=lightgcn/gowalla",)  # all 810,128 training pairs
KEEP = str(2**31 - 1)
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    # glibc keeps freed memory: without it large temporaries cost page faults, the peers' more than ours
    "MALLOC_MMAP_THRESHOLD_": KEEP,
    "MALLOC_TRIM_THRESHOLD_": KEEP,
    "MALLOC_TOP_PAD_": str(64 * 2**20),
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    "PYTHONWARNINGS": "ignore",
}
PACKAGES = ("graftrec", "torch", "numpy", "scipy", "torch-geometric", "pytorch-lightning", "recbole", "torchmetrics")
Row = dict[str, Any]


@dataclass(frozen=True)
class Contestant:
    """``function()`` returns the measured figures; ``peer`` says whose environment it runs in."""

    function: Callable[..., Row]
    peer: bool = False
    arguments: tuple[Any, ...] = ()


def main(description: str, contestants: Mapping[str, Contestant], report: Callable[[list[Row]], None]) -> None:
    """Run one contestant (``--one``), or all of them in interleaved rounds and hand their rows to ``report``."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=list(contestants), help="leave the others out")
    parser.add_argument("--peers-python", help="interpreter of the environment made from peers.txt; without: no peers")
    parser.add_argument("--one", choices=list(contestants), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        import torch

        torch.set_num_threads(1)
        contestant = contestants[options.one]
        print(json.dumps({**contestant.function(*contestant.arguments), "versions": versions()}))
        return
    chosen = {n: c for n, c in contestants.items() if n in (options.only or contestants)}
    if not options.peers_python:
        chosen = {n: c for n, c in chosen.items() if not c.peer}
    elif any(contestant.peer for contestant in chosen.values()):
        gowalla()  # the peers read its file; their environment cannot make it
    report(list(_rounds(chosen, options.rounds, options.peers_python)))


def _rounds(contestants: Mapping[str, Contestant], rounds: int, peers_python: str | None) -> Iterator[Row]:
    failed: set[str] = set()
    WORK.mkdir(exist_ok=True)
    seen: dict[bool, Row] = {}
    for number in range(rounds):
        for name, contestant in contestants.items():
            if name in failed:
                continue
            python = os.path.abspath(str(peers_python)) if contestant.peer else sys.executable
            command = [python, os.path.abspath(sys.argv[0]), "--one", name]
            start = time.perf_counter()
            environment = {**os.environ, **ENVIRONMENT}
            done = subprocess.run(command, env=environment, cwd=WORK, capture_output=True, text=True)
            if done.returncode:
                print(f"{name} failed:\n{done.stderr[-1500:]}", file=sys.stderr)
                failed.add(name)
                continue
            row = json.loads(done.stdout.strip().splitlines()[-1])
            seen[contestant.peer] = row.pop("versions")
            figures = ", ".join(f"{key} {value:.4g}" for key, value in row.items() if isinstance(value, int | float))
            print(f"round {number + 1} {name}: {figures} [{time.perf_counter() - start:.0f} s]", file=sys.stderr)
            yield {"round": number + 1, "contestant": name, **row}
    for peer, found in seen.items():
        print("peers:" if peer else "graftrec:", ", ".join(f"{k} {v}" for k, v in found.items()))


def versions() -> Row:
    """Of the packages of this environment that matter."""
    found: Row = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def summarise(rows: Sequence[Row], figure: str) -> dict[str, Row]:
    """Median, least, greatest of ``figure`` by contestant, in order of appearance."""
    values: dict[str, list[float]] = {}
    for row in rows:
        if figure in row:
            values.setdefault(row["contestant"], []).append(row[figure])
    return {n: {"median": statistics.median(v), "min": min(v), "max": max(v)} for n, v in values.items()}


def write(name: str, rows: Sequence[Row]) -> None:
    """``results/NAME.csv``; columns are those of all rows."""
    RESULTS.mkdir(exist_ok=True)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    with open(RESULTS / f"{name}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)


def read(name: str) -> list[Row]:
    """The rows of ``results/NAME.csv``, numbers as numbers."""

    def value(text: str) -> Any:
        try:
            return float(text)
        except ValueError:
            return text

    with open(RESULTS / f"{name}.csv", newline="") as file:
        return [{k: value(v) for k, v in row.items() if v != ""} for row in csv.DictReader(file)]


def show(title: str, columns: Iterable[str], rows: Iterable[Sequence[Any]]) -> None:
    """A Rich table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(f"{cell:,.4g}" if isinstance(cell, float) else str(cell) for cell in row))
    Console(width=120).print(table)


def spread(summary: Row, digits: int = 1) -> tuple[str, str]:
    """Median and range as text."""
    low, middle, high = (f"{summary[part]:,.{digits}f}" for part in ("min", "median", "max"))
    return middle, f"{low}..{high}"


def peak_mib() -> float:
    """Peak resident memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def gowalla() -> dict[str, Any]:
    """Users and items of the training and test pairs as numpy arrays, written once from graftrec's own split."""
    import numpy as np

    path = WORK / "gowalla.npz"
    if not path.is_file():
        dataset = gowalla_dataset()
        WORK.mkdir(exist_ok=True)
        parts = {f"{part}_{column}": getattr(getattr(dataset, part), column)
                 for part in ("train", "test") for column in ("user", "item")}  # fmt: skip
        np.savez(path, num_users=dataset.num_users, num_items=dataset.num_items, **parts)
    return dict(np.load(path))


def config(*words: str) -> Any:
    """What ``graftrec train WORDS`` composes."""
    from hydra import compose, initialize_config_dir
    from omegaconf import open_dict

    from graftrec.pipeline.config import config_folder

    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        settings = compose("train", list(words))
    with open_dict(settings):
        settings.choices, settings.overrides = {}, list(words)
    return settings


def gowalla_dataset() -> Any:
    """graftrec's Dataset."""
    from graftrec.pipeline import build

    settings = config(*RECIPE)
    return build.build_dataset(settings, build.read(settings))


def adjacency(layout: str) -> Any:
    """D^-1/2 A D^-1/2 or A of gowalla for the peers: ``edge_index`` int64 [2, E], ``csr`` (A), ``csr_normalised``."""
    import numpy as np
    import torch

    data = gowalla()
    users, items = data["train_user"], data["train_item"] + int(data["num_users"])
    edges = torch.from_numpy(np.stack([np.concatenate([users, items]), np.concatenate([items, users])]))
    if layout == "edge_index":
        return edges
    size = int(data["num_users"] + data["num_items"])
    weights = torch.ones(edges.shape[1])
    if layout.endswith("normalised"):
        scale = torch.bincount(edges[1], minlength=size).clamp(min=1).float().rsqrt()
        weights = scale[edges[0]] * scale[edges[1]]
    coo = torch.sparse_coo_tensor(edges, weights, (size, size)).coalesce()
    return coo if layout.startswith("coo") else coo.to_sparse_csr()
