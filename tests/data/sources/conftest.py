"""The data sets as conf/data describes them, read from the folder of real data sets."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.utils import instantiate

from graftrec.data.dataset import Dataset
from graftrec.data.sources.base import Source
from tests.small_data import prepare

CONF = Path(__file__).parents[3] / "conf"
Configured = Callable[[str], Source]
Prepared = Callable[[str], Dataset]


@pytest.fixture
def configured(shared_data: Path) -> Configured:
    """The source of a data config; skips where its files are absent."""
    return lambda name: _instantiated(name, shared_data)[0]


@pytest.fixture
def prepared(shared_data: Path) -> Prepared:
    """The data set of a data config under its default filter and split; skips where its files are absent."""
    return lambda name: prepare(*_instantiated(name, shared_data))


def _instantiated(name: str, data: Path) -> tuple:
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("train", overrides=[f"data={name}", f"paths.data={data}"])
    if not Path(config.data.folder).is_dir():
        pytest.skip(f"no real data set at {config.data.folder}")
    return tuple(instantiate(config[group], _convert_="all") for group in ("data", "filter", "split"))
