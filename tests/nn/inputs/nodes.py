"""Small node sets with features."""

from collections.abc import Sequence

import numpy as np
import torch

from graftrec.features.nodes import NodeFeatures
from graftrec.graph.node_space import NodeSpace
from graftrec.nn.inputs.base import Nodes

SPACE = NodeSpace(num_users=30, num_items=20)
DIM, WIDTH = 16, 12


def random_features(user_width: int = WIDTH, width: int = WIDTH) -> NodeFeatures:
    """Features whose mean is not 0 and whose deviation is not 1."""
    generator = np.random.default_rng(0)
    user = generator.normal(0.02, 0.05, (SPACE.num_users, user_width)).astype(np.float32)
    item = generator.normal(0.02, 0.05, (SPACE.num_items, width)).astype(np.float32)
    return NodeFeatures(user, item)


def partly_absent() -> NodeFeatures:
    """Every third user and item has no features."""
    features = random_features()
    users, items = np.arange(SPACE.num_users) % 3 > 0, np.arange(SPACE.num_items) % 3 > 0
    assert features.user is not None
    assert features.item is not None
    return NodeFeatures(features.user * users[:, None], features.item * items[:, None], users, items)


def nodes(features: NodeFeatures, cold: Sequence[int] = (), space: NodeSpace = SPACE) -> Nodes:
    """Degrees 1, 2, ..., and 0 of the ``cold`` nodes."""
    degree = torch.arange(1, space.num_nodes + 1)
    degree[list(cold)] = 0
    return Nodes(space, degree, features)
