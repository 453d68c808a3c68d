"""Answers for pairs, and how they are judged."""

import numpy as np
import pytest
import torch

from graftrec.data.dataset import Dataset
from graftrec.data.pairs import LabelledPairs
from graftrec.errors import InputError
from graftrec.nn.heads import DotHead
from graftrec.recommend.interest import InterestTask, PairScorer, judge

USERS = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
ITEMS = torch.tensor([[2.0, -1.0], [0.0, 3.0], [1.0, 1.0]])
PAIRS = LabelledPairs(np.array([0, 1, 0, 1]), np.array([0, 1, 1, 2]), np.array([1, 1, 0, 0]))


def scorer() -> PairScorer:
    """Inner products."""
    return PairScorer(DotHead(), USERS, ITEMS)


def test_logits_and_scores_by_hand() -> None:
    assert scorer().logits(PAIRS).tolist() == [2, 3, 0, 1]
    assert scorer().scores(torch.tensor([1, 0])).tolist() == [[-1, 3, 1], [2, 0, 1]]


def test_thresholds_come_from_validation() -> None:
    swapped = LabelledPairs(PAIRS.user, PAIRS.item, 1 - PAIRS.label)
    validation = InterestTask({"uniform": PAIRS}, torch.tensor([5, 1, 1]), 2)
    test = InterestTask({"uniform": swapped}, torch.tensor([5, 1, 1]), 3)
    values = judge(scorer(), validation, test)["test"].values
    assert values["uniform/threshold"] == pytest.approx(torch.tensor(2.0).sigmoid().item())
    assert (values["uniform/f1"], values["uniform/roc_auc"], values["uniform/left_out"]) == (0, 0, 1)
    assert values["uniform/popularity_roc_auc"] == 0.25  # of 1, 1 against 5, 1


def test_sampled_parts_hold_both_kinds(synthetic: Dataset) -> None:
    task = InterestTask.sample(synthetic, "valid", 0)
    assert task.blocks() == ["uniform", "popularity_matched"]
    assert all((pairs.label == 1).sum() == task.num_held_out == len(synthetic.valid) for pairs in task.pairs.values())


def test_vectors_of_a_diverged_model_are_refused() -> None:
    with pytest.raises(InputError, match="training diverged"):
        PairScorer(DotHead(), USERS * torch.nan, ITEMS)
