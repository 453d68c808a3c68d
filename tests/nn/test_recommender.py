"""Input, encoder and scorer together."""

import numpy as np
import pytest
import scipy.sparse as sp
import torch

from graftrec.features.nodes import NodeFeatures
from graftrec.graph.bipartite import bipartite_graph
from graftrec.graph.views import Pass
from graftrec.nn.encoders.lightgcn import LightGCN
from graftrec.nn.inputs.base import Nodes
from graftrec.nn.inputs.ids import IdInput
from graftrec.nn.recommender import Recommender
from graftrec.nn.scorers import Cosine, Dot

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
@pytest.mark.parametrize("start", [Pass(GRAPH, X0), Pass(GRAPH, X0, hooks=(lambda x, index: x + 1,))], ids=["", "hook"])
def test_some_rows_are_those_of_the_whole_result_and_of_the_input(rows: list[int], start: Pass) -> None:
    embeddings = recommender(Dot()).encode(start)
    found = embeddings.at(torch.tensor(rows, dtype=torch.long))
    assert torch.equal(found.mixed, embeddings.nodes[rows])
    assert torch.equal(found.input, X0[rows])


def test_rows_alone_make_no_layer_whole() -> None:
    embeddings = recommender(Dot())(GRAPH)
    embeddings.at(torch.tensor([0]))
    assert "layers" not in vars(embeddings)


def test_where_a_view_hides_nodes_all_layers_are_made_once_for_all_that_ask() -> None:
    embeddings = recommender(Dot()).encode(Pass(GRAPH, X0, masked=torch.tensor([2])))
    embeddings.at(torch.tensor([0]))
    assert "layers" in vars(embeddings)
