"""The weighted sum of terms."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from graftrec.errors import InputError
from graftrec.graph.views import NodeMask
from graftrec.objectives.bpr import BPR
from graftrec.objectives.contrast import SGL, SimGCL
from graftrec.objectives.l2 import L2
from graftrec.objectives.objective import Objective
from graftrec.objectives.softmax import SampledSoftmax
from graftrec.objectives.step import Step
from tests.objectives.steps import random_step

TERMS = {"bpr": BPR(), "softmax": SampledSoftmax(), "l2": L2()}
WEIGHTS = {"bpr": 1.0, "softmax": 0.5, "l2": 0.01}
STEP = random_step(seed=2)
each_term = pytest.mark.parametrize("name", TERMS)


def must_not_run(step: Step) -> Tensor:
    """A term that betrays its evaluation."""
    raise AssertionError("computed")


def test_loss_by_hand() -> None:
    loss, _ = Objective(TERMS, WEIGHTS)(STEP)
    expected = BPR()(STEP) + 0.5 * SampledSoftmax()(STEP) + 0.01 * L2()(STEP)
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=0)


@each_term
def test_each_weight_changes_the_loss_by_exactly_its_term(name: str) -> None:
    before, _ = Objective(TERMS, WEIGHTS)(STEP)
    after, _ = Objective(TERMS, {**WEIGHTS, name: WEIGHTS[name] + 3})(STEP)
    torch.testing.assert_close(after - before, 3 * TERMS[name](STEP), rtol=1e-12, atol=1e-12)


@each_term
def test_terms_are_reported_before_their_weight(name: str) -> None:
    _, values = Objective(TERMS, WEIGHTS)(STEP)
    assert values[name].item() == TERMS[name](STEP).item()


def test_a_term_of_weight_zero_is_not_computed() -> None:
    loss, values = Objective({"bpr": BPR(), "other": must_not_run}, {"bpr": 1.0, "other": 0.0})(STEP)
    assert loss.item() == BPR()(STEP).item()
    assert set(values) == {"bpr"}


def test_views_change_the_shared_pass_in_their_order() -> None:
    views = {
        "double": lambda start: replace(start, x0=2 * start.x0),
        "add": lambda start: replace(start, x0=start.x0 + 1),
    }
    start = Objective(TERMS, WEIGHTS, views).view(STEP.start)
    torch.testing.assert_close(start.x0, 2 * STEP.start.x0 + 1)
    assert Objective(TERMS, WEIGHTS).view(STEP.start) is STEP.start


def test_a_trained_view_is_trained_and_saved_with_the_objective() -> None:
    mask = NodeMask(dim=3)
    objective = Objective(TERMS, WEIGHTS, {"mask": mask})
    assert [id(weight) for weight in objective.parameters()] == [id(mask.token)]
    assert list(objective.state_dict()) == ["trained_views.mask.token"]


def test_passes_and_graphs_count_the_terms_that_play_a_part() -> None:
    terms = {"bpr": BPR(), "sgl": SGL(), "simgcl": SimGCL()}
    both = Objective(terms, {"bpr": 1.0, "sgl": 0.1, "simgcl": 0.1})
    assert (both.passes, both.graphs) == (5, 3)
    alone = Objective(terms, {"bpr": 1.0, "sgl": 0.0, "simgcl": 0.1})
    assert (alone.passes, alone.graphs) == (3, 1)


@pytest.mark.parametrize("weights", [{"bpr": 1.0}, {"bpr": 1.0, "l2": 1.0, "softmax": 1.0, "extra": 0.0}])
def test_names_that_do_not_match_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"objective.terms \['bpr', 'l2', 'softmax'\] and objective.weights"):
        Objective(TERMS, weights)


def test_weights_that_are_all_zero_are_refused() -> None:
    with pytest.raises(InputError, match=r"objective.weights are all 0; give one term a weight"):
        Objective({"bpr": BPR()}, {"bpr": 0.0})(STEP)
