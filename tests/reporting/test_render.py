"""Tables written by hand-made frames."""

import polars as pl

from graftrec.reporting.render import escape, latex, markdown, terminal
from graftrec.reporting.sheets import Sheet

ROWS = pl.DataFrame(
    {
        "label": ["encoder=gcn l2=1e_4", "encoder=gat", "EASE & co|x", "popularity"],
        "trained": [True, True, False, False],
        "seeds": [2, 1, 1, None],
        "seconds": [3.0, 4.0, 1.0, 0.0],
        "test/recall@20": [0.30001, 0.2, 0.29, 0.1],
        "test/recall@20_std": [0.01, None, None, None],
        "test/ndcg@20": [0.1, 0.40002, 0.39999, None],
        "test/ndcg@20_std": [0.002, None, None, None],
    }
)
SHEET = Sheet("films_5core, 100%", ["test/recall@20", "test/ndcg@20"], ROWS, frozenset({"test/recall@20"}))


def test_best_and_second_by_the_digits_that_are_shown() -> None:
    assert SHEET.places("test/recall@20") == [1, 0, 2, 0]
    assert SHEET.places("test/ndcg@20") == [2, 1, 1, 0]  # .4000 twice; the second is the next value


def test_latex_marks_best_and_second_and_escapes() -> None:
    lines = latex(SHEET).splitlines()
    assert r"\caption{films\_5core, 100\%. Mean" in lines[2]
    gcn = r"encoder=gcn l2=1e\_4 & 2 & \textbf{0.3000}$^\dagger$ {\scriptsize$\pm$0.0100} & \underline{0.1000}"
    assert lines[7].startswith(gcn)
    assert lines[8:11] == [
        r"encoder=gat & 1 & 0.2000 & \textbf{0.4000} & 4.0 \\",
        r"\midrule",
        r"EASE \& co|x &  & \underline{0.2900} & \textbf{0.4000} & 1.0 \\",
    ]


def test_every_sign_of_latex_is_escaped_once() -> None:
    assert escape(r"a\b{c}_~^&%$#<>") == (
        r"a\textbackslash{}b\{c\}\_\textasciitilde{}\textasciicircum{}\&\%\$\#\textless{}\textgreater{}"
    )


def test_markdown_marks_best_and_second() -> None:
    lines = markdown(SHEET).splitlines()
    assert lines[4] == "| encoder=gcn l2=1e_4 | 2 | **0.3000** ± 0.0100† | <u>0.1000</u> ± 0.0020 | 3.0 |"
    assert lines[6] == r"| EASE & co\|x |  | <u>0.2900</u> | **0.4000** | 1.0 |"
    assert lines[7] == "| popularity |  | 0.1000 |  | 0.0 |"
    assert {line.count("|") - line.count(r"\|") for line in lines[2:8]} == {6}


def test_the_terminal_shows_the_same_cells() -> None:
    cells = [str(cell) for cell in terminal(SHEET).columns[2].cells]
    assert cells == ["0.3000† ±0.0100", "0.2000", "0.2900", "0.1000"]
