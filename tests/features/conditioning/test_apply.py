"""One map for users and items, fitted on the training catalogue."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftrec.data.interactions import Interactions
from graftrec.errors import InputError
from graftrec.features.conditioning.apply import conditioned, conditioned_outline
from graftrec.features.conditioning.center import Center
from graftrec.features.conditioning.pca import PCA
from graftrec.features.nodes import NodeFeatures, mean_of_items, stand_in
from tests.features.conditioning.vectors import anisotropic
from tests.small_data import from_matrix, random_matrix

USERS, ITEMS, WIDTH = 12, 30, 6
COLD = np.arange(ITEMS) % 5 == 0


def train(seed: int = 0) -> Interactions:
    """Training without the cold items."""
    return from_matrix(random_matrix(USERS, ITEMS, 0.4, seed) & ~COLD)


def features(seed: int = 0) -> NodeFeatures:
    """Every item has text; users are means."""
    items = anisotropic(ITEMS, WIDTH, seed)
    return NodeFeatures(mean_of_items(train(seed), items), items, users_from_items=True)


def test_center_takes_the_mean_of_training_items_alone() -> None:
    made, own = features(), train()
    result = conditioned(made, own, Center())
    warm = own.item_degree > 0
    np.testing.assert_allclose(result.item, made.item - made.item[warm].mean(0), atol=1e-5)


@given(seed=st.integers(0, 1000), scale=st.floats(-100, 100))
def test_items_out_of_training_do_not_change_the_map(seed: int, scale: float) -> None:
    made = features(seed)
    other = made.item.copy()
    other[COLD] = scale * np.random.default_rng(seed).normal(size=(COLD.sum(), WIDTH)) + 1
    results = [conditioned(replace(made, item=items), train(seed), PCA(4, whiten=True)) for items in (made.item, other)]
    np.testing.assert_array_equal(results[0].item[~COLD], results[1].item[~COLD])
    np.testing.assert_array_equal(results[0].user, results[1].user)


@given(seed=st.integers(0, 1000))
def test_users_are_the_mean_of_conditioned_items(seed: int) -> None:
    result = conditioned(features(seed), train(seed), PCA(4))
    naive = [result.item[train(seed).item[train(seed).user == user]] for user in range(USERS)]
    np.testing.assert_allclose(result.user, [rows.mean(0) if len(rows) else np.zeros(4) for rows in naive], atol=1e-4)


def test_items_without_text_stay_zero_and_out_of_the_fit_and_of_the_means() -> None:
    present = np.arange(ITEMS) % 4 > 0
    items = anisotropic(ITEMS, WIDTH) * present[:, None]
    made = NodeFeatures(mean_of_items(train(), items, present), items, None, present, users_from_items=True)
    result = conditioned(made, train(), Center())
    assert not result.item[~present].any()
    known = present & (train().item_degree > 0)
    np.testing.assert_allclose(result.item[known].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(result.user, made.user - items[known].mean(0), atol=1e-5)  # affine


def test_zero_vectors_stay_zero_where_text_may_be_missing() -> None:
    items = anisotropic(ITEMS, WIDTH)
    items[[3, 4]] = 0
    result = conditioned(NodeFeatures(None, items), train(), Center())
    assert not result.item[[3, 4]].any()
    assert result.user is None


def test_users_with_text_of_their_own_go_through_the_items_map() -> None:
    users, made = anisotropic(USERS, WIDTH, seed=1), features()
    users[2] = 0
    result = conditioned(NodeFeatures(users, made.item), train(), Center())
    expected = users - made.item[train().item_degree > 0].mean(0)
    expected[2] = 0
    np.testing.assert_allclose(result.user, expected, atol=1e-5)


def test_a_user_without_training_items_stays_zero() -> None:
    cells = random_matrix(USERS, ITEMS, 0.4, 0)
    cells[5] = False
    own = from_matrix(cells)
    items = anisotropic(ITEMS, WIDTH)
    made = NodeFeatures(mean_of_items(own, items), items, users_from_items=True)
    assert not conditioned(made, own, PCA(3)).user[5].any()


def test_the_outline_has_the_shape_of_the_features() -> None:
    made = features()
    outline, real = (conditioned_outline(stand_in(made, WIDTH), train(), PCA(4)), conditioned(made, train(), PCA(4)))
    assert (outline.item.shape, outline.user.shape) == (real.item.shape, real.user.shape)
    assert max(outline.item.strides + outline.user.strides) == 0  # no memory


def test_the_outline_refuses_what_the_fit_would_refuse() -> None:
    few = replace(features(), item_present=np.arange(ITEMS) < 4)  # items 1, 2, 3 are in training
    for make in (conditioned, conditioned_outline):
        own = replace(few, item=few.item * few.item_present[:, None])
        with pytest.raises(InputError, match="need more than 3 items with text in training, and there are 3"):
            make(own, train(), PCA(3))


def test_features_are_needed() -> None:
    with pytest.raises(InputError, match=r"there are none; choose features=minilm, or conditioning=none"):
        conditioned_outline(NodeFeatures(), train(), Center())


def test_users_and_items_need_one_width() -> None:
    with pytest.raises(InputError, match="user features are 3 wide, item features 6: give both the same width"):
        conditioned(NodeFeatures(anisotropic(USERS, 3), features().item), train(), Center())
