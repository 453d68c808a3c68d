"""When the best of a table is marked as better."""

from pathlib import Path

import polars as pl
import pytest

from graftrec.reporting.runs import read_baselines, read_runs
from graftrec.reporting.sheets import make_sheet, marked
from tests.reporting.folders import make_run, values

METRIC = "test/recall@20"


def runs_of(folder: Path, encoder: str, recall: float, seeds: int) -> list[Path]:
    """Runs of one variant, whose 40 users' values spread a little around ``recall``."""
    made = []
    for seed in range(seeds):
        made.append(make_run(folder / f"{encoder}{seed}", values(recall), seed=seed, encoder=encoder))
        users = pl.DataFrame({"user": range(40), "recall@20": [recall + user / 1000 for user in range(40)]})
        users.write_parquet(made[-1] / "per_user.parquet")
    return made


@pytest.mark.parametrize(("seeds", "expected"), [((2, 2), {METRIC}), ((1, 2), set()), ((2, 1), set())])
def test_one_seed_of_what_is_trained_is_never_marked(
    tmp_path: Path, seeds: tuple[int, int], expected: set[str]
) -> None:
    folders = [*runs_of(tmp_path, "gcn", 0.5, seeds[0]), *runs_of(tmp_path, "gat", 0.3, seeds[1])]
    runs = read_runs(folders)
    sheet = make_sheet(runs, read_baselines(folders), [METRIC])
    assert marked(sheet, runs) == expected
