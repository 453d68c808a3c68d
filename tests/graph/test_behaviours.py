"""The mix of normalised adjacencies is what dense algebra says, and its weights are learned."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from graftrec.data.interactions import Interactions
from graftrec.data.weightings import Binary, LogCount
from graftrec.errors import InputError
from graftrec.graph.behaviours import BehaviourGraph, Behaviours, of_behaviour
from graftrec.graph.graph import Graph
from graftrec.graph.propagate import propagate
from graftrec.nn.encoders.gat import GAT
from graftrec.nn.encoders.gcn import GCN
from graftrec.nn.encoders.gin import GIN
from graftrec.nn.encoders.lightgcn import LightGCN
from graftrec.nn.recommender import BehaviourMix, behaviour_mix
from tests.graph.small_graphs import dense_normalized, random_graph, random_vectors
from tests.small_data import small_dataset

CPU = torch.device("cpu")
KINDS = pytest.mark.parametrize("kind", ["none", "symmetric", "left", "l1_left", "l1_right"])
SHARES = torch.tensor([0.5, 0.2, 0.3])


def interactions() -> Interactions:
    """Three behaviours of 7 users and 6 items, the last of each without any; some pairs have several."""
    counts = np.random.default_rng(3).poisson(0.4, (7, 6, 3))
    counts[-1] = counts[:, -1] = 0
    user, item = np.nonzero(counts.sum(2))
    own = counts[user, item]
    return Interactions(7, 6, user, item, own.sum(1), behaviour=own, behaviours=("buy", "cart", "view"))


def graph(isolated: str = "zero", weighting: Binary | LogCount = Binary()) -> BehaviourGraph:  # noqa: B008
    data = small_dataset([list("tve")])
    object.__setattr__(data, "edges", interactions())
    return Behaviours(weighting, isolated)(data)


def dense(graph: Graph, kind: str, self_loops: bool) -> np.ndarray:
    matrix = graph.matrix(kind, self_loops, CPU)
    parts = (matrix.weights.detach().numpy(), matrix.columns.numpy(), matrix.row_offsets.numpy())
    return sp.csr_matrix(parts, shape=(13, 13)).toarray()


def adjacency(number: int) -> np.ndarray:
    """One behaviour's A [13, 13] with the logarithm of counts."""
    own = interactions()
    result = np.zeros((13, 13))
    result[own.user, own.item + 7] = np.log1p(own.behaviour[:, number])
    return result + result.T


@KINDS
@pytest.mark.parametrize("self_loops", [False, True])
def test_the_matrix_is_the_weighted_sum_of_normalised_adjacencies(kind: str, self_loops: bool) -> None:
    exponents = {"none": (0, 0), "symmetric": (0.5, 0.5), "left": (0.5, 0), "l1_left": (1, 0), "l1_right": (0, 1)}
    loops = np.eye(13) * self_loops
    parts = [dense_normalized(adjacency(number) + loops, *exponents[kind]) for number in range(3)]
    expected = sum(share * part for share, part in zip(SHARES.tolist(), parts, strict=True))
    made = graph(weighting=LogCount()).mixed(SHARES)
    np.testing.assert_allclose(dense(made, kind, self_loops), expected, rtol=1e-5, atol=1e-7)
    matrix = made.matrix(kind, self_loops, CPU)
    np.testing.assert_allclose(
        propagate(matrix.transpose, torch.eye(13)), dense(made, kind, self_loops).T, rtol=1e-5, atol=1e-7
    )


@KINDS
def test_without_weights_all_behaviours_count_alike(kind: str) -> None:
    equal = graph().mixed(torch.full((3,), 1 / 3))
    np.testing.assert_allclose(dense(graph(), kind, False), dense(equal, kind, False), rtol=1e-6)


@KINDS
@pytest.mark.parametrize("precision", [None, torch.bfloat16])
def test_gradients_of_the_shares_are_those_of_dense_algebra(kind: str, precision: torch.dtype | None) -> None:
    x, out = random_vectors(), random_vectors(seed=1)
    shares = SHARES.clone().requires_grad_()
    (propagate(graph().mixed(shares).matrix(kind, False, CPU), x, dtype=precision) * out).sum().backward()
    one_hot = torch.eye(3)
    parts = [torch.from_numpy(dense(graph().mixed(one_hot[number]), kind, False)) for number in range(3)]
    expected = torch.stack([((part @ x) * out).sum() for part in parts])
    tolerance = 1e-4 if precision is None else 0.1
    torch.testing.assert_close(shares.grad, expected, rtol=tolerance, atol=tolerance)


def test_isolated_nodes_are_their_own_neighbours_whatever_the_shares() -> None:
    made = dense(graph("self").mixed(SHARES), "symmetric", False)
    assert made[[6, 12], [6, 12]] == pytest.approx([1.0, 1.0])
    np.testing.assert_array_equal(np.delete(np.diag(made), [6, 12]), 0)


@KINDS
def test_hidden_pairs_carry_nothing_either_way_and_all_else_stays(kind: str) -> None:
    own, users, items = interactions(), torch.tensor([0, 2, 2]), torch.tensor([1, 0, 4])
    whole, left = dense(graph().mixed(SHARES), kind, True), dense(graph().mixed(SHARES, (users, items)), kind, True)
    assert set(zip(users.tolist(), items.tolist(), strict=True)) & set(zip(own.user, own.item, strict=True))
    whole[users, items + 7] = whole[items + 7, users] = 0
    np.testing.assert_array_equal(left, whole)


def test_pairs_of_one_behaviour_are_counted_alone() -> None:
    own, view = interactions(), of_behaviour(interactions(), "view")
    assert view.count.tolist() == own.behaviour[:, 2][own.behaviour[:, 2] > 0].tolist()
    assert view.behaviour.sum(0).tolist() == [0, 0, view.count.sum()]


@pytest.mark.parametrize("encoder", [LightGCN, GCN, GIN])
def test_encoders_learn_the_shares(encoder: type) -> None:
    torch.manual_seed(0)
    made, mix = encoder(dim=8), BehaviourMix(3)
    torch.testing.assert_close(mix.weights(), torch.full((3,), 1 / 3))
    made.mixed(made(random_vectors(), mix(graph()))).square().sum().backward()
    assert (mix.logits.grad != 0).all()
    assert mix.logits.grad.sum().item() == pytest.approx(0, abs=1e-4 * mix.logits.grad.abs().max().item())


def test_rows_alone_would_not_teach_the_shares() -> None:
    assert LightGCN(dim=8).rows_alone(random_vectors(), BehaviourMix(3)(graph())) is None
    assert LightGCN(dim=8).rows_alone(random_vectors(), graph()) is not None


def test_encoders_that_multiply_by_no_matrix_are_refused() -> None:
    with pytest.raises(InputError, match="graph=behaviours mixes matrices, and GAT multiplies by none; choose"):
        behaviour_mix(GAT(dim=8), graph())


def test_other_graphs_need_no_shares() -> None:
    assert behaviour_mix(GAT(dim=8), random_graph()) is None


def test_data_without_behaviours_is_refused() -> None:
    with pytest.raises(InputError, match=r"graph=behaviours needs a behaviour column; set data.columns.behaviour"):
        Behaviours(Binary())(small_dataset([list("tve")]))
