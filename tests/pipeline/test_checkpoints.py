"""Checkpoints of a run folder that was moved."""

from pathlib import Path

import torch

from graftrec.pipeline.checkpoints import load_checkpoint, settle_moved_folder
from graftrec.pipeline.run_folder import RunFolder


def test_a_moved_folder_keeps_its_best_epoch(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "new")
    run.checkpoints.mkdir(parents=True)
    old = {"dirpath": "/old/checkpoints", "best_model_path": "/old/checkpoints/best.ckpt", "best_model_score": 0.5}
    old |= {"kth_best_model_path": "/old/checkpoints/best.ckpt", "last_model_path": ""}
    old |= {"best_k_models": {"/old/checkpoints/best.ckpt": 0.5}}
    torch.save({"callbacks": {"ModelCheckpoint": old, "EarlyStopping": {"wait_count": 1}}, "epoch": 3}, run.last)
    settle_moved_folder(run)
    settled = load_checkpoint(run.last)["callbacks"]
    assert settled["ModelCheckpoint"] == {
        "dirpath": str(run.checkpoints),
        "best_model_path": str(run.best),
        "kth_best_model_path": str(run.best),
        "last_model_path": "",
        "best_model_score": 0.5,
        "best_k_models": {str(run.best): 0.5},
    }
    assert settled["EarlyStopping"] == {"wait_count": 1}


def test_a_folder_in_its_place_is_left_alone(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.checkpoints.mkdir()
    torch.save({"callbacks": {"ModelCheckpoint": {"dirpath": str(run.checkpoints.resolve())}}}, run.last)
    before = run.last.stat().st_mtime_ns
    settle_moved_folder(run)
    assert run.last.stat().st_mtime_ns == before
