"""Views that foretell purchases: a graph that knows them finds what purchases alone do not show."""

from functools import cache

import numpy as np
import polars as pl
import torch

from graftrec.data.dataset import Dataset
from graftrec.data.filters import Filter
from graftrec.data.sampling import NegativeSampler, Positives
from graftrec.data.splits.random import RandomSplit
from graftrec.data.weightings import Behaviour, Binary
from graftrec.features.nodes import NodeFeatures
from graftrec.graph.behaviours import BehaviourGraph, Behaviours
from graftrec.graph.bipartite import Bipartite
from graftrec.graph.graph import Graph
from graftrec.nn.encoders.lightgcn import LightGCN
from graftrec.nn.inputs import IdInput
from graftrec.nn.recommender import Recommender, behaviour_mix
from graftrec.nn.scorers import Dot
from graftrec.recommend.evaluation import RankingProtocol, evaluate
from graftrec.scoring import FactorScorer
from graftrec.training.datamodule import EpochBatches, GraphDataModule
from graftrec.training.ranking import RankingModule
from graftrec.training.schedulers import constant
from tests.data.build import FrameSource
from tests.small_data import prepare
from tests.training.runs import ADAM, BPR_AND_L2, fit

BUYS_ALONE = Bipartite(Behaviour({"buy": 1.0, "cart": 0.0, "view": 0.0}))


@cache
def shop() -> Dataset:
    """200 users in 5 groups of 20 items: each buys 3 items of the group and views 8 others; carts are noise."""
    rng, rows = np.random.default_rng(0), []
    for user in range(200):
        own = rng.permutation(20)[:11] * 5 + user % 5
        rows += [(user, int(item), "buy") for item in own[:3]] + [(user, int(item), "view") for item in own[3:]]
        rows += [(user, int(item), "cart") for item in rng.integers(100, size=8)]
    frame = pl.DataFrame(rows, ["user", "item", "behaviour"], orient="row")
    return prepare(FrameSource(frame=frame, target_behaviour="buy"), Filter(), RandomSplit(0.34, 0.33))


def trained(graph: Graph, epochs: int = 15, learned: bool = True) -> tuple[float, Recommender]:
    """Test recall@10 of LightGCN on ids, and the model; of several behaviours under ``learned`` or equal weights."""
    torch.manual_seed(0)
    data, protocol, encoder = shop(), RankingProtocol(k=[10]), LightGCN(dim=16)
    batches = EpochBatches(Positives(data.train), NegativeSampler(), 128, seed=0)
    module_data = GraphDataModule(graph, NodeFeatures(), batches, protocol.validation(data), protocol.test(data))
    input = IdInput(module_data.nodes, dim=16)
    model = Recommender(input, encoder, Dot(), behaviour_mix(encoder, graph) if learned else None)
    fit(RankingModule(model, BPR_AND_L2, module_data, ADAM, constant, seed=0), module_data, epochs)
    with torch.no_grad():
        scorer = FactorScorer(*model.factors(graph))
    return evaluate(scorer, module_data.test).values["recall@10"], model


def test_views_find_what_buys_alone_do_not_show_and_noise_counts_less() -> None:
    alone, _ = trained(BUYS_ALONE(shop()))
    graph = Behaviours(Binary())(shop())
    assert isinstance(graph, BehaviourGraph)
    mixed, model = trained(graph)
    equal, _ = trained(graph, learned=False)
    assert mixed > 2 * alone
    assert mixed > 1.1 * equal
    assert model.behaviours is not None
    shares = dict(zip(graph.behaviours, model.behaviours.weights().tolist(), strict=True))
    assert shares["view"] > 2 * max(shares["cart"], shares["buy"])  # noise, and what is hidden while it is learned
