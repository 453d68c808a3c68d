import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from graftrec.data.dataset import Dataset
from graftrec.data.filters import Filter
from graftrec.data.splits.given import GivenSplit
from graftrec.data.splits.leave_last_out import LeaveLastOut
from graftrec.data.storage import ARRAYS, load_dataset, save_dataset
from graftrec.errors import InputError
from tests.data.build import FrameSource
from tests.small_data import prepare

ROWS = pl.DataFrame(
    {
        "user": ["007", "007", "007", "ann", "ann", "ann", "ann"],
        "item": ["a", "b", 'c "d"', "a", "b", "e", "é,f"],
        "weight": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
        "order": [0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 3.0],
        "part": pl.Series([0, 0, 2, 0, 0, 0, 2], dtype=pl.Int8),
    }
)
ITEMS = pl.DataFrame({"item": ["a", "b"], "title": ["first", None], "id": ["1", "2"]})
STRINGS = FrameSource(frame=ROWS.drop("part"), items=ITEMS, item_text=["title", "id"])


def string_ids() -> Dataset:
    return prepare(STRINGS, Filter(), LeaveLastOut())


def leaky() -> Dataset:
    return prepare(FrameSource(frame=ROWS), Filter(), GivenSplit(), protocol="paper")


def arrays_of(dataset: Dataset) -> dict[str, list | None]:
    parts = {"train": dataset.train, "valid": dataset.valid, "test": dataset.test}
    columns = {(part, name): getattr(value, name) for part, value in parts.items() for name in ARRAYS}
    return {f"{part} {name}": None if column is None else column.tolist() for (part, name), column in columns.items()}


def facts_of(dataset: Dataset) -> tuple:
    ids = (dataset.users.ids.to_list(), dataset.items.ids.to_list())
    return dataset.id, dataset.leaky, dataset.counts, dataset.hash, ids


def change_file(folder: Path, name: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    change(pl.read_parquet(folder / name)).write_parquet(folder / name)


def cut_in_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.fixture
def folder(tmp_path: Path, synthetic: Dataset) -> Path:
    """A saved data set with integer ids."""
    save_dataset(synthetic, tmp_path / "dataset")
    return tmp_path / "dataset"


@pytest.mark.parametrize("make", [string_ids, leaky])
def test_interactions_come_back_as_saved(tmp_path: Path, make: Callable[[], Dataset]) -> None:
    save_dataset(make(), tmp_path)
    assert arrays_of(load_dataset(tmp_path)) == arrays_of(make())


@pytest.mark.parametrize("make", [string_ids, leaky])
def test_facts_and_ids_come_back_as_saved(tmp_path: Path, make: Callable[[], Dataset]) -> None:
    save_dataset(make(), tmp_path)
    assert facts_of(load_dataset(tmp_path)) == facts_of(make())


def test_interactions_with_integer_ids_come_back_as_saved(folder: Path, synthetic: Dataset) -> None:
    assert arrays_of(load_dataset(folder)) == arrays_of(synthetic)


def test_facts_with_integer_ids_come_back_as_saved(folder: Path, synthetic: Dataset) -> None:
    assert facts_of(load_dataset(folder)) == facts_of(synthetic)


def test_item_text_comes_back_as_saved(tmp_path: Path) -> None:
    save_dataset(string_ids(), tmp_path)
    assert load_dataset(tmp_path).item_text.to_dicts() == string_ids().item_text.to_dicts()


def test_user_text_comes_back_as_saved(folder: Path, synthetic: Dataset) -> None:
    assert load_dataset(folder).user_text.to_dicts() == synthetic.user_text.to_dicts()


def test_no_text_comes_back_as_none(tmp_path: Path) -> None:
    save_dataset(leaky(), tmp_path)
    assert load_dataset(tmp_path).item_text is None


def test_validation_of_a_leaky_data_set_is_its_test_set(tmp_path: Path) -> None:
    save_dataset(leaky(), tmp_path)
    loaded = load_dataset(tmp_path)
    assert loaded.valid is loaded.test


def test_saving_twice_replaces_the_first(folder: Path) -> None:
    save_dataset(string_ids(), folder)
    assert load_dataset(folder).hash == string_ids().hash


FILES = ["dataset.json", "interactions.parquet", "users.parquet", "items.parquet"]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"The data folder {folder} is damaged or incomplete: .*{name}"):
        load_dataset(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_refused(folder: Path, name: str) -> None:
    cut_in_half(folder / name)
    with pytest.raises(InputError, match=f"The data folder {folder} is damaged or incomplete"):
        load_dataset(folder)


@pytest.mark.parametrize("fact", ["id", "hash", "leaky", "counts"])
def test_a_missing_fact_is_refused(folder: Path, fact: str) -> None:
    facts = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps({name: facts[name] for name in facts if name != fact}))
    with pytest.raises(InputError, match=f"is damaged or incomplete: '{fact}'"):
        load_dataset(folder)


@pytest.mark.parametrize(
    ("name", "column"),
    [("interactions.parquet", "part"), ("interactions.parquet", "user"), ("items.parquet", "id")],
)
def test_a_missing_column_is_refused(folder: Path, name: str, column: str) -> None:
    change_file(folder, name, lambda table: table.drop(column))
    with pytest.raises(InputError, match=f"is damaged or incomplete: .*{column}"):
        load_dataset(folder)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("interactions.parquet", lambda table: table[1:]),
        ("interactions.parquet", lambda table: table.with_columns(item=(pl.col("item") + 1) % 40)),
        ("users.parquet", lambda table: table.with_columns(pl.col("id") + 1)),
        ("items.parquet", lambda table: table.with_columns(pl.col("id").cast(pl.String))),
        ("items.parquet", lambda table: table[:-1]),
    ],
    ids=["pair gone", "items moved", "user ids moved", "item ids as text", "item gone"],
)
def test_changed_content_is_refused(
    folder: Path, synthetic: Dataset, name: str, change: Callable[[pl.DataFrame], pl.DataFrame]
) -> None:
    change_file(folder, name, change)
    with pytest.raises(
        InputError, match=rf"holds other data \(hash .*\) than it was written with \({synthetic.hash}\)"
    ):
        load_dataset(folder)


def test_arrays_that_the_data_has_not_come_back_as_none(folder: Path, synthetic: Dataset) -> None:
    assert (synthetic.train.weight, load_dataset(folder).train.weight) == (None, None)


def test_loaded_numbers_keep_their_types(folder: Path) -> None:
    train = load_dataset(folder).train
    assert (train.user.dtype, train.item.dtype, train.time.dtype) == (np.int64, np.int64, np.float64)


def test_the_other_columns_of_the_tables_come_back(tmp_path: Path) -> None:
    source = FrameSource(frame=ROWS.drop("part"), items=ITEMS.with_columns(pages=pl.Series([10, None])), item_text="id")
    saved = prepare(source, Filter(), LeaveLastOut())
    save_dataset(saved, tmp_path)
    loaded = load_dataset(tmp_path)
    assert loaded.item_columns.columns == ["id", "title", "pages"]
    assert loaded.item_columns.equals(saved.item_columns)
    assert loaded.user_columns is None


def test_which_nodes_were_held_out_comes_back(tmp_path: Path, synthetic: Dataset) -> None:
    save_dataset(replace(synthetic, cold="item"), tmp_path)
    assert load_dataset(tmp_path).cold == "item"
