"""Everything before training: read, split, graph, features."""

from omegaconf import DictConfig

from graftrec.pipeline import build
from graftrec.pipeline.stages import Stages
from graftrec.pipeline.task import Prepared


def prepare(config: DictConfig, with_features: bool = True) -> Prepared:
    """Read, split, build the graph, encode the texts; time and memory of each stage are kept."""
    stages = Stages()
    with stages("read"):
        raw = build.read(config)
    with stages("filter and split"):
        dataset = build.build_dataset(config, raw)
        del raw
    with stages("graph"):
        graph = build.build_graph(config, dataset)
    with stages("features"):
        features = build.build_features(config, dataset) if with_features else build.NodeFeatures()
    return Prepared(dataset, build.build_data_module(config, dataset, graph, features), stages)
