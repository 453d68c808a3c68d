"""Where the configuration lives. Imports nothing heavy: the command line starts here."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def config_folder() -> Path:
    """The packed copy of ``conf/`` beside the package (wheel), else the one of the repository (editable)."""
    package = Path(__file__).resolve().parents[1]
    candidates = [package / "conf", package.parents[1] / "conf"]
    found = next((folder for folder in candidates if (folder / "train.yaml").is_file()), None)
    if found is None:
        raise FileNotFoundError(f"No configuration folder; looked for {' and '.join(map(str, candidates))}.")
    return found


def flat(node: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names of all values in nested mappings; lists and empty mappings are values."""
    for name, value in node.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
