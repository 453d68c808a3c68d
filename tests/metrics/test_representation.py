"""Health of vectors by hand, and what smoothing does to them."""

from math import exp, log

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from graftrec.features.geometry import effective_rank
from graftrec.graph.bipartite import bipartite_graph
from graftrec.metrics.representation import alignment, co_neighbours, drift, smoothness, uniformity
from graftrec.nn.encoders.lightgcn import LightGCN
from tests.small_data import random_matrix

AXES = torch.eye(4)
FOUR_PAIRS = torch.tensor([[0, 1, 2, 3], [1, 2, 3, 0]])


def test_alignment_looks_at_directions_alone() -> None:
    assert alignment(AXES, 3 * AXES) == pytest.approx(0)
    assert alignment(AXES, -AXES) == pytest.approx(4)
    assert alignment(AXES[:2], AXES[[0, 3]]) == pytest.approx((0 + 2) / 2)


def test_uniformity_by_hand() -> None:
    assert uniformity(torch.ones(5, 3)) == pytest.approx(0, abs=1e-6)
    assert uniformity(5 * AXES) == pytest.approx(-4)  # each squared distance is 2
    line = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])  # squared distances 4, 2, 2
    assert uniformity(line) == pytest.approx(log((exp(-8) + 2 * exp(-4)) / 3))


@pytest.mark.parametrize(("rows", "rank"), [(np.eye(6), 6), (np.ones((6, 3)), 1), (np.zeros((6, 3)), 0)])
def test_effective_rank_counts_directions(rows: np.ndarray, rank: int) -> None:
    assert effective_rank(rows) == pytest.approx(rank)


def test_smoothness_of_equal_orthogonal_and_opposite_neighbours() -> None:
    assert smoothness(torch.ones(4, 3), FOUR_PAIRS) == pytest.approx(1)
    assert smoothness(AXES, FOUR_PAIRS) == 0
    assert smoothness(torch.tensor([[1.0], [1.0], [-1.0], [-1.0]]), FOUR_PAIRS) == 0  # 1, -1, 1, -1


def test_drift_is_of_rows_that_had_a_start() -> None:
    start = torch.tensor([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    assert drift(2 * start, start) == pytest.approx(0)
    turned = torch.tensor([[0.0, 1.0], [0.0, 1.0], [5.0, 5.0]])  # by 90 degrees, not at all, out of nothing
    assert drift(turned, start) == pytest.approx(0.5)


def test_co_neighbours_are_two_different_nodes_beside_a_third() -> None:
    adjacency = bipartite_graph(sp.csr_matrix(random_matrix(12, 9, 0.3, seed=1).astype(np.float32))).adjacency
    first, second = co_neighbours(adjacency, 2000, np.random.default_rng(0)).numpy()
    shared = (adjacency @ adjacency).toarray()
    np.fill_diagonal(shared, 0)
    assert set(zip(first, second, strict=True)) == set(zip(*shared.nonzero(), strict=True))


def test_nodes_of_one_neighbour_make_no_pairs() -> None:
    adjacency = bipartite_graph(sp.csr_matrix(np.eye(3, dtype=np.float32))).adjacency
    assert co_neighbours(adjacency, 50, np.random.default_rng(0)).shape == (2, 0)


def test_each_layer_of_lightgcn_is_smoother_than_the_one_before() -> None:
    graph = bipartite_graph(sp.csr_matrix(random_matrix(60, 40, 0.1, seed=0).astype(np.float32)))
    layers = LightGCN(dim=16, num_layers=30)(torch.randn(100, 16, generator=torch.manual_seed(0)), graph)
    pairs = co_neighbours(graph.adjacency, 2000, np.random.default_rng(0))
    values = [smoothness(layer, pairs) for layer in layers]
    assert abs(values[0]) < 0.1
    assert values[0] < values[1] < values[2] < values[4] < values[8]
    assert values[-1] > 0.95


def test_ends_of_an_edge_would_not_tell_of_smoothing() -> None:
    graph = bipartite_graph(sp.csr_matrix(random_matrix(60, 40, 0.1, seed=0).astype(np.float32)))
    layers = LightGCN(dim=16, num_layers=30)(torch.randn(100, 16, generator=torch.manual_seed(0)), graph)
    assert abs(smoothness(layers[-1], graph.edge_index)) < 0.5
