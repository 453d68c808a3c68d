"""Variants, their spread over seeds, and which of them is best."""

from pathlib import Path

import pytest

from graftrec.reporting.dashboard.groups import Group, read_groups
from graftrec.reporting.runs import find_runs
from tests.reporting.folders import make_run, values


@pytest.fixture
def group(tmp_path: Path) -> Group:
    """gcn: best on validation, three seeds; gat: better on test, one seed."""
    for seed, recall in enumerate((0.25, 0.26, 0.30)):
        make_run(tmp_path / f"gcn{seed}", values(recall, valid=0.5), seed=seed, encoder="gcn")
    make_run(tmp_path / "gat", values(0.4, valid=0.2), encoder="gat")
    (found,) = read_groups(find_runs(tmp_path))
    return found


def test_seeds_are_one_variant_with_mean_and_sample_deviation(group: Group) -> None:
    best = group.ranked("recall@20")[0]
    assert best.test["recall@20"] == pytest.approx((0.27, 0.0264575))  # sqrt((.02^2 + .01^2 + .03^2) / 2)
    assert [Path(path).name for path in best.runs] == ["gcn0", "gcn1", "gcn2"]


def test_validation_ranks_not_test(group: Group) -> None:
    assert [variant.label for variant in group.ranked("recall@20")] == ["encoder=gcn", "encoder=gat"]


def test_one_seed_has_no_deviation(group: Group) -> None:
    assert group.ranked("recall@20")[1].test["recall@20"] == (0.4, None)


def test_best_baseline_is_that_of_the_metric_on_test(group: Group) -> None:
    best = group.best_baseline("recall@20")
    assert best is not None
    assert (best.label, best.test["recall@20"]) == ("item-kNN", (0.2, None))


def test_memory_is_the_largest_of_any_stage(group: Group) -> None:
    assert group.ranked("recall@20")[0].cost["peak_gib"][0] == 0.75


def test_other_data_is_another_group(group: Group, tmp_path: Path) -> None:
    other = make_run(tmp_path / "other", values(0.9))
    (other / "run.json").write_text((other / "run.json").read_text().replace("films/random", "books/random"))
    found = read_groups(find_runs(tmp_path))
    assert [one.setup["data"] for one in found] == ["films/random", "books/random"]  # the one with most runs first
