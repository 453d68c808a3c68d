from pathlib import Path

import polars as pl
import pytest

from graftrec.training.csv_logger import EpochCSVLogger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.csv"


def log_epochs(path: Path, epochs: range) -> None:
    """One process: training and validation metrics of some epochs."""
    logger = EpochCSVLogger(path)
    for epoch in epochs:
        logger.log_metrics({"train/loss": 1 / (epoch + 1), "epoch": epoch}, step=10 * epoch)
        logger.log_metrics({"valid/recall@10": epoch / 10, "epoch": epoch}, step=10 * epoch)


def test_training_and_validation_of_an_epoch_share_a_row(path: Path) -> None:
    log_epochs(path, range(2))
    assert pl.read_csv(path).to_dicts() == [
        {"train/loss": 1.0, "epoch": 0, "valid/recall@10": 0.0},
        {"train/loss": 0.5, "epoch": 1, "valid/recall@10": 0.1},
    ]


def test_rows_from_before_a_resume_stay(path: Path) -> None:
    log_epochs(path, range(3))
    before = path.read_text().splitlines()
    log_epochs(path, range(3, 5))
    after = path.read_text().splitlines()
    assert (after[:4], len(after)) == (before, 6)


def test_epoch_that_is_done_again_replaces_its_row(path: Path) -> None:
    log_epochs(path, range(2))
    EpochCSVLogger(path).log_metrics({"train/loss": 9.0, "epoch": 1})
    assert pl.read_csv(path)["train/loss"].to_list() == [1.0, 9.0]


def test_rows_are_in_order_of_epochs(path: Path) -> None:
    logger = EpochCSVLogger(path)
    for epoch in (2, 0, 1):
        logger.log_metrics({"train/loss": 0.5, "epoch": epoch})
    assert pl.read_csv(path)["epoch"].to_list() == [0, 1, 2]


def test_metric_that_comes_later_is_empty_in_earlier_rows(path: Path) -> None:
    logger = EpochCSVLogger(path)
    logger.log_metrics({"train/loss": 0.5, "epoch": 0})
    logger.log_metrics({"train/loss": 0.4, "valid/recall@10": 0.1, "epoch": 1})
    assert pl.read_csv(path)["valid/recall@10"].to_list() == [None, 0.1]


def test_test_metrics_are_no_part_of_the_curves(path: Path) -> None:
    logger = EpochCSVLogger(path)
    logger.log_metrics({"train/loss": 0.5, "epoch": 0})
    logger.log_metrics({"test/recall@10": 0.2, "epoch": 0})
    assert pl.read_csv(path).columns == ["train/loss", "epoch"]


def test_test_metrics_alone_write_no_file(path: Path) -> None:
    EpochCSVLogger(path).log_metrics({"test/recall@10": 0.2, "epoch": 0})
    assert not path.exists()


def test_metrics_without_an_epoch_are_left_out(path: Path) -> None:
    EpochCSVLogger(path).log_metrics({"train/loss": 0.5}, step=3)
    assert not path.exists()


def test_no_partial_file_is_left(path: Path) -> None:
    log_epochs(path, range(3))
    assert [file.name for file in path.parent.iterdir()] == ["metrics.csv"]
