"""Learning-rate schedules in steps of a known total."""

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def constant(optimizer: Optimizer, total_steps: int) -> LambdaLR:
    """The optimizer's rate throughout."""
    return LambdaLR(optimizer, lambda step: 1.0)


def linear_decay(optimizer: Optimizer, total_steps: int, final: float = 0.0) -> LambdaLR:
    """From the optimizer's rate down to ``final`` times it at ``total_steps``, in a straight line."""
    return LambdaLR(optimizer, lambda step: 1 - (1 - final) * min(step / max(total_steps, 1), 1.0))
