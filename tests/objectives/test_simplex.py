"""The cosine contrastive loss by hand and against a loop."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graftrec.errors import InputError
from graftrec.objectives.simplex import CosineContrastive
from tests.objectives.steps import random_step, step_of

# Cosines of user 0 with the items: 1, 0.6, -1 and 0.8; of user 1: 0, 0.8, 0, 0.6.
USERS = torch.tensor([[2.0, 0.0], [0.0, 0.5]])
ITEMS = torch.tensor([[3.0, 0.0], [0.6, 0.8], [-1.0, 0.0], [8.0, 6.0]])


@pytest.mark.parametrize(
    ("shared", "train", "excess"),
    [
        pytest.param([2, 1], [], [0.1 / 2, 0.3 / 2], id="below the margin counts as 0"),
        pytest.param([1, 1], [], [0.1, 0.3], id="repeated"),
        pytest.param([1, 2], [(1, 1)], [0.1 / 2, 0.0], id="a positive is left out"),
        pytest.param([0, 3], [], [0.3, 0.0], id="the pairs' own items are left out"),
        pytest.param([0], [(1, 0)], [0.0, 0.0], id="none is left"),
    ],
)
def test_two_rows_by_hand(shared: list[int], train: list[tuple[int, int]], excess: list[float]) -> None:
    step = step_of(USERS, ITEMS, batch=[(0, 0), (1, 3)], shared=shared, train=train)
    expected = ((1 - 1.0) + 10 * excess[0] + (1 - 0.6) + 10 * excess[1]) / 2
    assert CosineContrastive(margin=0.5, negative_weight=10)(step).item() == pytest.approx(expected, rel=1e-5)


@given(seed=st.integers(0, 10_000))
def test_equals_a_loop(seed: int) -> None:
    step, term = random_step(seed), CosineContrastive(margin=-0.2, negative_weight=3)
    users, items = step.space.split(step.embeddings.nodes)
    train = set(zip(step.positives.users.tolist(), step.positives.items.tolist(), strict=True))

    def cosine(user: int, item: int) -> float:
        return float(torch.cosine_similarity(users[user], items[item], dim=0))

    losses = []
    for user, item in zip(step.batch.users.tolist(), step.batch.items.tolist(), strict=True):
        excess = [max(0, cosine(user, j) + 0.2) for j in step.batch.shared.tolist() if (user, j) not in train]
        losses.append(1 - cosine(user, item) + 3 * sum(excess) / max(len(excess), 1))
    assert term(step).item() == pytest.approx(sum(losses) / len(losses), rel=1e-9)


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InputError, match=r"simplex.margin=1.5 must lie in \[-1, 1\]"):
        CosineContrastive(margin=1.5)
    with pytest.raises(InputError, match=r"simplex has no negatives: set negatives.shared > 0"):
        CosineContrastive()(step_of(USERS, ITEMS, batch=[(0, 0)]))
