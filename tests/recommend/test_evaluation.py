from dataclasses import replace

import numpy as np
import pytest
import torch

from graftrec.data.dataset import Dataset
from graftrec.errors import InputError
from graftrec.recommend.evaluation import RankingProtocol, evaluate
from graftrec.recommend.lists import recommend
from graftrec.scoring import FactorScorer
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


COLD = replace(small_dataset([list("tt.ev"), list("t.tve"), list("ttt.v")]), cold="item")  # items 3 and 4 are cold
RISING = FactorScorer(torch.ones(3, 1), torch.tensor([[5.0], [4.0], [3.0], [1.0], [2.0]]))


def test_cold_items_are_ranked_among_all_and_among_themselves() -> None:
    task = RankingProtocol(k=[2], mask="train").test(COLD)
    assert task.lists(RISING, torch.tensor([0, 1])).tolist() == [[2, 4, 4, 3], [1, 4, 4, 3]]


def test_seen_cold_items_are_masked_among_themselves_too_and_short_lists_are_filled_up() -> None:
    task = RankingProtocol(k=[3], mask="train_and_valid").test(COLD)
    assert task.lists(RISING, torch.tensor([0, 1])).tolist() == [[2, 3, -1, 3, -1, -1], [1, 4, -1, 4, -1, -1]]


def test_both_candidate_sets_are_reported_by_hand() -> None:
    result = evaluate(RISING, RankingProtocol(k=[1], mask="train").test(COLD))
    assert (result.values["recall@1"], result.values["cold/recall@1"]) == (0.0, 0.5)
    assert result.per_user["cold/recall@1"].to_list() == [0.0, 1.0]


def test_a_scorer_without_factors_gives_the_same_lists(synthetic: Dataset, tied_scorer: FactorScorer) -> None:
    class Scores:
        def scores(self, users: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
            return tied_scorer.scores(users, out)

    cold = np.arange(synthetic.num_items) % 3 == 0
    task = replace(RankingProtocol().test(synthetic), cold=cold)
    users = task.blocks()[0]
    assert torch.equal(task.lists(Scores(), users), task.lists(tied_scorer, users))


def test_lists_among_cold_items_are_those_of_a_loop(synthetic: Dataset, tied_scorer: FactorScorer) -> None:
    cold = np.arange(synthetic.num_items) % 3 == 0
    task = replace(RankingProtocol(k=[5]).test(synthetic), cold=cold)
    users = task.blocks()[0]
    seen, scores = synthetic.seen("train_and_valid").toarray(), tied_scorer.scores(users).tolist()
    for user, row, found in zip(users.tolist(), scores, task.lists(tied_scorer, users)[:, 5:].tolist(), strict=True):
        candidates = [item for item in np.flatnonzero(cold).tolist() if not seen[user, item]]
        assert found == sorted(candidates, key=lambda item: (-row[item], item))[:5]


def test_splits_without_cold_nodes_report_one_candidate_set(synthetic: Dataset, tied_scorer: FactorScorer) -> None:
    assert not [name for name in evaluate(tied_scorer, RankingProtocol().test(synthetic)).values if "cold" in name]


def test_at_most_so_many_users_are_judged_evenly_spread(synthetic: Dataset, tied_scorer: FactorScorer) -> None:
    everybody = evaluate(tied_scorer, RankingProtocol().test(synthetic)).per_user
    some = evaluate(tied_scorer, RankingProtocol(max_users=7).test(synthetic))
    rows = [int(position) for position in np.linspace(0, len(everybody) - 1, 7)]
    assert some.per_user.equals(everybody[rows])
    assert some.values["num_users"] == 7


def test_strata_of_some_users_count_their_pairs_alone(synthetic: Dataset, tied_scorer: FactorScorer) -> None:
    task = RankingProtocol(max_users=7).test(synthetic)
    strata = task.strata(evaluate(tied_scorer, task)).filter(kind="item degree")
    assert strata["size"].sum() == sum(synthetic.test.user_degree[user] for user in task.blocks()[0].tolist())


def test_more_users_than_there_are_is_everybody(synthetic: Dataset) -> None:
    tasks = (RankingProtocol(max_users=most).test(synthetic) for most in (None, 10**6))
    own, other = (torch.cat(task.blocks()) for task in tasks)
    assert torch.equal(own, other)


def test_no_user_at_all_is_refused() -> None:
    with pytest.raises(InputError, match=r"evaluation.max_users=0 must be >= 1, or null"):
        RankingProtocol(max_users=0)
