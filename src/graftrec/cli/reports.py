"""``graftrec compare`` and ``graftrec report``: many runs."""

import sys
from pathlib import Path

from omegaconf import DictConfig

from graftrec.cli.commands import command
from graftrec.errors import InputError


def compare() -> None:
    """``graftrec compare RUN RUN ... [against=... metric=... k=...]``."""
    paths = take_paths()
    command("compare", lambda config: _compare(config, paths))


def report() -> None:
    """``graftrec report FOLDER``."""
    paths = take_paths()
    command("report", lambda config: _report(paths))


def take_paths() -> list[str]:
    """Words of the command line that are no settings, or that are folders; the rest is left to Hydra."""
    words = [w for w in sys.argv[1:] if not w.startswith("-") and ("=" not in w or Path(w).expanduser().is_dir())]
    sys.argv[1:] = [word for word in sys.argv[1:] if word not in words]
    return words


def _compare(config: DictConfig, paths: list[str]) -> None:
    from graftrec.reporting.comparison import compare
    from graftrec.reporting.comparison_tables import print_comparison

    if not paths:
        raise InputError("Write: graftrec compare RUN RUN ..., or graftrec compare FOLDER of runs.")
    if config.metric is not None and not isinstance(config.metric, str):
        raise InputError(f"metric={config.metric} must be a metric and its list length, such as metric=ndcg@20.")
    print_comparison(compare(paths, config.against, config.metric, config.k))


def _report(paths: list[str]) -> None:
    from graftrec.reporting.report import report

    if len(paths) != 1:
        raise InputError("Write: graftrec report FOLDER, one folder that holds runs at any depth.")
    report(Path(paths[0]).expanduser())
