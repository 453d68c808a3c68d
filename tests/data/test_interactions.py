import numpy as np

from graftrec.data.interactions import Interactions
from tests.data.build import interactions

PAIRS = [(0, 1), (0, 2), (2, 0)]


def small() -> Interactions:
    return interactions(PAIRS, 4, 3, count=[1, 2, 3], weight=[0.5, 0.0, 2.0], behaviour=[[1, 0], [0, 2], [3, 0]])


def test_keys_number_the_cells_of_the_matrix() -> None:
    assert small().keys.tolist() == [1, 2, 6]


def test_matrix_holds_one_for_every_pair() -> None:
    assert small().matrix.toarray().tolist() == [[0, 1, 1], [0, 0, 0], [1, 0, 0], [0, 0, 0]]


def test_matrix_of_values_stores_no_zeros() -> None:
    assert small().to_matrix(np.array([0.5, 0.0, 2.0])).nnz == 2


def test_matrix_of_values_places_each_value_at_its_pair() -> None:
    matrix = small().to_matrix(np.array([0.5, 0.0, 2.0]))
    assert matrix.toarray().tolist() == [[0, 0.5, 0], [0, 0, 0], [2, 0, 0], [0, 0, 0]]


def test_user_degree_counts_items_and_knows_users_without_any() -> None:
    assert small().user_degree.tolist() == [2, 0, 1, 0]


def test_item_degree_counts_users_whatever_the_rows_behind_a_pair() -> None:
    assert small().item_degree.tolist() == [1, 1, 1]


def test_select_takes_the_same_rows_of_every_column() -> None:
    picked = small().select(np.array([True, False, True]))
    columns = (picked.user, picked.item, picked.count, picked.weight, picked.behaviour)
    assert [column.tolist() for column in columns] == [[0, 2], [1, 0], [1, 3], [0.5, 2.0], [[1, 0], [3, 0]]]


def test_select_keeps_the_size_of_the_matrix() -> None:
    picked = small().select(np.array([True, False, False]))
    assert (picked.num_users, picked.num_items) == (4, 3)
