import torch

from graftrec.data.dataset import Dataset
from graftrec.data.sampling import EachPair, NegativeSampler, Positives
from graftrec.objectives.step import Batch
from graftrec.training.datamodule import EpochBatches
from tests.small_data import small_dataset
from tests.training.runs import data_module


def epoch_of(dataset: Dataset, seed: int, epoch: int, batch_size: int = 100) -> list[Batch]:
    """The batches of one epoch, with two negatives a pair and three shared ones."""
    sampler = NegativeSampler(per_positive=2, shared=3)
    batches = EpochBatches(Positives(dataset.train), sampler, batch_size, seed)
    batches.epoch = epoch
    return list(batches)


def numbers(batches: list[Batch]) -> list[dict[str, list[int]]]:
    """Everything that stands in the batches."""
    return [{name: tensor.tolist() for name, tensor in vars(batch).items()} for batch in batches]


class Backwards(EachPair):
    """Every training pair, the last one first."""

    def rows(self, positives: Positives, generator: torch.Generator) -> torch.Tensor:
        return torch.arange(len(positives)).flip(0)


def order_of_pairs(batches: list[Batch]) -> list[tuple[int, int]]:
    """The training pairs as they come."""
    users, items = (torch.cat([getattr(batch, name) for batch in batches]).tolist() for name in ("users", "items"))
    return list(zip(users, items, strict=True))


def test_same_seed_and_epoch_give_the_same_batches(synthetic: Dataset) -> None:
    assert numbers(epoch_of(synthetic, seed=3, epoch=5)) == numbers(epoch_of(synthetic, seed=3, epoch=5))


def test_epoch_is_the_same_whether_or_not_others_came_before(synthetic: Dataset) -> None:
    batches = EpochBatches(Positives(synthetic.train), NegativeSampler(per_positive=2, shared=3), 100, seed=3)
    for batches.epoch in (0, 1, 2):
        last = numbers(list(batches))
    assert last == numbers(epoch_of(synthetic, seed=3, epoch=2))


def test_global_random_state_plays_no_part(synthetic: Dataset) -> None:
    first = numbers(epoch_of(synthetic, seed=3, epoch=0))
    torch.manual_seed(99)
    assert numbers(epoch_of(synthetic, seed=3, epoch=0)) == first


def test_another_epoch_has_another_order(synthetic: Dataset) -> None:
    first, second = (order_of_pairs(epoch_of(synthetic, seed=3, epoch=epoch)) for epoch in (0, 1))
    assert first != second


def test_another_seed_has_another_order(synthetic: Dataset) -> None:
    first, second = (order_of_pairs(epoch_of(synthetic, seed=seed, epoch=0)) for seed in (3, 4))
    assert first != second


def test_another_epoch_has_other_negatives(synthetic: Dataset) -> None:
    first, second = (epoch_of(synthetic, seed=3, epoch=epoch)[0] for epoch in (0, 1))
    assert first.negatives.tolist() != second.negatives.tolist()


def test_every_training_pair_comes_once_an_epoch(synthetic: Dataset) -> None:
    pairs = list(zip(synthetic.train.user.tolist(), synthetic.train.item.tolist(), strict=True))
    assert sorted(order_of_pairs(epoch_of(synthetic, seed=0, epoch=1))) == pairs


def test_pairs_are_those_that_the_sampler_of_positives_chooses(synthetic: Dataset) -> None:
    positives = Positives(synthetic.train, sampler=Backwards())
    pairs = list(zip(positives.users.tolist(), positives.items.tolist(), strict=True))
    assert order_of_pairs(list(EpochBatches(positives, NegativeSampler(), 100, seed=0))) == pairs[::-1]


def test_number_of_batches_counts_the_last_short_one(synthetic: Dataset) -> None:
    num_pairs = len(synthetic.train)
    for batch_size in (num_pairs + 1, num_pairs, num_pairs - 1, 100):
        batches = data_module(synthetic, batch_size).batches
        assert len(batches) == len(list(batches)) == -(-num_pairs // batch_size)


def test_batches_are_full_but_for_the_last(synthetic: Dataset) -> None:
    sizes = [len(batch.users) for batch in epoch_of(synthetic, seed=0, epoch=0)]
    assert sizes == [100] * (len(sizes) - 1) + [len(synthetic.train) - 100 * (len(sizes) - 1)]


def test_shapes_of_the_negatives(synthetic: Dataset) -> None:
    batch = epoch_of(synthetic, seed=0, epoch=0)[0]
    assert (batch.negatives.shape, batch.shared.shape) == ((100, 2), (3,))


def test_negatives_are_no_training_items_of_their_user(synthetic: Dataset) -> None:
    trained = synthetic.train.matrix.toarray()
    for batch in epoch_of(synthetic, seed=0, epoch=0):
        assert not trained[batch.users[:, None], batch.negatives].any()


def test_validation_and_test_loaders_give_their_tasks_users() -> None:
    parts = [list("tv" + 9 * "."), list("te" + 9 * "."), list("tve" + 8 * ".")]
    data = data_module(small_dataset(parts))
    valid, test = (torch.cat(list(loader)).tolist() for loader in (data.val_dataloader(), data.test_dataloader()))
    assert (valid, test) == ([0, 2], [1, 2])
