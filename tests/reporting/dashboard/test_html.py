"""The page as a file: whole, escaped, alone."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from graftrec.errors import InputError
from graftrec.reporting.dashboard.html import as_script, build
from tests.reporting.folders import make_run, recommend, values

pytest.importorskip("plotly", reason="the page draws with plotly")
EVIL = "</script><script>alert(1)</script><!--"


@pytest.fixture
def text(tmp_path: Path) -> str:
    for seed in range(3):
        recommend(make_run(tmp_path / f"run{seed}", values(0.2 + seed / 100), seed=seed), ["Alien", EVIL])
    return build(tmp_path).read_text("utf-8")


def data_of(text: str) -> dict[str, Any]:
    block = text.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    return json.loads(block)  # type: ignore[no-any-return]


def test_all_runs_are_in(text: str) -> None:
    assert [run["name"] for run in data_of(text)["runs"]] == ["run0", "run1", "run2"]


def test_text_from_data_ends_no_script(text: str) -> None:
    assert EVIL not in text
    assert data_of(text)["texts"] == ["Alien", EVIL]


def test_no_tag_can_begin_in_the_data() -> None:
    assert "<" not in as_script({"title": EVIL})


def test_plotly_is_in_once_and_nothing_is_fetched(text: str) -> None:
    assert text.count("* plotly.js v") == 1
    assert not re.search(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"']?(?:https?:)?//", text)
    assert "default-src 'none'" in text


def test_a_page_without_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no folder"):
        build(tmp_path / "absent")
