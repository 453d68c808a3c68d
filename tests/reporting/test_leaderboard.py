"""The best variants in the terminal."""

from pathlib import Path

import pytest

from graftrec.errors import InputError
from graftrec.reporting.leaderboard import print_leaderboard
from tests.reporting.folders import make_run, values


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_run(tmp_path / "gat", values(0.4, valid=0.3), encoder="gat")
    make_run(tmp_path / "gcn", values(0.25, valid=0.5), encoder="gcn")
    return tmp_path


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("│")]


def test_validation_sorts_and_test_stands_beside(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_leaderboard(folder, None, 20)
    first, second, baseline = lines(capsys.readouterr().out)
    assert [cell.strip() for cell in first.split("│")[1:5]] == ["encoder=gcn", "0.5000", "0.2500", "+0.0500"]
    assert "encoder=gat" in second
    assert "item-kNN (best baseline)" in baseline


def test_only_the_top_is_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_leaderboard(folder, "coverage@20", 1)
    out = capsys.readouterr().out
    assert len(lines(out)) == 2  # the best variant and the best baseline
    assert "the first 1 of 2" in out


def test_an_unknown_metric_is_refused(folder: Path) -> None:
    with pytest.raises(InputError, match="choose one of recall@20, coverage@20"):
        print_leaderboard(folder, "recal@20", 20)


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        print_leaderboard(tmp_path / "absent", None, 20)
