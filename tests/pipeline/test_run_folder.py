"""Configurations of runs of earlier versions."""

from pathlib import Path

import yaml

from graftrec.pipeline.run_folder import RunFolder
from tests.reporting.folders import make_run, values


def test_a_run_from_before_a_group_has_what_was_done_then(tmp_path: Path) -> None:
    run = RunFolder(make_run(tmp_path / "run", values(0.2)))
    assert "positives" not in yaml.safe_load(run.config.read_text())
    config = run.read_config()
    assert config.positives == {"_target_": "graftrec.data.sampling.EachPair"}
    assert config.choices.positives == "each_pair"
