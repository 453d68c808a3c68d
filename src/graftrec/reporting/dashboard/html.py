"""One HTML file that opens from disk: description, data, style and script in it, Plotly once."""

import json
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from graftrec.data.files import written
from graftrec.errors import InputError
from graftrec.reporting.dashboard.collect import collect

PLACES: Final = ("style", "data", "script", "plotly")
SCRIPTS: Final = ("elements", "state", "best", "leaderboard", "plots", "search", "run", "main")  # in this order, as one


def build(folder: Path) -> Path:
    """Write ``dashboard.html`` of all runs under ``folder`` into it."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give one with run folders, such as outputs/movielens_small.")
    if find_spec("plotly") is None:
        raise InputError("The page draws with plotly: pip install 'graftrec[dashboard]'.")
    path = folder / "dashboard.html"
    with written(path, "the folder") as partial:
        partial.write_text(page(collect(folder)), "utf-8")
    return path


def page(data: dict[str, Any]) -> str:
    """The page of one block of data."""
    from plotly.offline import get_plotlyjs

    parts = {
        "style": _packed("dashboard.css"),
        "data": as_script(data),
        "script": "\n".join(_packed(f"{name}.js") for name in SCRIPTS),
        "plotly": get_plotlyjs(),
    }
    text = _packed("dashboard.html")
    pieces = [text]
    for name in PLACES:
        before, after = pieces.pop().split(f"/* {name} */")
        pieces += [before, parts[name], after]
    return "".join(pieces)


def as_script(data: dict[str, Any]) -> str:
    """JSON that no text in it can end: every ``<`` is written as an escape."""
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")


def _packed(name: str) -> str:
    return files("graftrec.reporting.dashboard").joinpath("page", name).read_text("utf-8")
