"""The one exception that means "the input is wrong", shown to users without a traceback."""

from collections.abc import Iterable


class InputError(ValueError):
    """Bad input. The message says what was given, what was expected and what to change."""


class InfeasibleError(InputError):
    """Settings that this machine has no memory for, or whose training diverges: a sweep goes around them."""


def check_choice(setting: str, value: str, choices: Iterable[str]) -> None:
    """Refuse a ``value`` of ``setting`` that is not one of ``choices``."""
    if value not in choices:
        raise InputError(f"{setting}={value!r} is unknown; choose one of {', '.join(choices)}.")
