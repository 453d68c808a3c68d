"""Contrastive terms by hand and against torch's cross-entropy over the views they name."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.errors import InputError
from graftrec.graph.views import EpochDrop, Noise
from graftrec.nn.recommender import Embeddings
from graftrec.objectives.contrast import SGL, Contrast, SimGCL, XSimGCL
from graftrec.objectives.step import Step
from tests.objectives.steps import mean_of_layers, random_step, step_of

against_whom = pytest.mark.parametrize("against", ["batch", "all"])


def reference(step: Step, first: Tensor, second: Tensor, temperature: float, against: str) -> float:
    """Cross-entropy of users plus cross-entropy of items, one node at a time."""
    total, num_users = 0.0, step.space.num_users
    kinds = (set(step.batch.users.tolist()), {num_users + item for item in step.batch.items.tolist()})
    every = (range(num_users), range(num_users, len(first)))
    for nodes, of_kind in zip(kinds, every, strict=True):
        others = sorted(nodes) if against == "batch" else list(of_kind)
        losses = []
        for node in nodes:
            logits = F.cosine_similarity(first[node], second[others]) / temperature
            losses.append(float(logits.logsumexp(0) - logits[others.index(node)]))
        total += sum(losses) / len(losses)
    return total


class Given(Contrast):
    """Two views that are written down."""

    def nodes(self, step: Step) -> tuple[Tensor, Tensor]:
        return VIEWS


# Users at 0 and 90 degrees, items at 0, 90, 180; seen from the other side users at 90 and 0, items where they were.
VIEWS = (
    torch.tensor([[1.0, 0], [0, 1], [1, 0], [0, 1], [-1, 0]]),
    torch.tensor([[0.0, 1], [1, 0], [3, 0], [0, 2], [-1, 0]]),
)


@pytest.mark.parametrize(
    ("against", "batch", "users", "items"),
    [
        ("batch", [(0, 0), (1, 1), (0, 1)], math.log(1 + math.exp(1)), math.log(1 + math.exp(-1))),
        ("batch", [(0, 0), (0, 0)], 0.0, 0.0),
        (
            "all",
            [(0, 0)],
            math.log(1 + math.exp(1)),
            math.log(1 + math.exp(-1) + math.exp(-2)),
        ),
    ],
)
def test_by_hand(against: str, batch: list[tuple[int, int]], users: float, items: float) -> None:
    step = step_of(torch.ones(2, 2), torch.ones(3, 2), batch=batch)
    assert Given(temperature=1.0, against=against)(step).item() == pytest.approx(users + items, rel=1e-6)


def test_a_repeated_node_counts_once_or_once_a_pair() -> None:
    step = step_of(torch.ones(2, 2), torch.ones(3, 2), batch=[(0, 0), (0, 0), (0, 1)])
    users = math.log(1 + math.exp(1))
    first, second = math.log(1 + math.exp(-1) + math.exp(-2)), math.log(1 + 2 * math.exp(-1))
    once, pairs = (Given(temperature=1.0, against="all", repeats=repeats)(step).item() for repeats in (False, True))
    assert once == pytest.approx(users + (first + second) / 2, rel=1e-6)
    assert pairs == pytest.approx(users + (2 * first + second) / 3, rel=1e-6)


@pytest.mark.parametrize("repeats", [False, True])
def test_items_that_a_split_holds_out_are_in_no_denominator(repeats: bool) -> None:
    step = step_of(torch.ones(2, 2), torch.ones(3, 2), batch=[(0, 2), (0, 2)])
    step.positives.drawable = torch.tensor([0, 2])  # item 1 is held out
    users, items = math.log(1 + math.exp(1)), math.log(1 + math.exp(-2))  # item 2 points away from item 0
    loss = Given(temperature=1.0, against="all", repeats=repeats)(step)
    assert loss.item() == pytest.approx(users + items, rel=1e-6)


def test_repeats_need_all_nodes_as_negatives() -> None:
    with pytest.raises(InputError, match="repeats=true needs against=all"):
        Given(repeats=True)


@against_whom
@pytest.mark.parametrize("drop", ["edge", "node"])
def test_sgl_contrasts_two_thinner_graphs(drop: str, against: str) -> None:
    step = random_step(seed=11)
    views = [step.encode(EpochDrop(drop, 0.3, number)(step.start)).nodes for number in (1, 2)]
    term = SGL(drop=drop, rate=0.3, temperature=0.4, against=against)
    assert term(step).item() == pytest.approx(reference(step, *views, 0.4, against), rel=1e-6)
    assert not torch.equal(*views)


@against_whom
def test_simgcl_contrasts_two_noisy_passes(against: str) -> None:
    step = random_step(seed=11)
    torch.manual_seed(5)
    views = [step.encode(Noise(0.4)(step.start)).nodes for _ in range(2)]
    torch.manual_seed(5)
    loss = SimGCL(epsilon=0.4, temperature=0.3, against=against)(step)
    assert loss.item() == pytest.approx(reference(step, *views, 0.3, against), rel=1e-6)
    assert not torch.equal(*views)


@against_whom
@pytest.mark.parametrize("layer", [0, 2])
def test_xsimgcl_contrasts_the_result_with_a_layer_of_the_same_pass(layer: int, against: str) -> None:
    step = random_step(seed=11)
    shared = step.view(Noise(0.4))
    loss = XSimGCL(layer=layer, temperature=0.3, against=against)(replace(step, embeddings=shared))
    assert loss.item() == pytest.approx(reference(step, shared.nodes, shared.layers[layer], 0.3, against), rel=1e-6)


def test_layers_in_the_lower_precision_of_the_propagation() -> None:
    step = random_step(seed=11)
    nodes = step.embeddings.nodes.float()
    low = replace(step, embeddings=Embeddings(nodes, lambda: [nodes, nodes.bfloat16()], mean_of_layers))
    assert XSimGCL(layer=1)(low).dtype == torch.float32


@pytest.mark.parametrize("layer", [-1, 3])
def test_a_layer_that_is_not_there_is_refused(layer: int) -> None:
    step = random_step(seed=11)
    with pytest.raises(InputError, match=rf"xsimgcl.layer={layer}, but the encoder's layers are 0 to 2"):
        XSimGCL(layer=layer)(replace(step, embeddings=step.encode(step.start)))


def test_bad_settings_are_refused() -> None:
    with pytest.raises(InputError, match=r"temperature=0 of a contrast must be > 0"):
        SimGCL(temperature=0)
    with pytest.raises(InputError, match=r"against='none' is unknown; choose one of batch, all"):
        SGL(against="none")
    with pytest.raises(InputError, match=r"drop='walk' is unknown; choose one of edge, node"):
        SGL(drop="walk")
