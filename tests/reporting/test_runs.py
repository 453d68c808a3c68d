"""Runs as one table."""

from pathlib import Path

import yaml

from graftrec.reporting.runs import read_runs
from tests.reporting.folders import make_run, values


def test_a_run_without_choices_is_named_by_its_classes(tmp_path: Path) -> None:
    folders = [make_run(tmp_path / name, values(0.2), encoder=f"package.{name}") for name in ("GCN", "GAT")]
    for folder in folders:
        settings = yaml.safe_load((folder / "config.yaml").read_text())
        del settings["choices"], settings["overrides"]
        (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    runs = read_runs(folders)
    assert runs["label"].to_list() == ["encoder=GCN", "encoder=GAT"]
    assert runs["model"].to_list() == ["GCN", "GAT"]


def test_a_seed_that_follows_the_runs_seed_makes_no_variant(tmp_path: Path) -> None:
    pca = ({"_target_": "PCA", "seed": seed} for seed in (0, 1))
    runs = read_runs([make_run(tmp_path / str(p["seed"]), values(0.2), seed=p["seed"], conditioning=p) for p in pca])
    assert runs["variant"].n_unique() == 1
    assert runs["seed"].to_list() == [0, 1]


def test_a_seed_of_its_own_makes_a_variant(tmp_path: Path) -> None:
    folders = [make_run(tmp_path / str(seed), values(0.2), conditioning={"seed": seed}) for seed in (3, 4)]
    for seed, folder in zip((3, 4), folders, strict=True):
        settings = yaml.safe_load((folder / "config.yaml").read_text())
        settings["overrides"] = [f"conditioning.seed={seed}"]
        (folder / "config.yaml").write_text(yaml.safe_dump(settings))
    assert read_runs(folders)["variant"].n_unique() == 2
