"""Loggers: csv always, W&B and TensorBoard by choice; told the results, and closed in every case."""

from graftrec.pipeline.tracking.base import RunInfo, Tracker, Tracking, tracked
from graftrec.pipeline.tracking.report import Report
from graftrec.pipeline.tracking.tensorboard import TensorBoard
from graftrec.pipeline.tracking.wandb_run import Wandb, tracked_by_wandb

__all__ = ["Report", "RunInfo", "TensorBoard", "Tracker", "Tracking", "Wandb", "tracked", "tracked_by_wandb"]
