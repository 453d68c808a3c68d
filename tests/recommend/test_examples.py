"""Lists to be looked at: the users' own, with titles, as they are judged."""

from dataclasses import replace

import numpy as np
import polars as pl
import torch

from graftrec.recommend.evaluation import RankingProtocol
from graftrec.recommend.examples import examples
from graftrec.recommend.history import history
from graftrec.scoring import FactorScorer
from tests.small_data import small_dataset

TITLES = pl.DataFrame({"title": ["zero", "one", "two", "three"], "genres": ["a", "b", "c", "d"]})
DATA = small_dataset([["t", "v", "e", ""], ["e", "t", "", "t"], ["t", "t", "t", "v"]], TITLES)
SCORER = FactorScorer(torch.tensor([[1.0], [-1.0], [1.0]]), torch.tensor([[4.0], [3.0], [2.0], [1.0]]))
TASK = RankingProtocol(k=[1, 2]).test(DATA)


def test_user_has_a_history_and_a_list_without_it() -> None:
    table = examples(SCORER, TASK, DATA).filter(user="u0")
    assert table.rows() == [
        ("u0", "history", 1, "i0", "zero", None, None),
        ("u0", "history", 2, "i1", "one", None, None),
        ("u0", "recommended", 1, "i2", "two", 2.0, True),
        ("u0", "recommended", 2, "i3", "three", 1.0, False),
    ]


def test_users_without_test_items_have_no_lists() -> None:
    assert set(examples(SCORER, TASK, DATA)["user"]) == {"u0", "u1"}


def test_only_so_many_users_and_rows() -> None:
    table = examples(SCORER, TASK, DATA, users=1, rows=1)
    assert (table["user"].n_unique(), table["list"].to_list()) == (1, ["history", "recommended"])


def test_without_text_titles_are_null_and_the_columns_are_the_same() -> None:
    plain = replace(DATA, item_text=None)
    table = examples(SCORER, TASK, plain)
    assert table["title"].null_count() == len(table)
    assert table.schema == examples(SCORER, TASK, DATA).schema


def test_history_begins_with_the_latest_item() -> None:
    times = np.array([5.0, 1.0, 2.0, 1.0, 3.0, 2.0])  # u0: i0; u1: i1, i3; u2: i0, i1, i2
    parts = {name: replace(getattr(DATA, name), time=np.array([0.0, 9.0])) for name in ("valid", "test")}
    timed = replace(DATA, train=replace(DATA.train, time=times), **parts)
    assert history(timed, 2)["item"].to_list() == ["i3", "i1", "i2", "i0"]
