"""What a training will take: items by hand, refusal, and what the machine has."""

from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from graftrec.data.dataset import Dataset
from graftrec.errors import InputError
from graftrec.features.adapt.memory import AdaptedSizes
from graftrec.pipeline import build
from graftrec.pipeline.available_memory import available_memory_gib
from graftrec.pipeline.config import config_folder
from graftrec.pipeline.memory import GIB, Sizes, check_memory, estimate, refuse_too_large, sizes_of
from tests.features.adapt.test_adaptation import needs_packages
from tests.features.encoders.tiny_models import save_bert

TINY = Sizes(
    num_users=3,
    num_items=2,
    num_edges=8,
    dim=4,
    num_layers=1,
    encoder="LightGCN",
    parameters=20,
    optimizer_copies=2,
    batch_size=2,
    negatives=1,
    shared_negatives=0,
    scored_users=2,
)


KEPT = {  # tables of nodes, values of edges that a layer keeps
    "identity": (0, 0),
    "lightgcn": (0, 0),
    "gcn": (3, 0),
    "gin": (9, 0),
    "gat": (3, 3),
    "gatedgcn": (9, 0),
}


def in_bytes(parts: dict[str, float]) -> dict[str, int]:
    return {name: round(gib * GIB) for name, gib in parts.items()}


def test_items_of_a_tiny_training() -> None:
    result = estimate(TINY)
    assert in_bytes(result.kept) == {
        "model and optimizer": 4 * 20 * 4,  # the parameters, their gradient, Adam's two copies
        "graph": 8 * 32,
        "text features": 0,
        "epoch": 4 * 8,  # pairs
    }
    assert in_bytes(result.phases) == {
        "step": 7 * 80 + 80 + 6 * (2 * 3) * 4 * 4,  # tables of 5 nodes x 4 numbers; the batch's rows
        "evaluation": 3 * 80 + 2 * 2 * 2 * 4,
        "checkpoint": 3 * 80,
    }
    assert result.total * GIB == pytest.approx(320 + 256 + 32 + 1216)
    assert result.largest == "step"


@pytest.mark.parametrize(
    ("changes", "more_in_a_step"),
    [
        ({"node_tables": 3, "edge_values": 3, "heads": 2}, 3 * 80 + 3 * 2 * 8 * 4),
        ({"node_tables": 9}, 9 * 80),
        ({"num_layers": 3}, 2 * 80),
        ({"propagated_bytes": 2}, -40),
        ({"shared_negatives": 10}, 6 * 10 * 4 * 4 + 2 * 10),
        ({"projector_width": 7}, 3 * 5 * 7 * 4),
        ({"input_tables": 3}, 3 * 80),
        ({"passes": 3}, 2 * (80 + 80)),  # a layer and the mix
        ({"passes": 3, "node_tables": 2, "edge_values": 1}, 2 * (80 + 80) + 3 * (2 * 80 + 8 * 4)),
    ],
    ids=str,
)
def test_what_a_step_takes_more(changes: dict[str, object], more_in_a_step: int) -> None:
    more = estimate(replace(TINY, **changes)).phases["step"] - estimate(TINY).phases["step"]
    assert round(more * GIB) == more_in_a_step


def test_every_graph_of_a_view_is_kept() -> None:
    assert in_bytes(estimate(replace(TINY, graphs=3)).kept)["graph"] == 3 * 8 * 32


def test_texts_and_optimizers_without_copies() -> None:
    assert in_bytes(estimate(replace(TINY, feature_width=6)).kept)["text features"] == 2 * 5 * 6 * 4
    both = estimate(replace(TINY, feature_width=6, text_width=10))  # conditioned of all nodes, encoded of two items
    assert in_bytes(both.kept)["text features"] == 2 * 5 * 6 * 4 + 2 * 10 * 4
    assert in_bytes(estimate(replace(TINY, optimizer_copies=0)).kept)["model and optimizer"] == 2 * 20 * 4


def test_refusal_names_what_is_needed_what_there_is_and_what_to_change() -> None:
    large = replace(TINY, num_users=10**9, parameters=4 * (10**9 + 2))
    with pytest.raises(InputError) as refused:
        refuse_too_large(estimate(large), available=16.0)
    message = str(refused.value)
    assert "takes about 178.81 GiB more (model and optimizer 59.60" in message
    assert (
        "1,000,000,000 users and 2 items of dim 4, 8 edges, layers of LightGCN: 1, 4,000,000,008 parameters" in message
    )
    assert "Only 16.00 GiB are available. The largest part is 'step': make smaller dim, encoder.num_layers" in message
    assert "memory_check=false" in message


def test_adapting_is_over_when_the_training_begins() -> None:
    training, large = estimate(TINY), AdaptedSizes(10**9, 10**9, texts=64, tokens=64, linear=1000, heads=10)
    both = estimate(TINY, large)
    assert both.total * GIB == pytest.approx(large.bytes)
    assert both.largest == "adapting the language model"
    assert str(both).startswith("about 15.")
    assert (both.kept, both.phases) == (training.kept, training.phases)
    longer = estimate(replace(TINY, num_users=10**9, parameters=4 * (10**9 + 2)), large)
    assert longer.largest == "step"


@needs_packages
def test_adapting_that_does_not_fit_is_refused_before_long_work(synthetic: Dataset, tmp_path: Path) -> None:
    model = [f"features.encoder.model.name={save_bert(tmp_path)}", "features.encoder.max_tokens=16"]
    config = composed("features=hf", *model, "adapt=full", f"paths.cache={tmp_path}/cache")
    adapted = build.adapted_sizes(config, synthetic)
    assert adapted is not None
    data = build.outline(config, synthetic, build.build_graph(config, synthetic))
    with pytest.raises(InputError, match=r"'adapting the language model': make smaller adapt\.batch_size or"):
        check_memory(config, data, available=0.1, adapted=adapted)
    assert not (tmp_path / "cache").exists()


def test_parts_too_small_to_show_are_left_out() -> None:
    assert str(estimate(TINY)) == "about 0.00 GiB more"


@pytest.mark.parametrize("available", [None, 1.0])
def test_what_fits_or_cannot_be_known_is_not_refused(available: float | None) -> None:
    refuse_too_large(estimate(TINY), available)


@pytest.mark.parametrize("encoder", KEPT)
def test_sizes_are_those_of_the_model_that_is_built(synthetic: Dataset, encoder: str) -> None:
    config = composed(f"encoder={encoder}", "features=hashing", "dim=8", "batch_size=64")
    data = build.outline(config, synthetic, build.build_graph(config, synthetic))
    sizes, module = sizes_of(config, data), build.build_module(config, data)
    assert sizes.parameters == sum(parameter.numel() for parameter in module.parameters())
    assert (sizes.num_users, sizes.num_items, sizes.num_edges) == (60, 40, 2 * len(synthetic.train))
    assert (sizes.dim, sizes.batch_size, sizes.scored_users) == (8, 64, 60)
    assert (sizes.node_tables, sizes.edge_values) == KEPT[encoder]
    assert (sizes.feature_width, sizes.shared_negatives, sizes.optimizer_copies) == (256, 1024, 2)


@pytest.mark.parametrize(
    ("words", "widths", "tables"),
    [
        (["input=init"], (8, 256), 0),
        (["input=gated", "conditioning=pca", "conditioning.dim=5"], (5, 256), 3),
        (["input=text", "features.users=none"], (256, 0), 0),
        (["input=concatenated", "conditioning=whiten"], (39, 256), 1),
    ],
    ids=str,
)
def test_sizes_of_each_way_of_entry(synthetic: Dataset, words: list[str], widths: tuple[int, int], tables: int) -> None:
    config = composed("features=hashing", "dim=8", *words)
    data = build.outline(config, synthetic, build.build_graph(config, synthetic))
    sizes, module = sizes_of(config, data), build.build_module(config, data)
    assert (sizes.feature_width, sizes.text_width, sizes.input_tables) == (*widths, tables)
    assert sizes.parameters == sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("objective", "extent"), [("bpr", (1, 1)), ("sgl", (3, 3)), ("simgcl", (3, 1))])
def test_passes_and_graphs_are_those_of_the_objective(
    synthetic: Dataset, objective: str, extent: tuple[int, int]
) -> None:
    config = composed("features=none", "input=id", f"objective={objective}")
    sizes = sizes_of(config, build.outline(config, synthetic, build.build_graph(config, synthetic)))
    assert (sizes.passes, sizes.graphs) == extent


def test_the_check_can_be_switched_off(synthetic: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    config = composed("features=none", "input=id")
    data = build.outline(config, synthetic, build.build_graph(config, synthetic))
    with pytest.raises(InputError, match=r"Only 0\.00 GiB are available"):
        check_memory(config, data, available=0.0)
    config.memory_check = False
    check_memory(config, data, available=0.0)
    assert capsys.readouterr().out.count("0.00 GiB are available") == 2


def composed(*words: str) -> DictConfig:
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        return compose("train", [*words, "data=synthetic"])


@pytest.mark.parametrize(
    ("group", "files", "expected"),
    [
        ("0::/job", {"job/memory.max": 3 * GIB, "job/memory.current": GIB, "job/memory.stat": "inactive_file 0"}, 2),
        ("0::/job", {"job/memory.max": "max", "job/memory.current": GIB, "job/memory.stat": "inactive_file 0"}, 8),
        ("0::/a/b", {"a/memory.max": 3 * GIB, "a/memory.current": 0, "a/memory.stat": "inactive_file 0"}, 3),
        (
            "4:memory:/job",
            {
                "memory/memory.limit_in_bytes": 4 * GIB,
                "memory/memory.usage_in_bytes": 3 * GIB,
                "memory/memory.stat": f"inactive_file 0\ntotal_inactive_file {GIB}",
            },
            2,
        ),
    ],
)
def test_the_tightest_limit_counts(tmp_path: Path, group: str, files: dict[str, object], expected: float) -> None:
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable: {8 * 2**20} kB\n")
    (proc / "self" / "cgroup").write_text(f"3:cpuset:/\n{group}\n")
    for name, content in files.items():
        (cgroups / name).parent.mkdir(parents=True, exist_ok=True)
        (cgroups / name).write_text(str(content))
    assert available_memory_gib(proc=proc, cgroups=cgroups) == expected


def test_other_systems_tell_nothing(tmp_path: Path) -> None:
    assert available_memory_gib(proc=tmp_path, cgroups=tmp_path) is None
