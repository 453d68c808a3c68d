"""RLMRec's terms against torch's cross-entropy, and what is left out without text."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from graftrec.errors import InputError
from graftrec.features.nodes import NodeFeatures
from graftrec.objectives.objective import Objective
from graftrec.objectives.rlmrec import FeatureAlignment, FeatureReconstruction
from graftrec.objectives.step import Step
from tests.objectives.steps import step_of

GENERATOR = np.random.default_rng(4)
USERS, ITEMS = (torch.from_numpy(GENERATOR.normal(size=(n, 3)).astype(np.float32)) for n in (4, 5))
USER_TEXT, ITEM_TEXT = (GENERATOR.normal(size=(n, 6)).astype(np.float32) for n in (4, 5))
BOTH = NodeFeatures(USER_TEXT, ITEM_TEXT)
STEP = step_of(USERS, ITEMS, batch=[(0, 1), (2, 1), (0, 3)], negatives=[[4], [3], [4]])


def masked(*nodes: int) -> Step:
    """The step after a pass in which ``nodes`` were hidden."""
    return replace(STEP, embeddings=replace(STEP.embeddings, masked=torch.tensor(nodes)))


def cross_entropy(queries: Tensor, keys: Tensor, temperature: float) -> Tensor:
    """Each query against all keys, its own in the same row."""
    logits = F.cosine_similarity(queries[:, None], keys[None], dim=-1) / temperature
    return F.cross_entropy(logits, torch.arange(len(queries)))


def test_alignment_takes_each_user_and_item_of_the_batch_once() -> None:
    term = FeatureAlignment(BOTH, dim=3, temperature=0.4)
    users = cross_entropy(USERS[[0, 2]], term.mlp(torch.from_numpy(USER_TEXT[[0, 2]])), 0.4)
    items = cross_entropy(ITEMS[[1, 3, 4]], term.mlp(torch.from_numpy(ITEM_TEXT[[1, 3, 4]])), 0.4)
    torch.testing.assert_close(term(STEP), users + items)


def test_reconstruction_takes_masked_users_and_items_together() -> None:
    term = FeatureReconstruction(BOTH, dim=3, temperature=0.4)
    made = term.mlp(torch.cat([USERS[[3, 1]], ITEMS[[2]]]))
    expected = cross_entropy(made, torch.from_numpy(np.concatenate([USER_TEXT[[3, 1]], ITEM_TEXT[[2]]])), 0.4)
    torch.testing.assert_close(term(masked(3, 6, 1)), expected)


def test_reconstruction_takes_no_more_nodes_than_asked() -> None:
    whole, part = masked(3, 6, 1), masked(3, 6)
    torch.manual_seed(0)
    limited = FeatureReconstruction(BOTH, dim=3, at_most=2)
    torch.testing.assert_close(limited(whole), limited(part))


@pytest.mark.parametrize("kind", ["user", "item"])
def test_nodes_without_text_are_left_out(kind: str) -> None:
    present = {f"{kind}_present": np.array([True, False, False, True, True][: 4 if kind == "user" else 5])}
    text = {"user": USER_TEXT.copy(), "item": ITEM_TEXT.copy()}
    lacking = ~present[f"{kind}_present"]
    text[kind][lacking] = np.nan
    features = NodeFeatures(**text, **present)
    assert FeatureAlignment(features, dim=3)(STEP).isfinite()
    assert FeatureReconstruction(features, dim=3)(masked(*range(9))).isfinite()


def test_one_kind_alone_may_have_text() -> None:
    term = FeatureAlignment(NodeFeatures(None, ITEM_TEXT), dim=3)
    items = cross_entropy(ITEMS[[1, 3, 4]], term.mlp(torch.from_numpy(ITEM_TEXT[[1, 3, 4]])), 0.2)
    torch.testing.assert_close(term(STEP), items)
    other = FeatureReconstruction(NodeFeatures(None, ITEM_TEXT), dim=3)
    torch.testing.assert_close(other(masked(0, 1, 6, 8)), other(masked(6, 8)))
    assert other(masked(0, 1)).item() == 0


@pytest.mark.parametrize("make", [FeatureAlignment, FeatureReconstruction])
def test_gradients_reach_nodes_and_weights_and_text_is_frozen(make: type) -> None:
    term = make(BOTH, dim=3)
    nodes = STEP.embeddings.nodes.clone().requires_grad_()
    term(replace(STEP, embeddings=replace(masked(0, 6).embeddings, make=lambda: [nodes]))).backward()
    reached = (nodes.grad != 0).any(dim=1).nonzero().flatten().tolist()
    assert reached == ([0, 6] if make is FeatureReconstruction else [0, 2, 5, 7, 8])
    assert all((weight.grad != 0).any() for weight in term.parameters())
    assert {name for name, _ in term.named_parameters()} == {"mlp.0.weight", "mlp.0.bias", "mlp.2.weight", "mlp.2.bias"}
    assert set(term.state_dict()) == {name for name, _ in term.named_parameters()}


def test_an_objective_trains_and_saves_the_weights_of_its_terms() -> None:
    term = FeatureAlignment(BOTH, dim=3)
    objective = Objective({"rlmrec": term}, {"rlmrec": 0.5})
    assert [id(weight) for weight in objective.parameters()] == [id(weight) for weight in term.parameters()]
    assert "trained_terms.rlmrec.mlp.0.weight" in objective.state_dict()
    assert list(Objective({"rlmrec": term}, {"rlmrec": 0.0}).parameters()) == []


@pytest.mark.parametrize("make", [FeatureAlignment, FeatureReconstruction])
def test_bad_input_is_refused(make: type) -> None:
    with pytest.raises(InputError, match=r"reads text vectors of one width, but those of users and items have none"):
        make(NodeFeatures(), dim=3)
    with pytest.raises(InputError, match=r"have {'users': 6, 'items': 2}; choose features=minilm"):
        make(NodeFeatures(USER_TEXT, ITEM_TEXT[:, :2]), dim=3)
    with pytest.raises(InputError, match=r"rlmrec.temperature=0 must be > 0"):
        make(BOTH, dim=3, temperature=0)


def test_reconstruction_needs_masked_nodes() -> None:
    with pytest.raises(InputError, match=r"objective.views must hold graftrec.graph.views.NodeMask"):
        FeatureReconstruction(BOTH, dim=3)(STEP)
