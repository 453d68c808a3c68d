"""Steps of a few rows, written out or drawn."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor

from graftrec.data.interactions import Interactions
from graftrec.data.sampling import Positives, PositiveSampler
from graftrec.graph.bipartite import bipartite_graph
from graftrec.graph.propagate import propagate
from graftrec.graph.views import Pass
from graftrec.nn.recommender import Embeddings
from graftrec.objectives.step import Batch, Step

Pairs = Sequence[tuple[int, int]]


def positives_of(pairs: Pairs, num_users: int, num_items: int, sampler: PositiveSampler | None = None) -> Positives:
    """The training set of ``pairs``."""
    user, item = np.array(sorted(set(pairs)), dtype=np.int64).T.copy()
    return Positives(
        Interactions(num_users, num_items, user, item, np.ones(len(user), dtype=np.int64)), sampler=sampler
    )


def step_of(
    users: Tensor,
    items: Tensor,
    batch: Pairs,
    negatives: Sequence[Sequence[int]] = (),
    shared: Sequence[int] = (),
    train: Pairs = (),
    x0: Tensor | None = None,
) -> Step:
    """A step over the embeddings ``users`` [U, d] and ``items`` [I, d]; the batch's pairs are training pairs."""
    user, item = torch.tensor(batch).T
    nodes = torch.cat([users, items])
    rows = (
        torch.tensor(negatives, dtype=torch.long).view(len(batch), -1)
        if negatives
        else torch.empty(len(batch), 0, dtype=torch.long)
    )
    positives = positives_of([*batch, *train], len(users), len(items))
    cells = (np.ones(len(positives), dtype=np.float32), (positives.users, positives.items))
    graph = bipartite_graph(sp.csr_matrix(cells, shape=(len(users), len(items))))
    return Step(
        Batch(user, item, rows, torch.tensor(shared, dtype=torch.long)),
        Pass(graph, nodes if x0 is None else x0),
        embeddings_of(nodes if x0 is None else x0, nodes),
        positives,
        encode,
    )


def encode(start: Pass) -> Embeddings:
    """A forward pass of two layers: X, AX and AAX and their mean."""
    matrix = start.graph.matrix("none", False, start.x0.device)
    layers = [start.x0]
    for index in range(2):
        layers.append(start.hook(propagate(matrix, layers[-1]), index))
    return Embeddings(start.x0, lambda: layers, mean_of_layers, start.masked)


def embeddings_of(x0: Tensor, nodes: Tensor) -> Embeddings:
    """A pass from ``x0`` that ends in ``nodes``, [N, d] both."""
    return Embeddings(x0, lambda: [x0, nodes], last_layer)


def last_layer(layers: Sequence[Tensor], rows: Tensor | None) -> Tensor:
    """At ``rows`` or everywhere."""
    return layers[-1] if rows is None else layers[-1].index_select(0, rows)


def mean_of_layers(layers: Sequence[Tensor], rows: Tensor | None) -> Tensor:
    """Of the layers, at ``rows`` or everywhere."""
    mixed = torch.stack([layer.to(layers[0].dtype) for layer in layers]).mean(0)
    return mixed if rows is None else mixed.index_select(0, rows)


def random_step(seed: int, per_positive: int = 2, num_shared: int = 5) -> Step:
    """Up to 6 users, 7 items and 9 pairs in double precision; items repeat within the batch and the shared ones."""
    generator = np.random.default_rng(seed)
    num_users, num_items = int(generator.integers(1, 7)), int(generator.integers(2, 8))
    batch_size = int(generator.integers(1, 10))

    def pairs(number: int) -> Pairs:
        drawn = zip(generator.integers(num_users, size=number), generator.integers(num_items, size=number), strict=True)
        return [(int(user), int(item)) for user, item in drawn]

    return step_of(
        torch.from_numpy(generator.normal(size=(num_users, 3))),
        torch.from_numpy(generator.normal(size=(num_items, 3))),
        pairs(batch_size),
        generator.integers(num_items, size=(batch_size, per_positive)).tolist(),
        generator.integers(num_items, size=num_shared).tolist(),
        pairs(int(generator.integers(0, 8))),
        torch.from_numpy(generator.normal(size=(num_users + num_items, 3))),
    )
