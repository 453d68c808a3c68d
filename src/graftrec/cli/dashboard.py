"""``graftrec leaderboard`` and ``graftrec dashboard``."""

from pathlib import Path

from omegaconf import DictConfig

from graftrec.cli.commands import command
from graftrec.cli.reports import take_paths
from graftrec.errors import InputError


def leaderboard() -> None:
    """``graftrec leaderboard FOLDER [metric=... top=...]``."""
    paths = take_paths()
    command("leaderboard", lambda config: _leaderboard(config, paths))


def dashboard() -> None:
    """``graftrec dashboard build FOLDER | push entity=... project=...``."""
    words = take_paths()
    command("dashboard", lambda config: _dashboard(config, words))


def _leaderboard(config: DictConfig, paths: list[str]) -> None:
    from graftrec.reporting.leaderboard import print_leaderboard

    if len(paths) != 1:
        raise InputError("Write: graftrec leaderboard FOLDER [metric=ndcg@20 top=20], with one folder of runs.")
    print_leaderboard(Path(paths[0]), config.metric, config.top)


def _dashboard(config: DictConfig, words: list[str]) -> None:
    match words:
        case ["build", folder]:
            from graftrec.reporting.dashboard.html import build

            print(build(Path(folder)))
        case ["push"]:
            from graftrec.reporting.dashboard.workspace import push

            for address in push(config.entity, config.project, config.metric):
                print(address)
        case _:
            raise InputError("Write: graftrec dashboard build FOLDER, or graftrec dashboard push entity=NAME.")
