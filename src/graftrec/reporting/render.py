"""A sheet as Markdown, as LaTeX (booktabs) and in the terminal: the best bold, the second underlined."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from graftrec.reporting.sheets import DIGITS, Sheet

DAGGER: Final = (
    "better than the second best with every seed, and at 5% (Wilcoxon over users, Holm over all pairs and columns)"
)
ESCAPED: Final = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}  # fmt: skip


def markdown(sheet: Sheet) -> str:
    """A table of GitHub's kind, under a heading."""
    heads = ["", "seeds", *map(_head, sheet.metrics), "seconds"]
    lines = [f"## {sheet.title}", "", _line(heads), _line(["---", *["---:"] * (len(heads) - 1)])]
    for row, places in _rows(sheet):
        cells = [_in_markdown(sheet, row, metric, place) for metric, place in places.items()]
        lines.append(_line([row["label"].replace("|", r"\|"), _seeds(row), *cells, f"{row['seconds']:.1f}"]))
    return "\n".join([*lines, "", *([f"† {DAGGER}", ""] if sheet.marked else [])])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _in_markdown(sheet: Sheet, row: Mapping[str, Any], metric: str, place: int) -> str:
    value, spread = _numbers(row, metric)
    text = {1: f"**{value}**", 2: f"<u>{value}</u>"}.get(place, value)
    return text + (f" ± {spread}" if spread else "") + ("†" if place == 1 and metric in sheet.marked else "")


def latex(sheet: Sheet) -> str:
    """A table environment; needs ``\\usepackage{booktabs}``."""
    heads = ["", "seeds", *(escape(_head(metric)) for metric in sheet.metrics), "seconds"]
    dagger = f" $^\\dagger$: {escape(DAGGER)}." if sheet.marked else ""
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escape(sheet.title)}. Mean $\pm$ standard deviation over seeds.{dagger}}}",
        rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
        r"\toprule",
        " & ".join(heads) + r" \\",
        r"\midrule",
    ]
    trained = bool(sheet.rows["trained"][0])
    for row, places in _rows(sheet):
        if row["trained"] != trained:
            trained = row["trained"]
            lines.append(r"\midrule")
        cells = [_in_latex(sheet, row, metric, place) for metric, place in places.items()]
        lines.append(" & ".join([escape(row["label"]), _seeds(row), *cells, f"{row['seconds']:.1f}"]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def _in_latex(sheet: Sheet, row: Mapping[str, Any], metric: str, place: int) -> str:
    value, spread = _numbers(row, metric)
    text = {1: rf"\textbf{{{value}}}", 2: rf"\underline{{{value}}}"}.get(place, value)
    mark = r"$^\dagger$" if place == 1 and metric in sheet.marked else ""
    return text + mark + (rf" {{\scriptsize$\pm${spread}}}" if spread else "")


def escape(text: str) -> str:
    """``text`` with LaTeX's own signs made plain, each once."""
    return re.sub(r"[\\~^<>&%$#_{}]", lambda found: ESCAPED[found[0]], text)


def terminal(sheet: Sheet) -> Table:
    """A table of Rich."""
    table = Table("mean ± std over seeds", "seeds", *map(_head, sheet.metrics), "seconds")
    trained = bool(sheet.rows["trained"][0])
    for row, places in _rows(sheet):
        if row["trained"] != trained:
            trained = row["trained"]
            table.add_section()
        cells = (_in_terminal(sheet, row, metric, place) for metric, place in places.items())
        table.add_row(Text(row["label"]), _seeds(row), *cells, f"{row['seconds']:.1f}")
    return table


def _in_terminal(sheet: Sheet, row: Mapping[str, Any], metric: str, place: int) -> Text:
    value, spread = _numbers(row, metric)
    text = Text(value, style={1: "bold", 2: "underline"}.get(place, ""))
    text.append("†" if place == 1 and metric in sheet.marked else "", style="")
    return text.append(f" ±{spread}" if spread else "", style="not bold not underline")


def _rows(sheet: Sheet) -> Iterator[tuple[dict[str, Any], dict[str, int]]]:
    """Each row, and its place in every metric."""
    places = {metric: sheet.places(metric) for metric in sheet.metrics}
    for number, row in enumerate(sheet.rows.iter_rows(named=True)):
        yield row, {metric: of_rows[number] for metric, of_rows in places.items()}


def _head(metric: str) -> str:
    return metric.removeprefix("test/")


def _seeds(row: Mapping[str, Any]) -> str:
    """Nothing for what needs none."""
    return str(row["seeds"]) if row["trained"] else ""


def _numbers(row: Mapping[str, Any], metric: str) -> tuple[str, str]:
    """Mean, and deviation where there are several seeds."""
    value, spread = row[metric], row[f"{metric}_std"]
    shown = "" if value is None else f"{value:.{DIGITS}f}"
    return shown, "" if spread is None or not row["trained"] else f"{spread:.{DIGITS}f}"
