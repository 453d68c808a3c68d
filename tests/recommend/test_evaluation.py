import numpy as np
import pytest
import torch

from graftrec.data.dataset import Dataset
from graftrec.errors import InputError
from graftrec.recommend.evaluation import RankingProtocol, evaluate
from graftrec.recommend.lists import recommend
from graftrec.recommend.scoring import FactorScorer
from tests.small_data import small_dataset

SMALL = small_dataset([list("tve.."), list("..tev"), list("t....")])  # the third user has nothing held out
DESCENDING = FactorScorer(torch.ones(3, 1), torch.tensor([[5.0], [4.0], [3.0], [2.0], [1.0]]))


@pytest.fixture(scope="module")
def tied_scorer(synthetic: Dataset) -> FactorScorer:
    """Small whole numbers: exact in any order of summation, and full of ties."""
    generator = torch.Generator().manual_seed(0)
    users, items = (
        torch.randint(-1, 2, (size, 3), generator=generator).float()
        for size in (synthetic.num_users, synthetic.num_items)
    )
    return FactorScorer(users, items)


@pytest.mark.parametrize("block_size", [1, 7, 59])
def test_values_do_not_depend_on_the_block_size(block_size: int, synthetic: Dataset, tied_scorer: FactorScorer) -> None:
    whole, blocks = (RankingProtocol(block_size=size).test(synthetic) for size in (256, block_size))
    assert evaluate(tied_scorer, blocks).values == evaluate(tied_scorer, whole).values


@pytest.mark.parametrize("mask", ["train", "train_and_valid"])
def test_seen_items_are_never_recommended(mask: str, synthetic: Dataset, tied_scorer: FactorScorer) -> None:
    users, seen = torch.arange(synthetic.num_users), synthetic.seen(mask).toarray()
    lists = recommend(tied_scorer, users, synthetic.seen(mask), 10)
    assert not seen[users[:, None].numpy(), lists.numpy()].any()


def test_list_of_the_whole_catalogue_is_the_unseen_items_and_then_nothing(
    synthetic: Dataset, tied_scorer: FactorScorer
) -> None:
    seen = synthetic.seen("train")
    lists = recommend(tied_scorer, torch.arange(synthetic.num_users), seen, synthetic.num_items).tolist()
    for listed, row in zip(lists, seen.toarray(), strict=True):
        unseen = np.flatnonzero(row == 0).tolist()
        assert (sorted(listed[: len(unseen)]), set(listed[len(unseen) :])) == (unseen, {-1})


def test_lists_belong_to_the_users_asked_for() -> None:
    lists = recommend(DESCENDING, torch.tensor([2, 0]), SMALL.seen("train"), 2)
    assert lists.tolist() == [[1, 2], [1, 2]]


def test_validation_masks_training_items_whatever_the_test_masks() -> None:
    task = RankingProtocol(k=[2], mask="train_and_valid").validation(SMALL)
    assert task.lists(DESCENDING, torch.tensor([0, 1])).tolist() == [[1, 2], [0, 1]]


def test_validation_looks_for_validation_pairs() -> None:
    assert evaluate(DESCENDING, RankingProtocol(k=[1]).validation(SMALL)).values["recall@1"] == 0.5


@pytest.mark.parametrize(("mask", "lists"), [("train", [[1, 2], [0, 1]]), ("train_and_valid", [[2, 3], [0, 1]])])
def test_mask_decides_whether_validation_items_are_listed_at_test(mask: str, lists: list[list[int]]) -> None:
    assert RankingProtocol(k=[2], mask=mask).test(SMALL).lists(DESCENDING, torch.tensor([0, 1])).tolist() == lists


@pytest.mark.parametrize(("mask", "recall"), [("train", 0.0), ("train_and_valid", 0.5)])
def test_mask_changes_the_test_metrics(mask: str, recall: float) -> None:
    assert evaluate(DESCENDING, RankingProtocol(k=[1], mask=mask).test(SMALL)).values["recall@1"] == recall


def test_users_without_held_out_items_are_not_counted() -> None:
    result = evaluate(DESCENDING, RankingProtocol(k=[1]).test(SMALL))
    assert (result.values["num_users"], result.per_user["user"].to_list()) == (2, [0, 1])


def test_blocks_hold_every_user_with_held_out_items_once(synthetic: Dataset) -> None:
    blocks = RankingProtocol(block_size=7).test(synthetic).blocks()
    assert torch.cat(blocks).tolist() == np.unique(synthetic.test.user).tolist()


def test_list_longer_than_the_catalogue_is_refused() -> None:
    with pytest.raises(InputError, match=r"evaluation.k=6 is larger than the catalogue of 5 items"):
        RankingProtocol(k=[1, 6]).test(SMALL)


def test_list_as_long_as_the_catalogue_finds_everything() -> None:
    assert evaluate(DESCENDING, RankingProtocol(k=[5]).test(SMALL)).values["recall@5"] == 1


def test_unknown_mask_is_refused() -> None:
    with pytest.raises(InputError, match=r"evaluation.mask='none' is unknown; choose one of train, train_and_valid"):
        RankingProtocol(mask="none")


@pytest.mark.parametrize("k", [[], [0, 10], ["ten"], 10, None])
def test_lists_of_no_length_are_refused(k: object) -> None:
    with pytest.raises(InputError, match=r"evaluation.k=.* must be a list of whole numbers >= 1, such as \[10,20\]"):
        RankingProtocol(k=k)
