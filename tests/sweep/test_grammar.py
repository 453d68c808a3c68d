"""Hydra's override grammar as Optuna's distributions."""

import pytest
from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from graftrec.errors import InputError
from graftrec.pipeline.config import config_folder
from graftrec.pipeline.sweep.grammar import Space, distribution

CONF = str(config_folder())

# The table of hydra-optuna-sweeper's own tests, in the distributions of today's Optuna. One line differs: there
# range(1,10) reaches 10, though everywhere else in Hydra a range ends before its stop.
TABLE = [
    ("key=choice(1,2)", CategoricalDistribution([1, 2])),
    ("key=choice(true, false)", CategoricalDistribution([True, False])),
    ("key=choice('hello', world)", CategoricalDistribution(["hello", "world"])),
    ("key=choice([1,2],[3])", CategoricalDistribution(["[1,2]", "[3]"])),
    ("key=null,0.1", CategoricalDistribution([None, 0.1])),
    ("key=gcn,gat", CategoricalDistribution(["gcn", "gat"])),
    ("key=shuffle(gcn,gat)", CategoricalDistribution(["gcn", "gat"])),
    ("encoder=glob(g*,exclude=gated*)", CategoricalDistribution(["gat", "gcn", "gin"])),
    ("key=range(1,3)", IntDistribution(1, 2)),
    ("key=range(0,10,3)", IntDistribution(0, 9, step=3)),
    ("key=range(5,1,-2)", IntDistribution(3, 5, step=2)),
    ("key=shuffle(range(1,3))", IntDistribution(1, 2)),
    ("key=range(0.5,1.5,0.25)", FloatDistribution(0.5, 1.25, step=0.25)),
    ("key=interval(1,5)", FloatDistribution(1, 5)),
    ("key=interval(1,5.0)", FloatDistribution(1, 5)),
    ("key=interval(1.0,5.0)", FloatDistribution(1, 5)),
    ("key=int(interval(1.0,5.0))", IntDistribution(1, 5)),
    ("key=float(interval(1,5))", FloatDistribution(1, 5)),
    ("key=tag(log,interval(1,100))", FloatDistribution(1, 100, log=True)),
    ("key=tag(log,interval(1e-4,1e-1))", FloatDistribution(1e-4, 1e-1, log=True)),
    ("key=tag(log,int(interval(1.0,100.0)))", IntDistribution(1, 100, log=True)),
    ("key=int(tag(log,interval(1.0,100.0)))", IntDistribution(1, 100, log=True)),
]


@pytest.fixture
def loader() -> ConfigLoader:
    return ConfigLoaderImpl(config_search_path=create_config_search_path(CONF))


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_grammar(text: str, expected: BaseDistribution, loader: ConfigLoader) -> None:
    assert distribution(OverridesParser.create(config_loader=loader).parse_overrides([text])[0]) == expected


@pytest.mark.parametrize("text", ["key=range(0,10,3)", "key=range(0.5,0.1,-0.1)", "key=range(1,4)", "key=choice(2,5)"])
def test_a_grid_has_the_values_that_hydra_itself_would_try(text: str, loader: ConfigLoader) -> None:
    override = OverridesParser.create(config_loader=loader).parse_overrides([text])[0]
    space = Space({"key": distribution(override)}, {})
    assert space.grid()["key"] == pytest.approx(sorted(override.sweep_iterator()))


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("key=range(3,3)", "the range is empty"),
        ("key=tag(logs,interval(1,2))", "the tag logs is unknown"),
        ("key=tag(log,interval(0,2))", "low"),
        ("key=interval(3,1)", "low"),
        ("key=interval(3", "cannot be read"),
        ("dim=32", "nothing to vary"),
    ],
)
def test_what_is_no_space_is_refused(word: str, told: str, loader: ConfigLoader) -> None:
    with pytest.raises(InputError, match=told):
        Space.parse({}, [word], loader)


def test_the_command_line_wins_over_the_file(loader: ConfigLoader) -> None:
    params = {"dim": "choice(32,64)", "optimizer.lr": "interval(0.1,0.2)", "seed": 3, "batch_size": "range(1,3)"}
    space = Space.parse(params, ["dim=16", "optimizer.lr=interval(1,2)", "+x.y=choice(a,b)"], loader)
    assert space.fixed == {"dim": "16", "seed": "3"}
    assert space.distributions == {
        "optimizer.lr": FloatDistribution(1, 2),
        "batch_size": IntDistribution(1, 2),
        "+x.y": CategoricalDistribution(["a", "b"]),
    }


def test_every_value_comes_back_as_it_was_meant(loader: ConfigLoader) -> None:
    words = [
        r"tags=choice([a\,b,'c d'],[])",
        "threads=null,2",
        "keep_freed_memory=choice(true,false)",
        "optimizer.lr=tag(log,interval(1e-7,1e-1))",
        "group='it\\'s, [so]'",
    ]
    space = Space.parse({}, words, loader)
    drawn = [
        {"tags": r"[a\,b,'c d']", "threads": None, "keep_freed_memory": False, "optimizer.lr": 1.2345678901234e-7},
        {"tags": "[]", "threads": 2, "keep_freed_memory": True, "optimizer.lr": 0.1},
    ]
    with initialize_config_dir(CONF, version_base="1.3"):
        got = [compose("train", overrides=space.overrides(params)) for params in drawn]
    assert [list(config.tags) for config in got] == [["a,b", "c d"], []]
    assert [config.threads for config in got] == [None, 2]
    assert [config.keep_freed_memory for config in got] == [False, True]
    assert [config.optimizer.lr for config in got] == [1.2345678901234e-7, 0.1]
    assert {config.group for config in got} == {"it's, [so]"}


def test_samples_show_every_choice(loader: ConfigLoader) -> None:
    space = Space.parse({}, ["a=choice(1,2,3)", "b=choice(x,y)", "c=interval(0.5,1.5)"], loader)
    samples = list(space.samples())
    assert [sample["a"] for sample in samples] == [1, 2, 3]
    assert {sample["b"] for sample in samples} == {"x", "y"}
    assert {sample["c"] for sample in samples} == {0.5}
