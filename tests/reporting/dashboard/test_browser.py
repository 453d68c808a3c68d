"""The page in headless Chromium: what a reader sees."""

import re
import shutil
import subprocess
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from graftrec.reporting.dashboard.html import build
from tests.reporting.folders import make_run, recommend, values

pytest.importorskip("plotly", reason="the page draws with plotly")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")
EVIL = "<script>document.title='evil'</script><b>x</b>"
MANY, SECONDS = 1000, 3


class Table(HTMLParser):
    """Texts of the cells of the leaderboard's body, row by row."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        board = page.split('<table id="board"')[1].split("</table>")[0]
        self.feed(board.split("<tbody>")[1])

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        self.rows[-1][-1] += data


@cache
def seen(page: Path, state: str = "", *flags: str) -> str:
    """The document after its load, as Chromium has it; scripts and Plotly's own styles taken out."""
    assert CHROMIUM is not None
    words = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *flags, "--dump-dom", f"file://{page}{state}"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
    return re.sub(r"<(script|style)\b.*?</\1>", "", done.stdout, flags=re.DOTALL)


def after(page: Path, script: str) -> str:
    """What is seen once ``script`` has acted in a reader's place."""
    acted = page.with_name(f"{abs(hash(script))}.html")
    acted.write_text(page.read_text("utf-8").replace("</body>", f"<script>{script}</script></body>"), "utf-8")
    return seen(acted)


def seconds_to_load(page: Path) -> float:
    """From the start of the navigation until all can be seen and used."""
    shown = re.search(r'data-rendered-after="(\d+)"', seen(page))
    assert shown is not None
    return int(shown[1]) / 1000


def names(page: Path, state: str = "") -> list[str]:
    return [row[1].split(" ")[0] for row in Table(seen(page, state)).rows]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """gcn is best on validation, gat on test, gin has the widest coverage."""
    folder = tmp_path_factory.mktemp("runs")
    recommend(make_run(folder / "gcn", values(0.25, valid=0.5), encoder="gcn"), ["Alien", EVIL])
    make_run(folder / "gat", values(0.4, valid=0.3), encoder="gat")
    make_run(folder / "gin", values(0.15, valid=0.2, coverage=0.9), encoder="gin")
    return build(folder)


def test_the_best_run_why_and_how_stand_first(page: Path) -> None:
    text = seen(page).split("<nav")[0]
    assert 'id="best-title"><a href="#run=gcn">encoder=gcn</a>' in text
    assert "On test it is 0.0500 above item-kNN, the best baseline, and 0.1500 below encoder=gat, the second." in text
    assert "<code" in text
    assert "graftrec train encoder=gcn seed=0</code>" in text


def test_rows_stand_in_the_order_of_validation_with_baselines_last(page: Path) -> None:
    assert names(page) == ["encoder=gcn", "encoder=gat", "encoder=gin", "popularity", "item-kNN"]


def test_the_address_sorts_and_tells_screen_readers(page: Path) -> None:
    state = "#sort=coverage@20&order=descending"
    assert names(page, state)[0] == "encoder=gin"
    assert re.search(r'<th scope="col" aria-sort="descending" data-key="coverage@20">', seen(page, state))


def test_the_address_filters(page: Path) -> None:
    assert names(page, "#filter=encoder%3Dg%20baseline") == []
    assert names(page, "#filter=GIN") == ["encoder=gin"]


def test_a_click_on_a_head_sorts_and_is_kept_in_the_address(page: Path) -> None:
    script = "document.querySelector('[data-key=\"coverage@20\"] button').click(); document.title = location.hash"
    text = after(page, script)
    assert Table(text).rows[0][1].startswith("encoder=gin")
    assert "<title>#sort=coverage%4020&amp;order=descending</title>" in text


def test_a_checkbox_takes_a_variant_out_of_the_plots(page: Path) -> None:
    text = after(page, "document.querySelector('[aria-label=\"Draw encoder=gcn\"]').click()")
    legend = text.split('<ul class="legend"')[1].split("</ul>")[0]
    assert re.findall(r"encoder=\w+", legend) == ["encoder=gat", "encoder=gin"]


def test_more_than_twenty_runs_are_refused(tmp_path: Path) -> None:
    for number in range(21):
        make_run(tmp_path / f"{number}", values(number / 100), lr=number)
    text = after(build(tmp_path), "document.querySelectorAll('[data-variant]:not(:checked)').forEach((b) => b.click())")
    assert "At most 20 runs are drawn at once" in text
    assert text.split('<ul class="legend"')[1].split("</ul>")[0].count("<li>") == 20


def test_differences_are_to_the_best_baseline(page: Path) -> None:
    rows = {row[1].split(" ")[0]: row for row in Table(seen(page)).rows}
    assert rows["encoder=gat"][4] == "+0.2000 (+100.0 %)"
    assert rows["item-kNN"][4] == "the best one"


def test_markup_in_a_title_is_only_text(page: Path) -> None:
    text = seen(page, "#run=gcn")
    assert "&lt;script&gt;document.title='evil'&lt;/script&gt;&lt;b&gt;x&lt;/b&gt;" in text
    assert "<title>gcn, " in text  # the script in the item's title did not run


def test_plots_are_drawn_and_have_a_text_alternative(page: Path) -> None:
    text = seen(page, "", "--window-size=1400,4000", "--virtual-time-budget=10000")
    assert text.count('class="main-svg"') >= 3
    assert 'role="img" aria-label="Plot: Validation recall@20.' in text


def test_a_thousand_runs_load_in_time(tmp_path: Path) -> None:
    titles = [f"A film with a rather long title, number {number}" for number in range(20)]
    for number in range(MANY):
        rate = 0.01 + number // 2 / 1e5
        recommend(make_run(tmp_path / f"{number}", values(number / MANY), number % 2, epochs=60, lr=rate), titles)
    large = build(tmp_path)
    assert len(Table(seen(large)).rows) == MANY // 2 + 2  # two seeds a variant, two baselines
    assert min(seconds_to_load(large) for _ in range(3)) < SECONDS
