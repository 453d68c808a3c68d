"""The graph of the training interactions."""

import numpy as np
import pytest
import scipy.sparse as sp

from graftrec.data.dataset import Dataset
from graftrec.data.weightings import Binary, TfIdf
from graftrec.graph.bipartite import Bipartite, bipartite_graph


def test_blocks_by_hand() -> None:
    graph = bipartite_graph(sp.csr_matrix(np.array([[2, 0, 3]], dtype=np.float32)))
    assert graph.adjacency.toarray().tolist() == [[0, 2, 0, 3], [2, 0, 0, 0], [0, 0, 0, 0], [3, 0, 0, 0]]
    assert (graph.space.num_users, graph.space.num_items) == (1, 3)


def test_edges_are_the_training_pairs(synthetic: Dataset) -> None:
    graph = Bipartite(Binary())(synthetic)
    source, target = graph.edge_index
    users, items = source[source < target], target[source < target] - synthetic.num_users
    pairs = sorted(zip(users.tolist(), items.tolist(), strict=True))
    assert pairs == list(zip(synthetic.train.user.tolist(), synthetic.train.item.tolist(), strict=True))


def test_weights_are_those_of_the_weighting(synthetic: Dataset) -> None:
    adjacency = Bipartite(TfIdf())(synthetic).adjacency
    values = adjacency[synthetic.train.user, synthetic.train.item + synthetic.num_users]
    np.testing.assert_allclose(np.ravel(values), TfIdf()(synthetic.train), rtol=1e-6)


@pytest.mark.parametrize("weighting", [Binary(), TfIdf()])
def test_weights_stay_in_single_precision(synthetic: Dataset, weighting: Binary | TfIdf) -> None:
    assert Bipartite(weighting)(synthetic).adjacency.dtype == np.float32
