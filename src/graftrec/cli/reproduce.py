"""``graftrec reproduce``: a paper's recipe, run and compared with its published numbers."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hydra.errors import ConfigCompositionException, OverrideParseException
from omegaconf import DictConfig, MissingMandatoryValue

from graftrec.cli.commands import stop
from graftrec.cli.fresh_folders import without_trace
from graftrec.cli.settings import check_flags, explain, nearest
from graftrec.errors import InputError

OWN = ("seeds", "folder")
ELSEWHERE = {  # what graftrec train takes, and what to write here
    "seed": "the seeds of its runs are seeds=[0,1,2]",
    "experiment": "the recipe stands alone, such as graftrec reproduce gfcf/gowalla",
    "resume": "the same command again goes on with interrupted runs",
    "sweep": "search with graftrec train -m experiment=RECIPE sweep=...",
}
USAGE = """graftrec reproduce RECIPE [key=value ...]   run a paper's recipe, compare with its numbers
graftrec reproduce --list                   recipes, their targets, and whether the data is on this machine

  seeds=[0,1,2]              one run each; without: the recipe's own
  folder=outputs/reproduce   runs go to FOLDER/RECIPE/seed0 ...; finished ones are kept, interrupted ones go on
  key=value                  any setting of graftrec train; the result says that it was changed

The exit code is 1 where a number misses its target."""


def reproduce() -> None:
    """``graftrec reproduce``."""
    words = sys.argv[1:]
    if not words or words[0] in ("-h", "--help"):
        print(USAGE)
        return
    with _explained():
        if "--list" in words:
            _list()
        elif not _passes(words):
            sys.exit(1)


def _list() -> None:
    from graftrec.pipeline.reproduce import outlines
    from graftrec.reporting.reproduce import print_recipes

    print_recipes(outlines())


def _passes(words: Sequence[str]) -> bool:
    check_flags("train")
    for word in words:
        key, sign, _ = word.lstrip("+").partition("=")
        if sign and key in ELSEWHERE:
            raise InputError(f"{word} is no setting of graftrec reproduce; {ELSEWHERE[key]}.")
    names = [word for word in words if "=" not in word and not word.startswith("~")]
    if len(names) != 1:
        raise InputError(f"graftrec reproduce takes one recipe, not {len(names)}: {' '.join(names)}\n\n{USAGE}")
    own = {key: value for key, value in (word.lstrip("+").split("=", 1) for word in words if "=" in word) if key in OWN}
    changed = [word for word in words if word not in names and word.lstrip("+").split("=", 1)[0] not in OWN]
    return _run(names[0], changed, own)


def _run(name: str, changed: Sequence[str], own: dict[str, str]) -> bool:
    from graftrec.pipeline.reproduce import experiments, recipe, reproduce
    from graftrec.reporting.reproduce import print_reproduction

    if name not in experiments():
        written = name.lower().removesuffix(".yaml")
        near = [known for known in experiments() if known.startswith(f"{written}/")] or nearest(written, experiments())
        question = f"Did you mean {' or '.join(near)}? " if near else ""
        raise InputError(f"There is no recipe {name}. {question}All of them: graftrec reproduce --list")
    chosen = recipe(name, changed)
    seeds = _seeds(own["seeds"]) if "seeds" in own else list(chosen.paper.seeds)
    result = reproduce(chosen, seeds, Path(own.get("folder", "outputs/reproduce")) / name, _start)
    print_reproduction(result)
    return result.passed


def _start(config: DictConfig, folder: Path) -> None:
    from graftrec.pipeline.train import train

    with without_trace(folder):
        train(config, folder)


def _seeds(text: str) -> list[int]:
    try:
        seeds = [int(word) for word in text.strip("[]").split(",")]
    except ValueError:
        seeds = []
    if not seeds or min(seeds) < 0 or len(set(seeds)) < len(seeds):
        raise InputError(f"seeds={text} must be different whole numbers >= 0, such as seeds=[0,1,2].")
    return seeds


@contextmanager
def _explained() -> Iterator[None]:
    """Bad input ends with its message; Lightning's way out of Ctrl-C is Ctrl-C."""
    try:
        yield
    except (ConfigCompositionException, OverrideParseException) as error:
        stop(explain(error, "train"))
    except InputError as error:
        stop(str(error))
    except MissingMandatoryValue as error:
        stop(f"{error.full_key} has no value; give it as {error.full_key}=...")
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise
