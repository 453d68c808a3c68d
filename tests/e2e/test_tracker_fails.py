"""A tracker that fails at the end of a run: the run is finished all the same, and says what went wrong."""

import json
import shutil
from pathlib import Path

import pytest
from pytorch_lightning import Callback, LightningModule, Trainer
from pytorch_lightning.loggers import CSVLogger, Logger

from graftrec.cli.main import main
from graftrec.pipeline.tracking import Report, RunInfo, TensorBoard
from tests.e2e.conftest import SMALL, Cli
from tests.offline_wandb import OfflineRun


class TakesFolderAway(Callback):
    """Puts a file where W&B's folder was: nobody, root neither, can write into it."""

    def on_test_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        folder = Path(trainer.checkpoint_callback.dirpath).parent / "wandb"  # type: ignore[union-attr]
        shutil.rmtree(folder)
        folder.touch()


class Interrupted(TensorBoard):
    """A reader presses Ctrl-C while the last report is sent."""

    def open(self, info: RunInfo) -> Logger:  # type: ignore[override]
        return CSVLogger(info.folder, "interrupted")

    def report(self, report: Report) -> None:
        raise KeyboardInterrupt


def facts(folder: Path) -> dict[str, object]:
    known: dict[str, object] = json.loads((folder / "run.json").read_text())
    return known


@pytest.fixture(scope="module")
def failed(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Folder and warnings of a run whose W&B folder was taken away."""
    folder = tmp_path_factory.mktemp("runs") / "failed"
    taken = f"+callbacks.taken._target_={__name__}.TakesFolderAway"
    with pytest.warns(UserWarning, match=r"logger\.wandb") as warned:
        cli("train", *SMALL, taken, f"hydra.run.dir={folder}")
    return folder, [str(one.message) for one in warned if "logger.wandb" in str(one.message)]


def test_the_run_is_finished(failed: tuple[Path, list[str]]) -> None:
    folder, _ = failed
    assert facts(folder)["status"] == "finished"
    assert "test/recall@20" in json.loads((folder / "metrics.json").read_text())


def test_cause_and_advice_are_told_once_and_kept(failed: tuple[Path, list[str]]) -> None:
    folder, (warning,) = failed
    assert f"was not told the end ({facts(folder)['tracking']['wandb']})" in warning  # type: ignore[index]
    assert "PermissionError" in warning
    assert warning.endswith(f"graftrec train resume={folder}")


def test_the_advice_tells_it_again(failed: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = failed
    (folder / "wandb").unlink()
    metrics = (folder / "metrics.json").read_text()
    monkeypatch.setattr(TakesFolderAway, "on_test_end", Callback.on_test_end)
    monkeypatch.setattr("sys.argv", ["graftrec", "train", f"resume={folder}"])
    main()
    assert "tracking" not in facts(folder)
    assert OfflineRun(folder).summary["status"] == "finished"
    assert (folder / "metrics.json").read_text() == metrics


def test_a_finished_run_stays_one_when_its_report_is_interrupted(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = ["logger=csv", f"+logger.interrupted._target_={__name__}.Interrupted"]
    with pytest.raises(SystemExit):
        cli("train", *SMALL, *words, f"hydra.run.dir={folder}")
    assert facts(folder)["status"] == "finished"
