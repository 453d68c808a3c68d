import torch
from omegaconf import OmegaConf

from graftrec.data.dataset import Dataset
from graftrec.pipeline.blend import chosen_weight
from graftrec.recommend.evaluation import RankingProtocol
from graftrec.recommend.scoring import FactorScorer
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
