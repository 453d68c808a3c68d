"""Checkpoints that a run is continued from."""

import pickle
from pathlib import Path
from typing import Any

import torch

from graftrec.errors import InputError
from graftrec.pipeline.run_folder import RunFolder


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Content of a checkpoint; says how to start again where it is damaged."""
    try:
        return torch.load(path, weights_only=True)
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, pickle.UnpicklingError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{path} is damaged or missing ({reason}); to train again from the start, delete {path.parent} and type "
            f"graftrec train resume={path.parent.parent}"
        ) from error


def check_resume(run: RunFolder) -> None:
    """Refuse a folder whose training could not go on, before anything is read or encoded."""
    if not run.last.is_file():
        return
    states = load_checkpoint(run.last)["callbacks"].values()
    if any(Path(state.get("best_model_path", "")).name == run.best.name for state in states):
        load_checkpoint(run.best)
