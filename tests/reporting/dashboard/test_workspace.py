"""The W&B workspace and report as they would be sent, built without an account."""

import json
from typing import Any

import pytest

from graftrec.errors import InputError
from graftrec.reporting.dashboard.workspace import described, push, report, workspace

pytest.importorskip("wandb_workspaces", reason="pip install 'graftrec[dashboard]'")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """No key in the environment, nor where wandb login puts it."""
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_MODE", "offline")


def sections() -> dict[str, list[dict[str, Any]]]:
    """Panels by section of the workspace's own JSON."""
    model = workspace("me", "films", described("recall@20"))._to_model()
    spec = json.loads(model.spec.model_dump_json(by_alias=True))
    return {one["name"]: one["panels"] for one in spec["section"]["panelBankConfig"]["sections"]}


def test_every_section_of_the_description_is_there() -> None:
    assert list(sections()) == [section.title for section in described("recall@20")]


def test_curves_are_over_epochs() -> None:
    panel = sections()["Learning curves"][0]
    assert panel["viewType"] == "Run History Line Plot"
    assert (panel["config"]["xAxis"], panel["config"]["metrics"]) == ("epoch", ["valid/recall@20"])


def test_trade_offs_are_of_test() -> None:
    config = sections()["Beyond accuracy"][0]["config"]
    assert (config["xAxis"], config["yAxis"]) == ("summary:test/coverage@20", "summary:test/recall@20")


def test_importance_is_of_validation() -> None:
    (panel,) = [one for one in sections()["Search"] if one["viewType"] == "Parameter Importance"]
    assert panel["config"]["targetKey"] == "valid/recall@20"


def test_the_report_has_a_heading_for_each_section() -> None:
    text = report("me", "films", described("recall@20"))._to_model().spec.model_dump_json()
    assert all(f'"text":"{section.title}"' in text for section in described("recall@20"))


def test_without_a_key_there_is_advice() -> None:
    with pytest.raises(InputError, match="graftrec dashboard build FOLDER"):
        push("me", "films", "recall@20")


def test_whose_project_it_is_must_be_said() -> None:
    with pytest.raises(InputError, match="entity=NAME"):
        push(None, "films", "recall@20")
