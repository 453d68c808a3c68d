"""Checkpoints that a run is continued from."""

import pickle
from pathlib import Path
from typing import Any

import torch

from graftrec.data.files import written
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


def settle_moved_folder(run: RunFolder) -> None:
    """Let a moved folder's checkpoint name its files where they are now.

    Otherwise Lightning forgets which epoch was the best, and the next one would take its place.
    """
    checkpoint = load_checkpoint(run.last)
    here = run.checkpoints.resolve()
    moved = [s for s in checkpoint["callbacks"].values() if s.get("dirpath") not in (None, str(here))]
    for state in moved:
        state["dirpath"] = str(here)
        for name in ("best_model_path", "kth_best_model_path", "last_model_path"):
            state[name] = str(here / Path(state[name]).name) if state.get(name) else ""
        state["best_k_models"] = {str(here / Path(path).name): v for path, v in state["best_k_models"].items()}
    if moved:
        with written(run.last, "resume") as partial:
            torch.save(checkpoint, partial)


def check_resume(run: RunFolder) -> None:
    """Refuse a folder whose training could not go on, before anything is read or encoded."""
    if not run.last.is_file():
        return
    states = load_checkpoint(run.last)["callbacks"].values()
    if any(Path(state.get("best_model_path", "")).name == run.best.name for state in states):
        load_checkpoint(run.best)
