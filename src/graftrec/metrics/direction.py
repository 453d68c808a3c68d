"""Which of two values of a metric, or of a cost, is the better one."""

from collections.abc import Sequence
from typing import Final

import numpy as np

COSTS: Final = ("train_seconds", "epoch_seconds", "peak_gib", "parameters", "latency_ms")  # of a run
LOWER_IS_BETTER: Final = (*COSTS, "gini", "popularity", "loss", "log_loss", "calibration_error")


def is_lower_better(name: str) -> bool:
    """Whether the smaller value of a metric or cost, such as valid/gini@20, wins."""
    return name.split("/")[-1].split("@")[0] in LOWER_IS_BETTER


def best(values: Sequence[float], name: str) -> int:
    """The place of the best of ``values`` of a metric, the first of equals."""
    return int(np.argmin(values) if is_lower_better(name) else np.argmax(values))
