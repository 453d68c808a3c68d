"""Input, encoder and scorer together."""

import numpy as np
import scipy.sparse as sp
import torch

from graftrec.features.nodes import NodeFeatures
from graftrec.graph.bipartite import bipartite_graph
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
    assert embeddings.x0.tolist() == X0.tolist()
    assert embeddings.nodes.tolist() == [*USER, *ITEMS]


def test_embeddings_are_those_before_the_scorer() -> None:
    assert recommender(Cosine())(GRAPH).nodes.tolist() == [*USER, *ITEMS]


def test_dot_factors_are_the_embeddings() -> None:
    users, items = recommender(Dot()).factors(GRAPH)
    assert (users.tolist(), items.tolist()) == (USER, ITEMS)


def test_cosine_factors_have_unit_length() -> None:
    users, items = recommender(Cosine()).factors(GRAPH)
    torch.testing.assert_close(users @ items.T, torch.tensor([[1, 0.5**0.5]]))
