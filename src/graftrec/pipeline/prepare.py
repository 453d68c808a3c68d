"""Everything before training: read, split, graph, features."""

from omegaconf import DictConfig

from graftrec.data.dataset import Dataset
from graftrec.errors import InputError
from graftrec.features.conditioning.apply import training_catalogue
from graftrec.features.geometry import Geometry
from graftrec.features.nodes import NodeFeatures
from graftrec.pipeline import build
from graftrec.pipeline.available_memory import available_memory_gib
from graftrec.pipeline.cold import check_cold
from graftrec.pipeline.memory import check_memory, on_gpu
from graftrec.pipeline.stages import Stages
from graftrec.pipeline.task import Prepared


def prepare(config: DictConfig, with_features: bool = True, data_hash: str | None = None) -> Prepared:
    """Read, split, build the graph, encode the texts; time and memory of each stage are kept.

    ``data_hash`` is that of a run which is continued: other data is refused.
    """
    stages = Stages()
    with stages("read"):
        raw = build.read(config)
    with stages("filter and split"):
        dataset = build.build_dataset(config, raw)
        del raw
    if data_hash not in (None, dataset.hash):
        raise InputError(
            f"The run was started on other data (hash {data_hash}) than data={config.data.name} now gives "
            f"({dataset.hash}); bring the old tables back, or start a new run."
        )
    with stages("graph"):
        graph = build.build_graph(config, dataset)
    if with_features:
        with stages("checks"):
            check_cold(config, dataset)
            outline = build.outline(config, dataset, graph)
            check_memory(config, outline, _available_gib(config), build.adapted_sizes(config, dataset))
            build.rehearse(config, outline)
            del outline
    with stages("features"):
        features = build.build_features(config, dataset) if with_features else build.NodeFeatures()
        conditioned = build.condition(config, dataset, features) if with_features else features
        geometry = _geometry(dataset, features, conditioned)
    data = build.build_data_module(config, dataset, graph, features, conditioned)
    return Prepared(dataset, data, stages, geometry, features.adaptation, features.store_key)


def _geometry(dataset: Dataset, features: NodeFeatures, conditioned: NodeFeatures) -> dict[str, Geometry]:
    """How evenly the vectors of training items fill their space, before and after conditioning; printed."""
    if features.item is None:
        return {}
    blocks = {"encoded": features} if conditioned is features else {"encoded": features, "conditioned": conditioned}
    found = {name: Geometry.of(training_catalogue(block, dataset.train)) for name, block in blocks.items()}
    print("text vectors: " + "; ".join(f"{name} {geometry}" for name, geometry in found.items()), flush=True)
    return found


def _available_gib(config: DictConfig) -> float | None:
    """Memory for each process that trains: on a CPU they share it, each with a copy of model and data."""
    gib = available_memory_gib(on_gpu(config))
    return gib if gib is None or on_gpu(config) else gib / build.num_processes(config)
