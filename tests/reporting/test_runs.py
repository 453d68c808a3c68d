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
