"""Input, encoder and scorer together."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.features.nodes import NodeFeatures
from graftrec.graph.bipartite import bipartite_graph
from graftrec.graph.views import Pass
from graftrec.nn.encoders.lightgcn import LightGCN
from graftrec.nn.inputs.base import Nodes
from graftrec.nn.inputs.ids import IdInput
from graftrec.nn.recommender import Recommender
from graftrec.nn.scorers import Cosine, Dot

Hook = Callable[[Tensor, int], Tensor]

# One user with the first of two items: a layer swaps the vectors of these two.
GRAPH = bipartite_graph(sp.csr_matrix(np.array([[1, 0]], dtype=np.float32)))
X0 = torch.tensor([[2.0, 0.0], [4.0, 6.0], [8.0, 0.0]])
USER, ITEMS = [[3.0, 3.0]], [[3.0, 3.0], [4.0, 0.0]]  # means of x0 and one layer


def recommender(scorer: Dot | Cosine) -> Recommender:
    """One layer of LightGCN over X0."""
    ids = IdInput(Nodes(GRAPH.space, torch.tensor([1, 1, 0]), NodeFeatures()), dim=2)
    ids.load_state_dict({"weight": X0})
    return Recommender(ids, LightGCN(dim=2, num_layers=1), scorer)


def test_embeddings_by_hand() -> None:
    embeddings = recommender(Dot())(GRAPH)
    assert [layer.tolist() for layer in embeddings.layers] == [X0.tolist(), [[4, 6], [2, 0], [0, 0]]]
    assert embeddings.nodes.tolist() == [*USER, *ITEMS]
    assert embeddings.masked is None


def test_a_pass_brings_its_own_input_noise_and_masked_nodes() -> None:
    start = Pass(GRAPH, 2 * X0, hooks=(lambda x, index: x + 1, lambda x, index: 10 * x), masked=torch.tensor([2]))
    embeddings = recommender(Dot()).encode(start)
    assert [layer.tolist() for layer in embeddings.layers] == [(2 * X0).tolist(), [[90, 130], [50, 10], [10, 10]]]
    assert embeddings.nodes.tolist() == [[47, 65], [29, 11], [13, 5]]
    assert embeddings.masked.tolist() == [2]


def test_embeddings_are_those_before_the_scorer() -> None:
    assert recommender(Cosine())(GRAPH).nodes.tolist() == [*USER, *ITEMS]


def test_dot_factors_are_the_embeddings() -> None:
    users, items = recommender(Dot()).factors(GRAPH)
    assert (users.tolist(), items.tolist()) == (USER, ITEMS)


def test_cosine_factors_have_unit_length() -> None:
    users, items = recommender(Cosine()).factors(GRAPH)
    torch.testing.assert_close(users @ items.T, torch.tensor([[1, 0.5**0.5]]))


@pytest.mark.parametrize("rows", [[0, 2, 0, 1], [1], []], ids=str)
@pytest.mark.parametrize("hooks", [(), (lambda x, index: x + 1,)], ids=["no view", "hook"])
def test_some_rows_and_their_gradients_are_those_of_the_whole(rows: list[int], hooks: tuple[Hook, ...]) -> None:
    results = []
    for whole in (True, False):
        x0 = X0.clone().requires_grad_()
        embeddings = recommender(Dot()).encode(Pass(GRAPH, x0, hooks=hooks))
        at = embeddings.at(torch.tensor(rows, dtype=torch.long))
        found = (embeddings.nodes[rows], x0[rows]) if whole else (at.mixed, at.input)
        weights = torch.arange(1.0, 1 + 2 * len(rows)).view(-1, 2)
        loss = (weights * found[0].square()).sum() + (weights * found[1]).sum()
        results.append((*found, *torch.autograd.grad(loss, x0)))
    torch.testing.assert_close(*results)


class Counted(LightGCN):
    """Knows how often it made its layers."""

    made = 0

    def forward(self, *arguments: Any) -> list[Tensor]:
        self.made += 1
        return super().forward(*arguments)


@pytest.mark.parametrize(("whole", "made"), [(False, 0), (True, 1)])
def test_layers_are_made_once_where_all_nodes_are_needed_and_never_for_some_rows(whole: bool, made: int) -> None:
    encoder = Counted(dim=2, num_layers=1)
    embeddings = Recommender(recommender(Dot()).input, encoder, Dot()).encode(Pass(GRAPH, X0), whole)
    for row in (0, 1):
        embeddings.at(torch.tensor([row]))
    assert encoder.made == made
    assert embeddings.nodes.tolist() == [*USER, *ITEMS]
    assert encoder.made == 1
