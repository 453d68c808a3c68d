"""A run folder each of whose files is cut, emptied or removed in turn."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import graftrec
from graftrec.errors import InputError
from tests.e2e.conftest import Refused


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    path.write_bytes(b"")


OTHERS = ["metrics.csv", "per_user.parquet", "recommendations.parquet", "strata.csv", "environment.json"]
READ = ["config.yaml", "run.json", "metrics.json", "embeddings.safetensors"]
DATASET = [f"dataset/{name}" for name in ("dataset.json", "interactions.parquet", "users.parquet", "items.parquet")]
DAMAGE = pytest.mark.parametrize("damage", [cut, empty, Path.unlink], ids=["cut", "empty", "removed"])


@pytest.fixture
def copied(small_run: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to be damaged."""
    return Path(shutil.copytree(small_run, tmp_path / "copy", ignore=shutil.ignore_patterns("wandb")))


def use(folder: Path) -> None:
    run = graftrec.load_run(folder)
    run.recommend([5], k=3)
    run.evaluate()


@DAMAGE
@pytest.mark.parametrize("name", [*READ, *DATASET])
def test_a_run_folder_with_a_damaged_file_is_refused(copied: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(copied / name)
    with pytest.raises(InputError, match=re.escape(Path(name).name) + "|dataset is damaged|The data folder"):
        use(copied)


@DAMAGE
@pytest.mark.parametrize("name", [*OTHERS, "checkpoints/best.ckpt", "checkpoints/last.ckpt"])
def test_files_that_recommending_does_not_read_may_be_damaged(
    copied: Path, name: str, damage: Callable[[Path], None]
) -> None:
    damage(copied / name)
    use(copied)


def test_a_run_folder_with_the_data_of_another_run_is_refused(copied: Path) -> None:
    facts = json.loads((copied / "run.json").read_text())
    facts["data"]["hash"] = "0123456789abcdef"
    (copied / "run.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=r"holds other data .* than the run was trained on \(0123456789abcdef\)"):
        use(copied)


@pytest.mark.parametrize("damage", [cut, empty], ids=["cut", "empty"])
@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("checkpoints/last.ckpt", "to train again from the start, delete"),
        ("checkpoints/best.ckpt", "to train again from the start, delete"),
        ("config.yaml", "train again into a new folder"),
        ("metrics.csv", "delete it to go on without the earlier epochs"),
    ],
)
def test_resuming_a_damaged_run_is_refused(
    copied: Path, refused: Refused, name: str, advice: str, damage: Callable[[Path], None]
) -> None:
    (copied / "metrics.json").unlink()
    damage(copied / name)
    message = refused("train", f"resume={copied}")
    assert f"{copied / name} is damaged" in message
    assert advice in message


def test_resuming_without_the_best_checkpoint_is_refused(copied: Path, refused: Refused) -> None:
    (copied / "metrics.json").unlink()
    (copied / "checkpoints" / "best.ckpt").unlink()
    assert "best.ckpt is damaged or missing" in refused("train", f"resume={copied}")


def test_resuming_on_other_data_is_refused(copied: Path, refused: Refused) -> None:
    (copied / "metrics.json").unlink()
    config = copied / "config.yaml"
    config.write_text(config.read_text().replace("num_interactions: 3000", "num_interactions: 2900"))
    message = refused("train", f"resume={copied}")
    assert "The run was started on other data" in message
    assert "bring the old tables back, or start a new run" in message
