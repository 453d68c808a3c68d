"""Pairs of the target are positives; other behaviours are edges, and none of them tells of a held-out pair."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from graftrec.data.dataset import Dataset
from graftrec.data.filters import Filter
from graftrec.data.splits.base import Split
from graftrec.data.splits.cold import ColdSplit
from graftrec.data.splits.leave_last_out import LeaveLastOut
from graftrec.data.splits.random import RandomSplit
from graftrec.data.splits.temporal import TemporalSplit
from graftrec.data.storage import load_dataset, save_dataset
from graftrec.data.weightings import Behaviour
from graftrec.errors import InputError
from graftrec.graph.bipartite import Bipartite
from tests.data.build import FrameSource, pairs_of
from tests.small_data import prepare

SPLITS = [RandomSplit(), TemporalSplit(), LeaveLastOut(), ColdSplit("item"), ColdSplit("user")]
EACH_SPLIT = pytest.mark.parametrize("split", SPLITS, ids=lambda split: split.id)


def log(seed: int = 0, size: int = 1500) -> pl.DataFrame:
    """Views, carts and buys of 30 users and 25 items; who buys has often viewed before."""
    rng = np.random.default_rng(seed)
    frame = {"user": rng.integers(30, size=size), "item": rng.integers(25, size=size), "time": rng.random(size)}
    return pl.DataFrame({**frame, "behaviour": rng.choice(["view", "cart", "buy"], size, p=[0.6, 0.2, 0.2])})


def shop(split: Split, rows: pl.DataFrame | None = None, target: str | None = "buy") -> Dataset:
    source = FrameSource(frame=log() if rows is None else rows, target_behaviour=target)
    return prepare(source, Filter(), split)


def ids_of(data: Dataset, part: str) -> set[tuple[int, int]]:
    """External (user, item) of a part."""
    pairs = getattr(data, part)
    return set(zip(data.users.take(pairs.user), data.items.take(pairs.item), strict=True))


@EACH_SPLIT
def test_positives_and_held_out_pairs_are_of_the_target(split: Split) -> None:
    data, bought = shop(split), set(log().filter(behaviour="buy").select("user", "item").rows())
    parts = [ids_of(data, part) for part in ("train", "valid", "test")]
    assert set.union(*parts) <= bought
    assert sum(map(len, parts)) + sum(n for name, n in data.counts.items() if "without training" in name) == len(bought)


@EACH_SPLIT
def test_no_edge_of_any_behaviour_is_a_held_out_pair(split: Split) -> None:
    data = shop(split)
    edges = set(pairs_of(data.edges))
    assert edges.isdisjoint(pairs_of(data.valid) + pairs_of(data.test))
    assert edges > set(pairs_of(data.train))


@EACH_SPLIT
def test_behaviours_of_held_out_pairs_change_nothing(split: Split) -> None:
    data, rows = shop(split), log()
    held_out = pl.DataFrame(sorted(ids_of(data, "valid") | ids_of(data, "test")), ["user", "item"], orient="row")
    other = rows.filter(behaviour="buy").vstack(
        rows.filter(pl.col("behaviour") != "buy").join(held_out, on=["user", "item"], how="anti")
    )
    again = shop(split, other)
    assert pairs_of(again.edges) == pairs_of(data.edges)
    np.testing.assert_array_equal(again.edges.behaviour, data.edges.behaviour)


def test_edges_are_counted_by_behaviour() -> None:
    data, rows = shop(RandomSplit()), log()
    edge = 17
    ids = {"user": data.users.ids[int(data.edges.user[edge])], "item": data.items.ids[int(data.edges.item[edge])]}
    counts = [rows.filter(**ids, behaviour=name).height for name in ("buy", "cart", "view")]
    assert data.edges.behaviours == ("buy", "cart", "view")
    assert data.edges.behaviour[edge].tolist() == counts


def test_no_view_of_the_time_of_validation_is_an_edge() -> None:
    data, rows = shop(TemporalSplit()), log()
    begin = min(data.valid.time.min(), data.test.time.min())
    late = rows.filter((pl.col("behaviour") != "buy") & (pl.col("time") >= begin))
    early = rows.filter(pl.col("time") < begin)
    only_late = set(late.select("user", "item").rows()) - set(early.select("user", "item").rows())
    assert only_late
    assert ids_of(data, "edges").isdisjoint(only_late)
    assert data.edges.time.max() < begin


@pytest.mark.parametrize("nodes", ["item", "user"])
def test_nodes_that_are_held_out_whole_have_no_edge_of_any_behaviour(nodes: str) -> None:
    data = shop(ColdSplit(nodes))
    held_out = np.concatenate([getattr(part, nodes) for part in (data.valid, data.test)])
    assert set(held_out).isdisjoint(getattr(data.edges, nodes))


def test_users_and_items_are_those_of_the_target_and_the_id_names_it() -> None:
    rows = log().vstack(pl.DataFrame({"user": [99], "item": [98], "time": [0.5], "behaviour": ["view"]}))
    data = shop(RandomSplit(), rows)
    assert (99 in data.users.ids, 98 in data.items.ids, data.id) == (False, False, "frame/random-buy")


def test_weights_of_behaviours_are_edge_weights_and_0_is_no_edge() -> None:
    data = shop(RandomSplit())
    graph = Bipartite(Behaviour({"view": 0.0, "cart": 2.0, "buy": 4.0}))(data)
    counts = data.edges.behaviour
    expected = data.edges.to_matrix(4.0 * counts[:, 0] + 2.0 * counts[:, 1])
    assert (graph.adjacency[: data.num_users, data.num_users :] != expected).nnz == 0


def test_without_a_target_everything_is_a_positive() -> None:
    data = shop(RandomSplit(), target=None)
    assert (data.edges, data.id) == (None, "frame/random")
    assert len(data.train) + len(data.valid) + len(data.test) == log().select("user", "item").n_unique()


def test_edges_are_part_of_the_hash_and_of_the_folder(tmp_path: Path) -> None:
    data = shop(RandomSplit())
    fewer = shop(RandomSplit(), log().filter(pl.col("behaviour") != "cart"))
    assert ids_of(data, "test") == ids_of(fewer, "test")
    assert data.hash != fewer.hash
    save_dataset(data, tmp_path)
    assert pairs_of(load_dataset(tmp_path).edges) == pairs_of(data.edges)


@pytest.mark.parametrize(
    ("rows", "target", "message"),
    [
        (log().drop("behaviour"), "buy", r"target_behaviour=buy needs a behaviour column; set data.columns.behaviour"),
        (log(), "purchase", r"target_behaviour=purchase, but .* hold \['buy', 'cart', 'view'\]; name one of these"),
    ],
)
def test_a_target_that_is_not_in_the_data_is_refused(rows: pl.DataFrame, target: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        shop(RandomSplit(), rows, target)
