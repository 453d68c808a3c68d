"""``graftrec features``: what the feature store holds."""

import sys
from collections.abc import Callable
from pathlib import Path

from omegaconf import DictConfig

from graftrec.cli.commands import command
from graftrec.cli.settings import nearest
from graftrec.errors import InputError


def features() -> None:
    """``graftrec features ls | show KEY | rm KEY... | export KEY FILE | export run=RUN FILE [FILE]``."""
    words = [word for word in sys.argv[1:] if "=" not in word and not word.startswith("-")]
    sys.argv[1:] = [word for word in sys.argv[1:] if word not in words]
    command("feature_store", lambda config: _run(config, words))


def _run(config: DictConfig, words: list[str]) -> None:
    action, *rest = words or ["ls"]
    if action not in ACTIONS:
        near = nearest(action, list(ACTIONS))[:1]
        question = f" Did you mean graftrec features {near[0]}?" if near else ""
        raise InputError(f"graftrec features {action} is unknown.{question} Choose one of {', '.join(ACTIONS)}.")
    ACTIONS[action](config, rest)


def _ls(config: DictConfig, words: list[str]) -> None:
    from graftrec.features.stored import all_stored
    from graftrec.reporting.features import print_stored

    _expect(not words, "ls")
    print_stored(all_stored(config.store.folder), config.store.folder)


def _show(config: DictConfig, words: list[str]) -> None:
    from graftrec.features.stored import find_stored
    from graftrec.reporting.features import print_details

    _expect(len(words) == 1, "show KEY")
    print_details(find_stored(config.store.folder, words[0]))


def _rm(config: DictConfig, words: list[str]) -> None:
    from graftrec.features.stored import find_stored
    from graftrec.reporting.features import encoder_of, size

    _expect(bool(words), "rm KEY [KEY ...]")
    found = {stored.key: stored for stored in (find_stored(config.store.folder, word) for word in words)}
    for stored in found.values():  # all of them are known before the first one goes
        told = f"{stored.key[:12]}, {encoder_of(stored.about)}, {size(stored.bytes)}"
        stored.remove()
        print(f"Removed {told}.")


def _export(config: DictConfig, words: list[str]) -> None:
    from graftrec.features.export import check_ending

    _expect(len(words) == 2 or (config.run is not None and len(words) == 1), "export KEY FILE, or export run=RUN FILE")
    files = [Path(word) for word in (words if config.run else words[1:])]
    for file in files:
        check_ending(file)
    if config.run:
        _export_run(config.run, files)
    else:
        _export_key(config, words[0], files[0])


def _export_key(config: DictConfig, key: str, file: Path) -> None:
    from graftrec.features.export import write_vectors
    from graftrec.features.stored import find_stored

    digests, vectors = find_stored(config.store.folder, key).vectors()
    write_vectors(file, digests, vectors)
    _written(file, "texts (their SHA-256)", vectors.shape)


def _export_run(run_folder: str, files: list[Path]) -> None:
    from graftrec.features.export import write_vectors
    from graftrec.pipeline.build import build_features
    from graftrec.pipeline.run import load_run

    run = load_run(run_folder)
    made = build_features(run.config, run.dataset)
    blocks = [("items", run.dataset.items, made.item), ("users", run.dataset.users, made.user)]
    for file, (name, vocabulary, block) in zip(files, blocks, strict=False):
        if block is None:
            raise InputError(f"The run {run_folder} has no features of {name}: nothing to write into {file}.")
        write_vectors(file, vocabulary.ids.to_list(), block)
        _written(file, name, block.shape)


def _written(file: Path, things: str, shape: tuple[int, ...]) -> None:
    print(f"{file}: vectors of {shape[0]:,} {things}, {shape[1]} numbers each")


def _expect(right: bool, usage: str) -> None:
    if not right:
        raise InputError(f"Write: graftrec features {usage}")


ACTIONS: dict[str, Callable[[DictConfig, list[str]], None]] = {
    "ls": _ls,
    "show": _show,
    "rm": _rm,
    "export": _export,
}
