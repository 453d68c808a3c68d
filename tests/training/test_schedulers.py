from functools import partial

import pytest
import torch

from graftrec.training.schedulers import constant, linear_decay


def rates(scheduler: partial[torch.optim.lr_scheduler.LRScheduler], steps: int) -> list[float]:
    """Learning rates before each of ``steps`` steps of an optimizer that starts at 2."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    schedule, found = scheduler(optimizer), []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_linear_decay_falls_to_zero_in_a_straight_line_and_stays() -> None:
    assert rates(partial(linear_decay, total_steps=4), 6) == pytest.approx([2.0, 1.5, 1.0, 0.5, 0.0, 0.0])


def test_linear_decay_to_a_share_of_the_first_rate() -> None:
    expected = [2.0, 1.55, 1.1, 0.65, 0.2, 0.2]
    assert rates(partial(linear_decay, total_steps=4, final=0.1), 6) == pytest.approx(expected)


def test_linear_decay_over_no_step_starts_at_the_first_rate() -> None:
    assert rates(partial(linear_decay, total_steps=0), 1) == [2.0]


def test_constant_keeps_the_rate() -> None:
    assert rates(partial(constant, total_steps=2), 4) == [2.0] * 4
