"""Sampled softmax on three rows and against loops."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graftrec.data.sampling import UniformUsers
from graftrec.errors import InputError
from graftrec.objectives.softmax import SampledSoftmax, positive_columns
from graftrec.objectives.step import Step
from tests.objectives.steps import positives_of, random_step, step_of

# exp(score) is 1, 2, 3, 4 for items 0..3, for every user. User 0 also has item 1 in training.
USERS, ITEMS = torch.ones(3, 1), torch.tensor([[1.0], [2.0], [3.0], [4.0]]).log()
BATCH, TRAIN = [(0, 0), (1, 1), (2, 2)], [(0, 1)]
DOT: dict[str, Any] = {"temperature": 1.0, "similarity": "dot"}


def three_rows(shared: tuple[int, ...] = ()) -> Step:
    """Three users, each with its own item."""
    return step_of(USERS, ITEMS, BATCH, shared=shared, train=TRAIN)


def mean_log(*ratios: float) -> float:
    """Mean of -ln(probability) for probabilities 1 / ratio."""
    return math.log(math.prod(ratios)) / len(ratios)


@pytest.mark.parametrize(
    ("changes", "shared", "ratios"),
    [
        pytest.param({}, (), [4 / 1, 6 / 2, 6 / 3], id="in batch"),
        pytest.param({"mask_positives": False}, (), [6 / 1, 6 / 2, 6 / 3], id="in batch, positives kept"),
        pytest.param({"in_batch": False}, (3,), [5 / 1, 6 / 2, 7 / 3], id="shared"),
        pytest.param({"in_batch": False}, (3, 1, 3), [9 / 1, 10 / 2, 13 / 3], id="shared, repeated"),
        pytest.param({}, (3,), [8 / 1, 10 / 2, 10 / 3], id="both"),
        pytest.param({}, (3, 1), [8 / 1, 10 / 2, 12 / 3], id="both, a shared positive"),
        pytest.param({"mask_positives": False}, (3, 1), [12 / 1, 10 / 2, 12 / 3], id="both, positives kept"),
        # item 1 has two users: its in-batch value 2 becomes 1
        pytest.param({"log_q": 1.0}, (), [4 / 1, 5 / 1, 5 / 3], id="log_q"),
        pytest.param({"log_q": 2.0}, (), [4 / 1, 4.5 / 0.5, 4.5 / 3], id="log_q twice"),
        pytest.param({"log_q": 1.0}, (3, 1), [8 / 1, 9 / 1, 11 / 3], id="log_q leaves shared ones"),
        pytest.param({"temperature": 0.5}, (), [10 / 1, 14 / 4, 14 / 9], id="temperature"),
    ],
)
def test_three_rows_by_hand(changes: dict[str, Any], shared: tuple[int, ...], ratios: list[float]) -> None:
    loss = SampledSoftmax(**{**DOT, "in_batch": True, **changes})(three_rows(shared))
    assert loss.item() == pytest.approx(mean_log(*ratios), rel=1e-5)


def test_log_q_follows_how_often_an_epoch_shows_an_item_by_hand() -> None:
    positives = positives_of([*BATCH, *TRAIN], 3, 4, UniformUsers())
    loss = SampledSoftmax(**DOT, in_batch=True, log_q=1.0)(replace(three_rows(), positives=positives))
    # Four pairs for three users: items 0 to 2 are shown 2/3, 2/3 + 4/3 and 4/3 times; 1, 2, 3 become 1.5, 1, 2.25.
    assert loss.item() == pytest.approx(mean_log(3.75 / 1.5, 4.75 / 1, 4.75 / 2.25), rel=1e-5)


def test_log_q_without_candidates_of_the_batch_is_refused() -> None:
    with pytest.raises(InputError, match=r"log_q=0.5 corrects candidates of the batch, and in_batch=false has none"):
        SampledSoftmax(in_batch=False, log_q=0.5)


def test_cosine_by_hand() -> None:
    items = torch.tensor([[3.0, 0.0], [0.0, 5.0], [-1.0, 0.0]])
    step = step_of(torch.tensor([[2.0, 0.0]]), items, batch=[(0, 0)], shared=[1, 2])
    loss = SampledSoftmax(temperature=0.5, similarity="cosine", in_batch=True)(step)
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1 / 0.5) + math.exp(-2 / 0.5)), rel=1e-5)


def naive(step: Step, term: SampledSoftmax) -> float:
    """The loss, one candidate at a time."""
    batch, degree = step.batch, step.positives.item_degree.tolist()
    users, items = (rows.numpy() for rows in step.space.split(step.embeddings.nodes))
    train = set(zip(step.positives.users.tolist(), step.positives.items.tolist(), strict=True))

    def logit(user: int, item: int, from_batch: bool) -> float:
        score = float(users[user] @ items[item])
        if term.similarity == "cosine":
            score /= float(np.linalg.norm(users[user]) * np.linalg.norm(items[item]))
        return score / term.temperature - (term.log_q * math.log(max(degree[item], 1)) if from_batch else 0)

    losses = []
    for user, item in zip(batch.users.tolist(), batch.items.tolist(), strict=True):
        candidates = [(other, True) for other in batch.items.tolist()] if term.in_batch else []
        candidates += [(other, False) for other in batch.shared.tolist()]
        wanted = [c for c in candidates if c[0] != item and not (term.mask_positives and (user, c[0]) in train)]
        positive = logit(user, item, term.in_batch)
        total = math.exp(positive) + sum(math.exp(logit(user, *candidate)) for candidate in wanted)
        losses.append(math.log(total) - positive)
    return sum(losses) / len(losses)


@given(
    seed=st.integers(0, 10_000),
    num_shared=st.integers(0, 6),
    temperature=st.sampled_from([0.2, 1.0]),
    similarity=st.sampled_from(["cosine", "dot"]),
    in_batch=st.booleans(),
    log_q=st.sampled_from([0.0, 0.5, 1.0]),
    mask_positives=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_equals_a_loop_over_candidates(
    seed: int, num_shared: int, in_batch: bool, log_q: float, **options: Any
) -> None:
    step = random_step(seed, num_shared=num_shared + (not in_batch))
    term = SampledSoftmax(in_batch=in_batch, log_q=log_q * in_batch, **options)
    assert term(step).item() == pytest.approx(naive(step, term), rel=1e-6, abs=1e-6)  # ln(degree) is a float32


@pytest.mark.parametrize("mask_positives", [True, False])
def test_a_row_without_negatives_costs_nothing(mask_positives: bool) -> None:
    users = torch.tensor([[0.5]], requires_grad=True)
    step = step_of(users, ITEMS, batch=[(0, 2)])
    loss = SampledSoftmax(**DOT, in_batch=True, mask_positives=mask_positives)(step)
    loss.backward()
    assert (loss.item(), users.grad.tolist()) == (0, [[0]])  # type: ignore[union-attr]


def test_hidden_candidates_get_no_gradient() -> None:
    items = ITEMS.clone().requires_grad_()
    step = step_of(USERS[:1], items, batch=[(0, 0)], shared=[1, 3], train=TRAIN)
    SampledSoftmax(**DOT, in_batch=True)(step).backward()
    assert items.grad is not None
    torch.testing.assert_close(items.grad.flatten(), torch.tensor([-4 / 5, 0, 0, 4 / 5]))  # p = 1 / (1 + 4)


@pytest.mark.parametrize("similarity", ["cosine", "dot"])
def test_gradient_agrees_with_finite_differences(similarity: str) -> None:
    drawn = random_step(seed=11)
    batch = list(zip(drawn.batch.users.tolist(), drawn.batch.items.tolist(), strict=True))
    term = SampledSoftmax(temperature=0.5, similarity=similarity, in_batch=True, log_q=0.5)
    tables = [rows.clone().requires_grad_() for rows in drawn.space.split(drawn.embeddings.nodes)]
    assert torch.autograd.gradcheck(lambda u, i: term(step_of(u, i, batch, shared=drawn.batch.shared.tolist())), tables)


@pytest.mark.parametrize("buffer", [1, 7, 10**6])
def test_blocks_of_rows_change_nothing(buffer: int, monkeypatch: pytest.MonkeyPatch) -> None:
    step, term = random_step(seed=5), SampledSoftmax(in_batch=True, log_q=0.5)
    expected = term(step).item()
    monkeypatch.setattr("graftrec.objectives.cross_entropy.BUFFER", buffer)
    monkeypatch.setattr("graftrec.objectives.cross_entropy.ROWS", 1)
    assert term(step).item() == pytest.approx(expected, rel=1e-12)


def test_no_candidates_are_refused() -> None:
    with pytest.raises(InputError, match=r"set negatives.shared > 0 or softmax.in_batch=true"):
        SampledSoftmax(in_batch=False)(three_rows())


def test_temperature_must_be_positive() -> None:
    with pytest.raises(InputError, match=r"softmax.temperature=0 must be > 0"):
        SampledSoftmax(temperature=0)


def test_unknown_similarity_is_refused() -> None:
    with pytest.raises(InputError, match=r"softmax.similarity='l2' is unknown; choose one of cosine, dot"):
        SampledSoftmax(similarity="l2")


PAIRS = st.sets(st.tuples(st.integers(0, 4), st.integers(0, 5)), min_size=1)


@given(pairs=PAIRS, users=st.lists(st.integers(0, 4), max_size=6), candidates=st.lists(st.integers(0, 5), max_size=8))
@example(pairs={(0, 0)}, users=[1], candidates=[0])
@example(pairs={(0, 0), (0, 5), (1, 5)}, users=[1, 0, 0], candidates=[5, 2, 5, 0])
@settings(max_examples=100, deadline=None)
def test_positive_columns_equal_the_membership_grid(
    pairs: set[tuple[int, int]], users: list[int], candidates: list[int]
) -> None:
    positives = positives_of(sorted(pairs), num_users=5, num_items=6)
    rows, columns = positive_columns(
        positives, torch.tensor(users, dtype=torch.long), torch.tensor(candidates, dtype=torch.long)
    )
    grid = [
        (row, column)
        for row, user in enumerate(users)
        for column, item in enumerate(candidates)
        if (user, item) in pairs
    ]
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == grid
