"""What a screen reader is told, what the keyboard reaches, and how well text stands out; in headless Chromium."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graftrec.reporting.dashboard.html import build
from tests.reporting.dashboard.devtools import CHROMIUM, Page, browser
from tests.reporting.folders import make_run, recommend, values

pytest.importorskip("plotly", reason="the page draws with plotly")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")
CONTROLS = {"link", "button", "combobox", "searchbox", "checkbox", "DisclosureTriangle", "textbox", "menulistoption"}
ENOUGH, ENOUGH_OF_LINES = 4.5, 3  # contrast by WCAG 2.2, AA
CONTRAST = Path(__file__).with_name("contrast.js").read_text("utf-8")
DRAWN = "document.querySelectorAll('.plot:not(.js-plotly-plot)').length === 0"
LEVELS = """[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter((one) => one.checkVisibility())
    .map((one) => Number(one.tagName[1]))"""
SORTS = """Object.fromEntries([...document.querySelectorAll("#board th[data-key]")]
    .map((one) => [one.dataset.key, one.ariaSort]))"""
NUMBERS = (
    """[...document.querySelectorAll("figure")].every((one) => one.querySelector("details table caption + thead"))"""
)
FOCUSED = """(() => {
    const one = document.activeElement, style = getComputedStyle(one);
    if (one === document.body) return null;
    const place = [...document.querySelectorAll("*")].indexOf(one), text = one.textContent.trim().slice(0, 30);
    return { place, text, outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth) };
})()"""
TOO_WIDE = """[...document.querySelectorAll("body *")].filter((one) => one.checkVisibility())
    .filter((one) => one.getBoundingClientRect().right > innerWidth && !one.closest(".scroll, nav, .hidden, .skip"))
    .map((one) => one.textContent.slice(0, 40))"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three variants, of one of them two seeds, a run with example lists, and a sweep's trials."""
    folder = tmp_path_factory.mktemp("runs")
    recommend(make_run(folder / "gcn", values(0.25, valid=0.5), encoder="gcn"), ["Alien", "Heat"])
    make_run(folder / "gcn1", values(0.26, valid=0.4), seed=1, encoder="gcn")
    make_run(folder / "gat", values(0.4, valid=0.3), encoder="gat")
    make_run(folder / "gin", values(0.15, valid=0.2, coverage=0.9), encoder="gin")
    trials = {"trial": range(4), "state": ["complete"] * 3 + ["pruned"], "valid/recall@20": [0.1, 0.2, 0.3, None]}
    settings = {"param:optimizer.lr": [0.1, 0.02, 0.03, 0.4], "param:dim": [16, 32, 32, 16]}
    pl.DataFrame({**trials, **settings}).write_csv(folder / "trials.csv")
    return build(folder)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


STATES = pytest.mark.parametrize("state", ["", "#run=gcn"])


def open_drawn(chromium: Page, page: Path, state: str = "", theme: str = "light") -> None:
    """Open so high a window that every plot is drawn."""
    chromium.open(page, state, height=8000, theme=theme)
    chromium.wait_for(DRAWN)


def told(chromium: Page, *roles: str) -> list[dict[str, Any]]:
    return [node for node in chromium.tree() if node["role"] in roles]


@STATES
def test_every_control_has_a_name(chromium: Page, page: Path, state: str) -> None:
    open_drawn(chromium, page, state)
    controls = told(chromium, *CONTROLS)
    assert len(controls) > 5
    assert [node for node in controls if not node["name"].strip()] == []


@STATES
def test_what_can_be_focused_has_a_role_and_a_name(chromium: Page, page: Path, state: str) -> None:
    open_drawn(chromium, page, state)
    reached = [node for node in chromium.tree() if node.get("focusable") and node["role"] != "main"]
    assert [node for node in reached if node["role"] in ("generic", "none") or not node["name"].strip()] == []


@STATES
def test_headings_leave_no_level_out(chromium: Page, page: Path, state: str) -> None:
    chromium.open(page, state)
    levels = chromium.run(LEVELS)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(after - before for before, after in pairwise(levels)) == 1


def test_the_table_has_heads_that_tell_how_it_is_sorted(chromium: Page, page: Path) -> None:
    chromium.open(page)
    heads = {node["name"]: node for node in told(chromium, "columnheader")}
    assert {"Drawn in plots", "Variant", "Validation recall@20", "Test recall@20", "Seeds"} <= set(heads)
    assert {"gcn" in node["name"] for node in told(chromium, "rowheader")} == {True, False}
    sorts = chromium.run(SORTS)
    assert sorts.pop("valid") == "descending"
    assert set(sorts.values()) == {"none"}


def test_return_on_a_head_sorts_and_keeps_the_focus(chromium: Page, page: Path) -> None:
    chromium.open(page)
    chromium.run("document.querySelector('[data-key=\"coverage@20\"] button').focus()")
    chromium.press("Enter")
    assert chromium.run("document.activeElement.closest('th').ariaSort") == "descending"
    assert chromium.run("document.querySelector('#board tbody th').textContent").startswith("encoder=gin")


@STATES
def test_every_plot_tells_its_title_and_numbers_in_words(chromium: Page, page: Path, state: str) -> None:
    open_drawn(chromium, page, state)
    plots = [node["name"] for node in told(chromium, "image")]
    assert len(plots) == chromium.run("document.querySelectorAll('figure').length") > 2
    assert [name for name in plots if not name.startswith("Plot: ") or not any(sign.isdigit() for sign in name)] == []


def test_what_a_curve_shows_is_told(chromium: Page, page: Path) -> None:
    open_drawn(chromium, page)
    (name,) = [node["name"] for node in told(chromium, "image") if "Validation recall@20" in node["name"]]
    assert "4 lines. At the end: Highest: encoder=gcn, seed 0, 0.5000; lowest: encoder=gin, seed 0, 0.2000." in name


@STATES
def test_every_plot_has_its_numbers_as_a_table(chromium: Page, page: Path, state: str) -> None:
    open_drawn(chromium, page, state)
    chromium.run("document.querySelectorAll('figure details').forEach((one) => { one.open = true; })")
    chromium.wait_for("[...document.querySelectorAll('figure details')].every((one) => one.querySelector('td'))")
    assert chromium.run(NUMBERS)


def test_the_keyboard_goes_from_top_to_bottom_and_is_seen(chromium: Page, page: Path) -> None:
    chromium.open(page)
    passed = []
    while len(passed) < 200:
        chromium.press("Tab")
        at = chromium.run(FOCUSED)
        if at is None or (passed and at["place"] == passed[0]["place"]):
            break
        passed.append(at)
    assert passed[0]["text"] == "Skip to the leaderboard"
    assert [one["place"] for one in passed] == sorted({one["place"] for one in passed})
    assert [one for one in passed if one["outline"] < 2] == []
    assert len(passed) >= chromium.run("document.querySelectorAll('#overview :is(a, button, input, summary)').length")


@pytest.mark.parametrize("theme", ["light", "dark"])
@STATES
def test_text_stands_out(chromium: Page, page: Path, state: str, theme: str) -> None:
    open_drawn(chromium, page, state, theme)
    chromium.run("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert chromium.run(f"(() => {{ {CONTRAST} return paleTexts({ENOUGH}) }})()") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_lines_stand_out(chromium: Page, page: Path, theme: str) -> None:
    chromium.open(page, theme=theme)
    assert chromium.run(f"(() => {{ {CONTRAST} return paleLines({ENOUGH_OF_LINES}) }})()") == []


@STATES
@pytest.mark.parametrize("width", [400, 800])
def test_nothing_is_wider_than_a_narrow_window(chromium: Page, page: Path, state: str, width: int) -> None:
    chromium.open(page, state, width=width)
    assert chromium.run(TOO_WIDE) == []
