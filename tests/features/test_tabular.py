from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from graftrec.data.dataset import Dataset
from graftrec.data.filters import Filter
from graftrec.data.sources.movielens import MovieLensLatest
from graftrec.data.splits.random import RandomSplit
from graftrec.errors import InputError
from graftrec.features.nodes import NodeFeatures
from graftrec.features.tabular import Columns, NoColumns, TabularFeatures
from tests.small_data import prepare, small_dataset

ITEMS = pl.DataFrame(
    {
        "year": [1990.0, 1994.0, None, 2000.0],
        "brand": ["x", "y", "x", "new"],
        "tags": ["red|green", " green ;", None, "red,blue"],
        "pages": ["10", "30", None, "20"],
        "empty": pl.Series([None, None, None, "1"], dtype=pl.String),
    }
)
USERS = pl.DataFrame({"country": ["UK", "FR"]})
# Item 3 has no training interaction: nothing is fitted on it.
SMALL = replace(small_dataset([list("ttev"), list("vtte")]), item_table=ITEMS, user_table=USERS)
NO_TEXT = NodeFeatures()


def features(columns: dict[str, list[str]], data: Dataset = SMALL, text: NodeFeatures = NO_TEXT, **settings):
    """Features of ``columns`` of items, every value counted."""
    own = {"users": Columns(), "min_frequency": 1, **settings}
    return TabularFeatures(Columns(**columns), **own)(data, text)


def test_numbers_are_standardised_over_training_rows_and_missing_ones_marked() -> None:
    item = features({"numeric": ["year"]}).item
    raw = np.array([[-1, 0], [1, 0], [0, 1], [4, 0]])  # mean 1992, deviation 2, of two rows
    np.testing.assert_allclose(item, raw, atol=1e-6)  # mean squared length of the training rows is 1


def test_numbers_that_are_written_as_text_are_numbers() -> None:
    np.testing.assert_allclose(features({"numeric": ["pages"]}).item[:, 0], [-1, 1, 0, 0], atol=1e-6)


def test_quantiles_are_normal() -> None:
    table = pl.DataFrame({"price": np.exp(np.arange(4.0) ** 2)})  # far from normal
    data = replace(small_dataset([list("tttt"), list("tvet")]), item_table=table)
    item = features({"numeric": ["price"]}, data, scaling="quantile").item
    middle = item[1:3, 0] / item[2, 0]
    np.testing.assert_allclose(middle, [-1, 1], rtol=1e-5)


def test_categories_are_one_hot_and_unknown_ones_nothing() -> None:
    np.testing.assert_array_equal(features({"categorical": ["brand"]}).item, [[1, 0], [0, 1], [1, 0], [0, 0]])


def test_rare_categories_share_a_place() -> None:
    item = features({"categorical": ["brand"]}, min_frequency=2).item
    np.testing.assert_array_equal(item, [[1, 0], [0, 1], [1, 0], [0, 1]])  # y is rare, and so is what is unknown


def test_cells_of_several_values_are_cut_at_every_separator() -> None:
    item = features({"multi_valued": ["tags"]}).item  # green, red
    np.testing.assert_allclose(item / item.max(), [[1, 1], [1, 0], [0, 0], [0, 1]])


def test_lists_of_values_are_cells_of_several_values() -> None:
    data = replace(SMALL, item_table=pl.DataFrame({"tags": [["red", "green"], ["green"], None, ["red", "blue"]]}))
    np.testing.assert_array_equal(
        features({"multi_valued": ["tags"]}, data).item, features({"multi_valued": ["tags"]}).item
    )


def test_columns_weigh_alike() -> None:
    item = features({"numeric": ["year"], "categorical": ["brand"], "multi_valued": ["tags"]}).item
    blocks = item[:3, :2], item[:3, 2:4], item[:3, 4:]
    np.testing.assert_allclose([(block**2).sum(1).mean() for block in blocks], 1 / 3, rtol=1e-6)


def test_text_and_columns_weigh_alike_and_users_keep_up() -> None:
    text = NodeFeatures(np.full((2, 3), 2, np.float32), np.full((4, 3), 5, np.float32))
    made = features({"categorical": ["brand"]}, text=text)
    np.testing.assert_allclose(made.item[:, :3], np.sqrt(1 / 3), rtol=1e-6)
    np.testing.assert_allclose(made.user[:, :3], 2 / 5 * np.sqrt(1 / 3), rtol=1e-6)
    np.testing.assert_array_equal(made.item[:, 3:], features({"categorical": ["brand"]}).item)


def test_users_are_means_of_their_training_items() -> None:
    np.testing.assert_array_equal(features({"categorical": ["brand"]}).user, [[0.5, 0.5], [0.5, 0.5]])


def test_users_have_their_own_columns_beside_and_items_zeros_there() -> None:
    made = features({"categorical": ["brand"]}, users=Columns(categorical=["country"]))
    np.testing.assert_array_equal(made.user, [[0.5, 0.5, 0, 1], [0.5, 0.5, 1, 0]])
    np.testing.assert_array_equal(made.item[:, 2:], np.zeros((4, 2)))


def test_rows_without_training_change_nothing() -> None:
    columns = {"numeric": ["year"], "categorical": ["brand"], "multi_valued": ["tags"]}
    other = pl.concat([ITEMS[:3], ITEMS[3:].with_columns(year=pl.lit(9e9), brand=pl.lit("x"), tags=pl.lit("odd"))])
    own, changed = features(columns), features(columns, replace(SMALL, item_table=other))
    np.testing.assert_array_equal(own.item[:3], changed.item[:3])
    np.testing.assert_array_equal(own.user, changed.user)


def test_without_columns_features_stay_as_they_are() -> None:
    text = NodeFeatures(item=np.ones((4, 2), np.float32))
    assert NoColumns()(SMALL, text) is text


def test_columns_may_be_text_columns_too() -> None:
    data = replace(SMALL, item_table=None, item_text=ITEMS.select(pl.all().cast(pl.String)))
    np.testing.assert_array_equal(features({"numeric": ["year"]}, data).item, features({"numeric": ["year"]}).item)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"numeric": ["length"]}, r"items.numeric names 'length', but the data set has item columns \['year'"),
        ({"numeric": ["brand"]}, r"items.numeric: the column 'brand' holds 'x', which is no finite number; name it"),
        ({"categorical": ["empty"]}, r"items.categorical: the column 'empty' has no value in the 3 rows of training"),
        ({}, r"tabular=columns names no column; set tabular.items.numeric=\[...\]"),
    ],
)
def test_columns_that_cannot_be_used_are_refused(columns: dict[str, list[str]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        features(columns)


def test_values_that_are_all_rare_are_refused() -> None:
    with pytest.raises(InputError, match=r"tabular.items: .*; lower tabular.min_frequency"):
        features({"multi_valued": ["tags"]}, min_frequency=3)


def test_one_column_may_be_named_without_a_list() -> None:
    np.testing.assert_array_equal(features({"numeric": "year"}).item, features({"numeric": ["year"]}).item)


def test_data_without_a_table_is_refused() -> None:
    with pytest.raises(InputError, match=r"names 'year', but the data set has no item table; give data.items"):
        features({"numeric": ["year"]}, replace(SMALL, item_table=None))


def test_items_with_neither_text_nor_columns_have_no_features_beside_users_with_columns() -> None:
    made = features({}, users=Columns(categorical=["country"]))
    assert made.item_present is not None
    assert not made.item_present.any()
    np.testing.assert_array_equal(made.item, np.zeros((4, 2)))
    np.testing.assert_array_equal(made.user, [[0, 1], [1, 0]])  # FR, UK


def test_unknown_scaling_is_refused() -> None:
    with pytest.raises(InputError, match=r"tabular.scaling='log' is unknown; choose one of standard, quantile"):
        features({"numeric": ["year"]}, scaling="log")


def test_genres_of_real_films(shared_data: Path) -> None:
    source = MovieLensLatest(
        name="ml", folder=str(shared_data / "ml-latest-small"), item_text=["title"], url="", hash=""
    )
    data = prepare(source, Filter(5, 3), RandomSplit())
    item = features({"multi_valued": ["genres"]}, data).item
    assert item.shape[1] == 19  # as MovieLens' own README lists them
    several = [len(cell.split(", ")) if cell else 0 for cell in data.item_table["genres"]]
    np.testing.assert_array_equal((item > 0).sum(1), several)
