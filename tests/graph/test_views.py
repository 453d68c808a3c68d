"""What views change of a forward pass, and when they draw anew."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.errors import InputError
from graftrec.graph.graph import Graph
from graftrec.graph.node_space import NodeSpace
from graftrec.graph.normalize import EXPONENTS
from graftrec.graph.propagate import SparseMatrix
from graftrec.graph.views import DROPS, EdgeDropout, EpochDrop, NodeMask, Noise, Pass
from tests.graph.small_graphs import dense_adjacency, dense_normalized, random_graph, random_vectors

CPU = torch.device("cpu")
every_drop = pytest.mark.parametrize("drop", DROPS)
weighted_or_not = pytest.mark.parametrize("weighted", [False, True])


def dense(matrix: SparseMatrix) -> Tensor:
    """A [N, N]."""
    size = len(matrix.row_offsets) - 1
    return torch.zeros(size, size).index_put((matrix.pattern.rows, matrix.columns), matrix.weights)


def start_of(graph: Graph, epoch: tuple[int, int] = (0, 0)) -> Pass:
    return Pass(graph, random_vectors(), epoch)


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
def test_noise_has_length_epsilon_and_the_signs_of_the_layer(dtype: torch.dtype, tolerance: float) -> None:
    x = torch.randn(1000, 63).to(dtype)
    x[:, 0] = 0
    noise = Noise(0.3).noisy(x, 0).float() - x.float()
    torch.testing.assert_close(noise.norm(dim=1), torch.full((1000,), 0.3), rtol=0.2, atol=tolerance)
    assert (noise[:, 0] == 0).all()
    assert (noise * x >= 0).all()


def test_noise_is_uniform_before_it_is_scaled() -> None:
    noise = Noise(1.0).noisy(torch.full((60_000, 8), 1e-6), 0) - 1e-6
    uniform = torch.rand(60_000, 8)
    expected = uniform / uniform.norm(dim=1, keepdim=True)
    levels = torch.linspace(0.05, 0.95, 19)
    torch.testing.assert_close(noise.quantile(levels, dim=0), expected.quantile(levels, dim=0), rtol=0, atol=0.015)
    assert (noise.T.corrcoef() - expected.T.corrcoef()).abs().max() < 0.03


def test_noise_lets_gradients_through_and_follows_the_generator() -> None:
    x = torch.randn(5, 4, requires_grad=True)
    noisy = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        noisy.append(Noise().noisy(x, 0))
    assert torch.equal(noisy[0], noisy[1])
    assert not torch.equal(noisy[0], noisy[2])
    (gradient,) = torch.autograd.grad(noisy[0].sum(), x)
    assert (gradient == 1).all()


def test_two_views_of_noise_are_both_added() -> None:
    start = Noise(0.1)(Noise(0.2)(start_of(random_graph())))
    x = torch.ones(1, 1)
    assert start.hook(x, 0).item() == pytest.approx(1.3)


@pytest.mark.parametrize(("rate", "count"), [(0.5, 5), (0.01, 1), (0.0, 1)])
def test_masked_nodes_have_the_token_as_input(rate: float, count: int) -> None:
    view, start = NodeMask(8, rate), start_of(random_graph())
    with torch.no_grad():
        view.token.fill_(7.0)
    masked = view(start)
    assert len(masked.masked.unique()) == len(masked.masked) == count
    left = torch.tensor([node for node in range(13) if node not in masked.masked])
    assert (masked.x0[masked.masked] == 7).all()
    assert torch.equal(masked.x0[left], start.x0[left])
    assert not torch.equal(masked.masked, view(start).masked) or count == 1
    (gradient,) = torch.autograd.grad(masked.x0.sum(), view.token)
    assert (gradient == count).all()


def test_nodes_without_an_edge_are_not_masked() -> None:
    edges = np.zeros((5, 5), dtype=np.float32)
    edges[0, 3] = edges[3, 0] = 1
    start = Pass(Graph(NodeSpace(2, 3), sp.csr_matrix(edges)), torch.ones(5, 8))
    view = NodeMask(8, rate=0.5)
    assert {int(view(start).masked) for _ in range(30)} == {0, 3}


@weighted_or_not
@every_drop
def test_a_drop_leaves_edges_both_ways_with_their_weights(drop: str, weighted: bool) -> None:
    graph = random_graph(weighted)
    left = dense_adjacency(EpochDrop(drop, 0.3, number=1)(start_of(graph)).graph)
    assert torch.equal(left, left.T)
    edges = left != 0
    assert 0 < edges.sum() < graph.num_edges
    assert torch.equal(left[edges], dense_adjacency(graph)[edges])


def test_a_node_that_is_dropped_loses_all_its_edges_and_no_other_is_lost() -> None:
    graph = random_graph()
    before = dense_adjacency(graph)
    after = dense_adjacency(EpochDrop("node", 0.3, number=1)(start_of(graph)).graph)
    alone = (after.sum(1) == 0) & (before.sum(1) > 0)
    lost = (before != after).nonzero()
    assert len(lost) > 0
    assert (alone[lost[:, 0]] | alone[lost[:, 1]]).all()


@pytest.mark.parametrize(("drop", "kept"), [("edge", 0.7), ("node", 0.49)])
def test_share_of_edges_that_is_left(drop: str, kept: float) -> None:
    graph = random_graph()
    shares = [EpochDrop(drop, 0.3, 1)(start_of(graph, (0, epoch))).graph.num_edges for epoch in range(400)]
    assert sum(shares) / len(shares) / graph.num_edges == pytest.approx(kept, abs=0.03)


@every_drop
def test_draws_are_a_function_of_seed_epoch_and_number(drop: str) -> None:
    graph, views = random_graph(), [EpochDrop(drop, 0.4, number) for number in (1, 2)]
    drawn = {}
    for key in [(0, 0), (0, 1), (1, 0), (5, 3)]:
        for number, view in enumerate(views):
            torch.rand(7)
            drawn[(*key, number)] = dense_adjacency(view(start_of(graph, key)).graph)
            again = EpochDrop(drop, 0.4, number + 1)(start_of(graph, key)).graph
            assert torch.equal(drawn[(*key, number)], dense_adjacency(again))
    different = {tuple(graph.flatten().tolist()) for graph in drawn.values()}
    assert len(different) == len(drawn)


def test_a_graph_is_drawn_once_an_epoch() -> None:
    graph, view = random_graph(), EpochDrop("edge", 0.2, 1)
    first = view(start_of(graph)).graph
    assert view(start_of(graph)).graph is first
    assert view(start_of(graph, (0, 1))).graph is not first
    assert view(start_of(graph)).graph is not first  # one is kept
    assert view(start_of(graph)).graph.adjacency.nnz == first.adjacency.nnz
    assert view(start_of(random_graph())).graph is not view(start_of(graph)).graph


def test_a_thinner_graph_is_normalised_anew_by_a_drop() -> None:
    left = EpochDrop("edge", 0.3, 1)(start_of(random_graph(weighted=True))).graph
    expected = dense_normalized(left.adjacency.toarray(), 0.5, 0.5)
    torch.testing.assert_close(dense(left.matrix("symmetric", False, CPU)).double(), torch.from_numpy(expected))


@weighted_or_not
@pytest.mark.parametrize("self_loops", [False, True])
@pytest.mark.parametrize("normalization", EXPONENTS)
def test_dropout_leaves_entries_as_the_whole_graph_normalises_them(
    normalization: str, self_loops: bool, weighted: bool
) -> None:
    whole = random_graph(weighted)
    thin = EdgeDropout(0.4)(start_of(whole)).graph
    before, after = (dense(graph.matrix(normalization, self_loops, CPU)) for graph in (whole, thin))
    edges = after != 0
    assert torch.equal(edges.diagonal(), before.diagonal() != 0)  # loops stay
    assert 13 * self_loops < edges.sum() < (before != 0).sum()
    assert torch.equal(after[edges], before[edges])
    matrix = thin.matrix(normalization, self_loops, CPU)
    assert matrix is thin.matrix(normalization, self_loops, CPU)
    torch.testing.assert_close(dense(matrix.transpose), after.T)


@pytest.mark.parametrize("self_loops", [False, True])
def test_dropout_for_attention(self_loops: bool) -> None:
    whole = random_graph(weighted=True)
    thin = EdgeDropout(0.4)(start_of(whole)).graph
    before, after = (graph.attention_matrix(self_loops, CPU) for graph in (whole, thin))
    kept = len(thin.matrix("none", False, CPU).columns)
    assert len(after.columns) == kept + 13 * self_loops < len(before.columns)


def test_dropout_drops_the_two_directions_apart() -> None:
    pairs = np.eye(400, dtype=np.float32)
    adjacency = sp.csr_matrix(np.kron([[0, 1], [1, 0]], pairs).astype(np.float32))  # 400 users with one item each
    thin = EdgeDropout(0.4)(start_of(Graph(NodeSpace(400, 400), adjacency))).graph
    left = dense(thin.matrix("none", False, CPU))
    there, back = left[:400, 400:].diagonal(), left[400:, :400].diagonal()
    shares = [float(part.mean()) for part in (there, back, there * back)]
    assert shares == pytest.approx([0.6, 0.6, 0.36], abs=0.08)


def test_dropout_draws_anew_at_every_pass() -> None:
    start = start_of(random_graph())
    drawn = [dense(EdgeDropout(0.4)(start).graph.matrix("none", False, CPU)) for _ in range(2)]
    assert not torch.equal(*drawn)
    assert dense(EdgeDropout(0.0)(start).graph.matrix("none", False, CPU)).equal(dense_adjacency(start.graph))


def test_a_view_leaves_the_rest_of_a_pass_alone() -> None:
    start = replace(start_of(random_graph()), masked=torch.tensor([1]))
    for view in (Noise(), EdgeDropout(), EpochDrop("edge", 0.2, 1)):
        changed = view(start)
        assert (changed.x0 is start.x0, changed.masked is start.masked) == (True, True)


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_a_rate_outside_0_and_1_is_refused(rate: float) -> None:
    for make in (lambda: NodeMask(8, rate), lambda: EdgeDropout(rate), lambda: EpochDrop("edge", rate, 1)):
        with pytest.raises(InputError, match=rf"rate={rate} of a view must lie in \[0, 1\)"):
            make()


def test_negative_noise_and_an_unknown_drop_are_refused() -> None:
    with pytest.raises(InputError, match=r"epsilon=-1 of a view must be >= 0"):
        Noise(-1)
    with pytest.raises(InputError, match=r"drop='walk' is unknown; choose one of edge, node"):
        EpochDrop("walk", 0.1, 1)


@pytest.mark.parametrize("view", [EdgeDropout(0.5), EpochDrop("edge", 0.5, 0), EpochDrop("node", 0.5, 0)])
def test_isolated_nodes_keep_their_loops_under_a_drop(view: EdgeDropout | EpochDrop) -> None:
    whole = random_graph()
    whole = Graph(whole.space, whole.adjacency, isolated="self")
    alone = torch.from_numpy(whole.adjacency.sum(1) == 0).flatten()
    assert alone.sum() >= 2
    thinner = view(start_of(whole)).graph
    for self_loops in (False, True):
        left = dense(thinner.matrix("symmetric", self_loops, torch.device("cpu")))
        torch.testing.assert_close(left[alone], torch.eye(len(left))[alone])
