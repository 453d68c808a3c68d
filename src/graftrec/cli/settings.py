"""Unknown settings, options and flags, told in our own words, with those that come nearest."""

import re
import sys
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any

from hydra import compose, initialize_config_dir
from hydra._internal.utils import get_args_parser
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf

from graftrec.errors import InputError
from graftrec.pipeline.config import config_folder

WRITTEN = "settings are written key=value"


def check_flags(config_name: str) -> None:
    """Refuse words such as ``--epochs 3``: Hydra's own flags are the only ones."""
    unknown = get_args_parser().parse_known_args()[1]
    if unknown:
        key = unknown[0].lstrip("-").split("=")[0].replace("-", "_")
        raise InputError(f"{unknown[0]} is unknown: {WRITTEN}, without dashes. {_nearest(key, config_name)}")


def explain(error: HydraException, config_name: str) -> str:
    """What Hydra did not accept, and what to type instead."""
    message = str(error)
    if isinstance(error, MissingConfigException) and "/" in (error.missing_cfg_file or ""):
        return _unknown_option(str(error.missing_cfg_file), error.options or ())
    if isinstance(error, OverrideParseException):
        return _unreadable(error.override)
    unknown = re.match(r"Could not (?:override|delete from config\.) '([^']+)'", message)
    if unknown:
        key = getattr(error.__cause__, "full_key", None) or unknown[1]  # the cause names the one key of a dictionary
        return f"There is no setting {key}. {_nearest(key, config_name)}"
    several = re.match(r"Ambiguous value for argument '([^=]+)=(.*)'\n", message)
    if several:
        key, values = several.groups()
        return f"{key}={values} holds several values; add -m to try each, or write one list: '{key}=[{values}]'."
    return f"{message.splitlines()[0].rstrip('.')}. All settings: {_help()}"


def _unreadable(word: str) -> str:
    if "=" not in word:
        return f"{word!r} cannot be read: {WRITTEN}. All settings: {_help()}"
    key, value = word.split("=", 1)
    return f"{word!r} cannot be read; where a value has blanks, brackets, commas or quotes, write \"{key}='{value}'\"."


def _unknown_option(file: str, known: Sequence[str]) -> str:
    group, _, option = file.rpartition("/")
    options = list(known) or sorted(path.stem for path in (config_folder() / group).glob("*.yaml"))
    if not options:
        return f"There is no group {group} to choose {option} from. All groups: {_help()}"
    near = nearest(option, options)[:1]
    question = f" Did you mean {group}={near[0]}?" if near else ""
    return f"{group}={option} is unknown.{question} Choose one of {', '.join(options)}."


def _nearest(key: str, config_name: str) -> str:
    near = nearest(key, _settings(config_name))
    question = f"Did you mean {' or '.join(f'{name}=...' for name in near)}? " if near else ""
    return f"{question}All settings: {_help()}"


def nearest(key: str, names: Sequence[str], most: int = 3) -> list[str]:
    """The ``names`` that are written nearly like ``key``, as a whole or in their last part, best first."""

    def likeness(name: str) -> float:
        pairs = ((key, name), (key.split(".")[-1], name.split(".")[-1]))
        return max(SequenceMatcher(None, *pair).ratio() for pair in pairs)

    scores = {name: likeness(name) for name in names if "." in name or "." not in key}
    good = max([0.6, 0.85 * max(scores.values(), default=0.0)])
    return sorted((name for name in scores if scores[name] >= good), key=lambda name: -scores[name])[:most]


def _settings(config_name: str) -> list[str]:
    """Groups and keys that may be set, under the options chosen on this command line where they exist."""
    groups = [path.name for path in config_folder().iterdir() if path.is_dir()] if config_name == "train" else []
    choices = [word for word in sys.argv[1:] if word.split("=")[0] in groups and "," not in word]
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        try:
            config = compose(config_name, overrides=choices)
        except HydraException:
            config = compose(config_name)
    return [*groups, *_keys(OmegaConf.to_container(config, resolve=False))]


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Dotted names of all values in nested dictionaries; names such as ``_target_`` are left out."""
    for name, value in node.items():
        if isinstance(value, dict):
            yield from _keys(value, f"{prefix}{name}.")
        elif not str(name).startswith("_"):
            yield f"{prefix}{name}"


def _help() -> str:
    return f"{sys.argv[0]} --help"
