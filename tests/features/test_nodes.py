from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.dataset import Dataset
from graftrec.errors import InputError
from graftrec.features.encoders.hashing import HashingEncoder
from graftrec.features.nodes import NodeFeatures, NoFeatures, TextFeatures, mean_of_items
from graftrec.features.store import FeatureStore
from tests.small_data import from_matrix, random_matrix, small_dataset

PARTS = [list("tve."), list(".tve"), list("et.v")]
TITLES = pl.DataFrame({"title": ["red chair", "blue chair", "red lamp", "garden hose"]})
PROFILES = pl.DataFrame({"profile": ["likes red", "likes blue", "likes gardens"]})
ENCODER = HashingEncoder(32)


@dataclass(frozen=True)
class Maker:
    """Makes features with a cache of its own."""

    folder: Path

    def __call__(self, features: TextFeatures, dataset: Dataset) -> NodeFeatures:
        return features(dataset, FeatureStore(self.folder))


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    return Maker(tmp_path)


def titles_without(*rows: int) -> Dataset:
    """The small data set with no title in ``rows``."""
    kept = [None if row in rows else title for row, title in enumerate(TITLES["title"])]
    return small_dataset(PARTS, pl.DataFrame({"title": pl.Series(kept, dtype=pl.String)}), PROFILES)


@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.1, 0.5, 0.9]))
def test_mean_of_items_is_the_naive_mean(seed: int, share: float) -> None:
    cells = random_matrix(6, 5, share, seed)
    items = np.random.default_rng(seed).normal(size=(5, 3)).astype(np.float32)
    naive = [items[row].mean(0) if row.any() else np.zeros(3) for row in cells]
    np.testing.assert_allclose(mean_of_items(from_matrix(cells), items), naive, atol=1e-6)


def test_users_are_the_mean_of_training_items_alone(make: Maker) -> None:
    made = make(TextFeatures(ENCODER), small_dataset(PARTS, TITLES))
    vectors = ENCODER(TITLES["title"].to_list())
    np.testing.assert_allclose(made.user, vectors[[0, 1, 1]], atol=1e-7)  # each user has one training item


def test_items_are_encoded_in_the_order_of_the_vocabulary(make: Maker) -> None:
    made = make(TextFeatures(ENCODER), small_dataset(PARTS, TITLES))
    np.testing.assert_array_equal(made.item, ENCODER(TITLES["title"].to_list()))


def test_users_by_their_own_text(make: Maker) -> None:
    made = make(TextFeatures(ENCODER, users="text"), small_dataset(PARTS, TITLES, PROFILES))
    np.testing.assert_array_equal(made.user, ENCODER(PROFILES["profile"].to_list()))


def test_each_node_type_has_its_template(make: Maker) -> None:
    features = TextFeatures(ENCODER, "text", template="buy {title}", user_template="{profile} very much")
    made = make(features, small_dataset(PARTS, TITLES, PROFILES))
    np.testing.assert_array_equal(made.item[0], ENCODER(["buy red chair"])[0])
    np.testing.assert_array_equal(made.user[0], ENCODER(["likes red very much"])[0])


def test_users_may_have_no_features(make: Maker) -> None:
    assert make(TextFeatures(ENCODER, users="none"), small_dataset(PARTS, TITLES)).user is None


def test_no_features_at_all(tmp_path: Path) -> None:
    made = NoFeatures()(small_dataset(PARTS, TITLES), FeatureStore(tmp_path))
    assert (made.user, made.item) == (None, None)


def test_missing_text_is_refused_with_count_and_first_id(make: Maker) -> None:
    expected = r"No text for 2 of 4 items \(first: 'i1'\); set features.missing=zero or .*=id, or mend the table"
    with pytest.raises(InputError, match=expected):
        make(TextFeatures(ENCODER), titles_without(1, 3))


def test_missing_text_may_become_a_zero_vector(make: Maker) -> None:
    made = make(TextFeatures(ENCODER, missing="zero"), titles_without(1, 3))
    known = ENCODER(["red chair", "red lamp"])
    np.testing.assert_array_equal(made.item, [known[0], np.zeros(32), known[1], np.zeros(32)])


def test_catalogue_without_any_text_is_refused(make: Maker) -> None:
    with pytest.raises(InputError, match=r"No text for 4 of 4 items \(first: 'i0'\); mend the table"):
        make(TextFeatures(ENCODER, missing="zero"), titles_without(0, 1, 2, 3))


def test_item_text_is_asked_for_where_the_data_has_none(make: Maker) -> None:
    with pytest.raises(InputError, match=r"no item text; set data.items and data.item_text, or features=none\."):
        make(TextFeatures(ENCODER), small_dataset(PARTS))


def test_user_text_is_asked_for_where_the_data_has_none(make: Maker) -> None:
    with pytest.raises(InputError, match=r"no user text; set data.users and .* or features.users=items"):
        make(TextFeatures(ENCODER, users="text"), small_dataset(PARTS, TITLES))


def test_unknown_kind_of_user_features_is_refused() -> None:
    with pytest.raises(InputError, match=r"features.users='profile' is unknown; choose one of items, text, none"):
        TextFeatures(ENCODER, users="profile")


def test_unknown_treatment_of_missing_text_is_refused() -> None:
    with pytest.raises(InputError, match=r"features.missing='skip' is unknown; choose one of error, zero, id"):
        TextFeatures(ENCODER, missing="skip")


def test_nodes_without_text_are_marked_where_they_live_on_their_ids(make: Maker) -> None:
    made = make(TextFeatures(ENCODER, missing="id"), titles_without(1, 3))
    assert made.item_present.tolist() == [True, False, True, False]
    assert made.user_present.tolist() == [True, False, False]  # the only training item of users 1 and 2 has no title
    assert not made.item[[1, 3]].any()


def test_items_without_text_do_not_count_in_the_mean(make: Maker) -> None:
    dataset = small_dataset([list("ttve"), list("vett")], titles_without(1).item_text)
    made = make(TextFeatures(ENCODER, missing="id"), dataset)
    np.testing.assert_allclose(made.user[0], ENCODER(["red chair"])[0], atol=1e-7)


def test_nothing_is_marked_where_every_node_has_text(make: Maker) -> None:
    made = make(TextFeatures(ENCODER, missing="id"), small_dataset(PARTS, TITLES))
    assert (made.user_present, made.item_present) == (None, None)


def test_user_texts_are_looked_at_before_items_are_encoded(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no user text"):
        TextFeatures(ENCODER, users="text")(small_dataset(PARTS, TITLES), FeatureStore(tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["zero", "id"])
def test_the_outline_has_the_presence_of_the_features(make: Maker, missing: str) -> None:
    features, dataset = TextFeatures(ENCODER, missing=missing), titles_without(1, 3)
    made, outline = make(features, dataset), features.outline(dataset)
    for name in ("user_present", "item_present"):
        np.testing.assert_array_equal(getattr(outline, name), getattr(made, name))
    assert (len(outline.user), len(outline.item)) == (3, 4)
