"""The configuration of a run without a command line."""

from collections.abc import Sequence

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import DictConfig, open_dict

from graftrec.pipeline.config import config_folder


def composed(words: Sequence[str]) -> DictConfig:
    """What ``graftrec train`` makes of ``words``."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(config_folder()), version_base="1.3"):
        config = compose("train", overrides=list(words), return_hydra_config=True)
    choices = config.hydra.runtime.choices
    with open_dict(config):
        del config["hydra"]
        config.choices = {group: chosen for group, chosen in choices.items() if not group.startswith("hydra/")}
        config.overrides = list(words)
    return config
