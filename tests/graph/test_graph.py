"""What a graph refuses and what it derives."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from graftrec.errors import InputError
from graftrec.graph.bipartite import bipartite_graph
from graftrec.graph.graph import Graph
from graftrec.graph.node_space import NodeSpace
from graftrec.graph.propagate import SparseMatrix
from graftrec.nn.encoders.lightgcn import LightGCN
from tests.graph.small_graphs import (
    ISOLATED,
    dense_adjacency,
    dense_normalized,
    random_graph,
    random_matrix,
    random_vectors,
)

CPU = torch.device("cpu")


def dense(matrix: SparseMatrix) -> np.ndarray:
    """The matrix [N, N] that ``propagate`` multiplies by."""
    num_nodes = len(matrix.row_offsets) - 1
    parts = (matrix.weights.numpy(), matrix.columns.numpy(), matrix.row_offsets.numpy())
    return sp.csr_matrix(parts, shape=(num_nodes, num_nodes)).toarray()


def test_one_way_edges_are_refused() -> None:
    adjacency = random_graph().adjacency.tolil()
    adjacency[0, 7] = 0
    adjacency[1, 8] = 0
    one_way = sp.csr_matrix(adjacency)
    one_way.eliminate_zeros()
    message = f"2 of {one_way.nnz} edges lack a reverse edge of equal weight; add A\\^T"
    with pytest.raises(InputError, match=message):
        Graph(NodeSpace(7, 6), one_way)


def test_edges_with_two_weights_are_refused() -> None:
    adjacency = sp.csr_matrix(np.array([[0, 1], [2, 0]], dtype=np.float32))
    with pytest.raises(InputError, match="1 of 2 edges"):
        Graph(NodeSpace(1, 1), adjacency)


def test_wrong_shape_is_refused() -> None:
    with pytest.raises(InputError, match=r"shape \(13, 13\); the node space expects \(14, 14\)"):
        Graph(NodeSpace(7, 7), random_graph().adjacency)


def test_edges_are_counted_in_both_directions() -> None:
    graph = random_graph()
    assert graph.num_edges == 2 * graph.adjacency[:7].nnz


def test_edge_index_is_source_above_target() -> None:
    graph = random_graph(weighted=True)
    source, target = graph.edge_index
    rebuilt = torch.zeros(13, 13)
    rebuilt[target, source] = graph.edge_weight
    assert torch.equal(rebuilt, dense_adjacency(graph))


def test_edge_index_of_one_user_with_two_items_by_hand() -> None:
    adjacency = sp.csr_matrix(np.array([[0, 1, 1], [1, 0, 0], [1, 0, 0]], dtype=np.float32))
    assert Graph(NodeSpace(1, 2), adjacency).edge_index.tolist() == [[1, 2, 0, 0], [0, 0, 1, 2]]


def test_edge_index_is_sorted_by_target() -> None:
    target = random_graph().edge_index[1]
    assert (target.diff() >= 0).all()


def test_edge_index_is_made_once() -> None:
    graph = random_graph()
    assert graph.edge_index is graph.edge_index


@pytest.mark.parametrize("weighted", [True, False])
def test_weighted_means_that_a_weight_is_not_one(weighted: bool) -> None:
    assert random_graph(weighted).weighted is weighted


def test_matrix_normalizes_the_adjacency() -> None:
    graph = random_graph(weighted=True)
    expected = dense_normalized(graph.adjacency.toarray(), 0.5, 0.5)
    np.testing.assert_allclose(dense(graph.matrix("symmetric", False, CPU)), expected, rtol=1e-6)


def test_self_loops_of_weight_one_enter_the_degrees() -> None:
    graph = random_graph(weighted=True)
    expected = dense_normalized(graph.adjacency.toarray() + np.eye(13), 0.5, 0.5)
    np.testing.assert_allclose(dense(graph.matrix("symmetric", True, CPU)), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", ["none", "symmetric", "left", "right", "l1_left", "l1_right"])
@pytest.mark.parametrize("self_loops", [True, False])
def test_the_matrix_for_gradients_is_the_transpose(kind: str, self_loops: bool) -> None:
    matrix = random_graph(weighted=True).matrix(kind, self_loops, CPU)
    np.testing.assert_allclose(dense(matrix.transpose), dense(matrix).T, rtol=1e-6)


def test_matrices_are_made_once() -> None:
    graph = random_graph()
    assert graph.matrix("left", True, CPU) is graph.matrix("left", True, CPU)


def test_matrices_of_different_settings_are_kept_apart() -> None:
    graph = random_graph()
    plain = graph.matrix("symmetric", False, CPU)
    assert graph.matrix("left", False, CPU) is not plain
    assert graph.matrix("symmetric", True, CPU) is not plain


@pytest.mark.parametrize("kind", ["none", "symmetric", "left", "right", "l1_left", "l1_right"])
def test_isolated_nodes_are_their_own_neighbours_under_self_and_nothing_else_changes(kind: str) -> None:
    zero, self = (bipartite_graph(random_matrix(weighted=True), isolated) for isolated in ("zero", "self"))
    expected = dense(zero.matrix(kind, False, CPU))
    expected[ISOLATED, ISOLATED] = 1
    np.testing.assert_array_equal(dense(self.matrix(kind, False, CPU)), expected)


def test_self_loops_of_all_nodes_leave_nothing_to_add() -> None:
    zero, self = (bipartite_graph(random_matrix(), isolated) for isolated in ("zero", "self"))
    np.testing.assert_array_equal(dense(self.matrix("left", True, CPU)), dense(zero.matrix("left", True, CPU)))
    np.testing.assert_array_equal(dense(self.attention_matrix(True, CPU)), dense(zero.attention_matrix(True, CPU)))


@pytest.mark.parametrize(("isolated", "share"), [("zero", 1 / 3), ("self", 1.0)])
def test_lightgcn_shrinks_an_isolated_node_unless_it_is_its_own_neighbour(isolated: str, share: float) -> None:
    x0, encoder = random_vectors(), LightGCN(dim=8, num_layers=2)
    mixed = encoder.mixed(encoder(x0, bipartite_graph(random_matrix(), isolated)))
    torch.testing.assert_close(mixed[ISOLATED], share * x0[ISOLATED])


def test_unknown_isolated_is_refused() -> None:
    with pytest.raises(InputError, match=r"graph.isolated='none' is unknown; choose one of zero, self"):
        bipartite_graph(random_matrix(), "none")
