"""The one exception that means "the input is wrong", shown to users without a traceback."""

from collections.abc import Iterable


class InputError(ValueError):
    """Bad input. The message says what was given, what was expected and what to change."""


class InfeasibleError(InputError):
    """Settings that this machine has no memory for, or whose training diverges: a sweep goes around them."""


def check_number(setting: str, value: float, least: float, below: float | None = None, above: bool = False) -> None:
    """Refuse a ``value`` of ``setting`` under ``least`` (or equal to it if ``above``), or from ``below`` on."""
    if not ((value > least if above else value >= least) and (below is None or value < below)):
        limits = f"{'>' if above else '>='} {least:g}" + ("" if below is None else f" and < {below:g}")
        raise InputError(f"{setting}={value} must be {limits}.")


def check_choice(setting: str, value: str, choices: Iterable[str]) -> None:
    """Refuse a ``value`` of ``setting`` that is not one of ``choices``."""
    if value not in choices:
        raise InputError(f"{setting}={value!r} is unknown; choose one of {', '.join(choices)}.")
