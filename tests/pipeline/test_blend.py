from dataclasses import replace

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from graftrec.data.dataset import Dataset
from graftrec.pipeline.blend import chosen_weight
from graftrec.recommend.blend import METHODS, blend, blends
from graftrec.recommend.evaluation import RankingProtocol, evaluate, evaluate_in_turn
from graftrec.scoring import FactorScorer
from tests.small_data import small_dataset

CONFIG = OmegaConf.create({"method": "weighted", "metric": "ndcg", "tuning_users": None})
WEIGHTS = [0.0, 0.25, 0.5, 0.75, 1.0]


def finds(dataset: Dataset, part: str) -> FactorScorer:
    """Scores 1 for each pair of a part, 0 for all others."""
    return FactorScorer(torch.from_numpy(getattr(dataset, part).matrix.toarray()).float(), torch.eye(dataset.num_items))


def weight_of(dataset: Dataset, members: tuple[FactorScorer, FactorScorer]) -> float:
    validation = RankingProtocol(k=(1,)).validation(dataset)
    return chosen_weight(members, WEIGHTS, validation, CONFIG)


def test_the_weight_is_chosen_on_validation_alone() -> None:
    dataset = small_dataset([["t", "v", "e", ""], ["e", "t", "v", ""], ["v", "e", "t", ""]])
    other_test = small_dataset([["t", "v", "", "e"], ["", "t", "v", "e"], ["v", "", "t", "e"]])
    members = (finds(dataset, "test"), finds(dataset, "valid"))
    assert weight_of(dataset, members) == 0.0
    assert weight_of(dataset, members[::-1]) == 0.75  # the first of those that find every validation item
    assert [weight_of(other_test, members), weight_of(other_test, members[::-1])] == [0.0, 0.75]


def test_of_a_metric_that_is_better_lower_the_lowest_decides() -> None:
    dataset = small_dataset([["t", "v", "e", ""], ["t", "", "v", "e"], ["t", "v", "", "e"]])
    alike = FactorScorer(torch.ones(3, 1), torch.tensor([[0.0], [1.0], [2.0], [3.0]]))  # one item for all users
    apart = FactorScorer(torch.eye(3), torch.tensor([[0.0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]]))
    validation = RankingProtocol(k=(1,)).validation(dataset)
    by_gini = OmegaConf.create({**CONFIG, "metric": "gini"})
    assert chosen_weight((alike, apart), [1.0, 0.0], validation, by_gini) == 0.0


class Counting:
    """Drawn scores [U, I], and how often each user was scored."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.table = torch.rand(dataset.num_users, dataset.num_items, generator=generator)
        self.times = torch.zeros(dataset.num_users, dtype=torch.int64)

    def scores(self, users: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        self.times[users] += 1
        return torch.index_select(self.table, 0, users, out=out)


@pytest.mark.parametrize("method", METHODS)
def test_all_weights_are_judged_from_one_scoring_as_each_alone(method: str, synthetic: Dataset) -> None:
    validation = RankingProtocol(k=(5, 10), block_size=50).validation(synthetic)
    members = (Counting(synthetic, 0), Counting(synthetic, 1))
    results = evaluate_in_turn(blends(members, WEIGHTS, method, validation.seen), validation)
    judged = torch.zeros_like(members[0].times)
    judged[torch.cat(validation.blocks())] = 1
    assert all(torch.equal(member.times, judged) for member in members)
    for weight, result in zip(WEIGHTS, results, strict=True):
        alone = evaluate(blend(members, weight, method, validation.seen), validation)
        assert result.values == alone.values
        assert result.per_user.equals(alone.per_user)


def test_cold_items_of_all_weights_are_judged_from_one_scoring_too() -> None:
    dataset = small_dataset([list(".v.et"), list(".tvte"), list("v.t.t")])  # nobody trains on the first item
    validation = RankingProtocol(k=(1, 2)).validation(dataset)
    validation = replace(validation, cold=np.array([True, False, False, False, False]))
    members = (Counting(dataset, 0), Counting(dataset, 1))
    results = evaluate_in_turn(blends(members, WEIGHTS, "weighted", validation.seen), validation)
    assert members[0].times.tolist() == [1, 1, 1]
    for weight, result in zip(WEIGHTS, results, strict=True):
        assert result.values == evaluate(blend(members, weight, "weighted", validation.seen), validation).values
