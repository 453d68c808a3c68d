"""When the best of a table is marked as better, and which runs a table has."""

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from graftrec.reporting.comparison import compare, verdict
from graftrec.reporting.report import make_sheets
from graftrec.reporting.runs import read_baselines, read_runs
from graftrec.reporting.sheets import make_sheet, marked
from graftrec.reporting.variants import chosen
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


def with_values(folder: Path, recall: float, users: Sequence[float], **settings: object) -> Path:
    """A run whose users have these values."""
    made = make_run(folder, values(recall), **settings)
    frame = pl.DataFrame({"user": range(len(users)), "recall@20": users}, schema_overrides={"recall@20": pl.Float32})
    frame.write_parquet(made / "per_user.parquet")
    return made


def two_variants(
    folder: Path, first: Sequence[float], second: Sequence[float], means: tuple[float, float]
) -> list[Path]:
    return [
        with_values(folder / f"{encoder}{seed}", mean, users, encoder=encoder, seed=seed)
        for encoder, users, mean in (("gcn", first, means[0]), ("gat", second, means[1]))
        for seed in (0, 1)
    ]


def test_what_is_worse_for_most_users_is_neither_marked_nor_called_real(tmp_path: Path) -> None:
    first = [0.48] * 700 + [0.8] * 150 + [0.5] * 150  # 700 users lose .02, 150 gain .3
    folders = two_variants(tmp_path, first, [0.5] * 1000, (0.531, 0.5))
    runs = read_runs(folders)
    assert marked(make_sheet(runs, read_baselines([]), [METRIC]), runs) == set()
    told = verdict(compare([*map(str, folders)]), "encoder=gat")
    assert told.startswith("Open: encoder=gcn is better than encoder=gat by 0.0310")
    assert "worse for more users than better" in told


def test_what_is_shown_as_equal_is_not_marked(tmp_path: Path) -> None:
    folders = two_variants(tmp_path, [0.50002] * 50, [0.5] * 50, (0.50002, 0.5))
    runs = read_runs(folders)
    assert marked(make_sheet(runs, read_baselines([]), [METRIC]), runs) == set()


def test_the_best_is_corrected_for_all_pairs_and_a_named_one_for_its_own(tmp_path: Path) -> None:
    shifts = {"gcn": 0.03, "gat": 0.02, "gin": 0.01, "lightgcn": 0.0}
    users = {name: [user / 100 + shift * (1 + user % 3) for user in range(40)] for name, shift in shifts.items()}
    folders = [with_values(tmp_path / name, 0.2 + shifts[name], users[name], encoder=name) for name in shifts]
    best, named = (compare([*map(str, folders)], against) for against in (None, "encoder=gcn"))
    assert best.reference == named.reference == "encoder=gcn"
    assert (best.tests, named.tests) == (6, 3)
    assert [found.holm for found in best.differences.values()] == pytest.approx(
        [min(1.0, 6 * found.p) for found in best.differences.values()]
    )  # equal p: all are the smallest


def test_of_a_sweeps_trials_validation_chooses_and_named_runs_stay(tmp_path: Path) -> None:
    trial = {"objectives": ["valid/recall@20"], "sweep": "sweep"}
    folders = [
        make_run(tmp_path / f"trial{lr}", values(test, valid), lr=lr, trial=trial)
        for lr, test, valid in ((1, 0.9, 0.1), (2, 0.5, 0.3), (3, 0.7, 0.2))
    ]
    folders.append(make_run(tmp_path / "other", values(0.4)))
    runs = read_runs(folders)
    assert [Path(path).name for path in chosen(runs)["path"]] == ["trial2", "other"]
    assert [Path(path).name for path in chosen(runs, [str(folders[0])])["path"]] == ["trial1", "trial2", "other"]


def test_of_a_metric_that_is_better_lower_the_lowest_trial_is_chosen(tmp_path: Path) -> None:
    trial = {"objectives": ["valid/gini@20"], "sweep": "sweep"}
    folders = [
        make_run(tmp_path / f"trial{gini}", {**values(0.5), "valid/gini@20": gini}, gini=gini, trial=trial)
        for gini in (0.9, 0.6, 0.8)
    ]
    assert [Path(path).name for path in chosen(read_runs(folders))["path"]] == ["trial0.6"]


def test_runs_without_a_common_list_length_have_a_table_each(tmp_path: Path) -> None:
    accuracy = ("recall", "precision", "f1", "ndcg")
    folders = [
        make_run(tmp_path / f"{k}", {**{f"test/{name}@{k}": 0.3 for name in accuracy}, "valid/recall@20": 0.3}, dim=k)
        for k in (20, 10)
    ]
    sheets = make_sheets(read_runs(folders), read_baselines([]))
    assert [sheet.metrics[0] for sheet in sheets] == ["test/recall@20", "test/recall@10"]


def test_a_baseline_that_the_test_set_tuned_is_in_no_table_of_runs_that_it_did_not(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", values(0.5), protocol="paper")
    facts = json.loads((folder / "run.json").read_text())
    facts["baselines"]["popularity"]["leaky"], facts["baselines"]["item-kNN"]["leaky"] = False, True
    (folder / "run.json").write_text(json.dumps(facts))
    baselines = read_baselines([folder])
    assert dict(baselines.select("label", "protocol").iter_rows()) == {
        "popularity": "paper",
        "item-kNN": "paper (leaky)",
    }
    assert "item-kNN" not in make_sheet(read_runs([folder]), baselines, [METRIC]).rows["label"].to_list()


def test_a_baseline_without_choices_stands_beside_runs_that_the_test_set_chose(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run", values(0.5), protocol="paper")
    facts = json.loads((folder / "run.json").read_text())
    facts["tags"], facts["baselines"]["popularity"]["leaky"] = ["leaky"], False
    (folder / "run.json").write_text(json.dumps(facts))
    labels = make_sheet(read_runs([folder]), read_baselines([folder]), [METRIC]).rows["label"].to_list()
    assert {"popularity", "item-kNN"} <= set(labels)


def test_a_trial_that_validation_did_not_choose_may_be_the_reference(tmp_path: Path) -> None:
    trial = {"objectives": ["valid/recall@20"], "sweep": "sweep"}
    for lr, recall in ((1, 0.2), (2, 0.5)):
        with_values(
            tmp_path / "sweep" / f"{lr}", recall, [recall + user / 100 for user in range(9)], lr=lr, trial=trial
        )
    comparison = compare([str(tmp_path)], against=str(tmp_path / "sweep" / "1"))
    assert (comparison.reference, list(comparison.differences), comparison.tests) == ("lr=1", ["lr=2"], 1)
