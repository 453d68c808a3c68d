import numpy as np
import torch

from graftrec.baselines.base import TrainingData
from graftrec.baselines.popularity import Popularity, SameForAll
from graftrec.data.dataset import Dataset
from graftrec.recommend.top_k import top_k
from tests.small_data import from_matrix

CELLS = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]])


def fitted(cells: np.ndarray) -> SameForAll:
    return Popularity().fit(TrainingData(from_matrix(cells)))


def test_score_is_the_number_of_training_users() -> None:
    scores = fitted(CELLS).scores(torch.tensor([0, 2]))
    assert scores.tolist() == [[1, 1, 3, 2, 0]] * 2


def test_items_of_equal_count_are_ranked_by_number() -> None:
    scores = fitted(CELLS).scores(torch.tensor([0]))
    assert top_k(scores, 5).tolist() == [[2, 3, 0, 1, 4]]


def test_held_out_pairs_are_not_counted(synthetic: Dataset) -> None:
    scores = Popularity().fit(TrainingData(synthetic.train)).scores(torch.tensor([0]))[0]
    assert scores.tolist() == np.bincount(synthetic.train.item, minlength=synthetic.num_items).tolist()


def test_scores_are_written_in_place() -> None:
    out = torch.zeros(1, 5)
    returned = fitted(CELLS).scores(torch.tensor([1]), out=out)
    assert (returned.data_ptr(), out.tolist()) == (out.data_ptr(), [[1, 1, 3, 2, 0]])


def test_masking_one_block_leaves_the_next_as_it_was() -> None:
    popularity = fitted(CELLS)
    popularity.scores(torch.tensor([0]))[0] = -torch.inf
    assert popularity.scores(torch.tensor([0])).tolist() == [[1, 1, 3, 2, 0]]
