"""Every encoder of the configuration, and the variants that change its mathematics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf

from graftrec.nn.encoders.base import Encoder
from graftrec.pipeline.config import config_folder

DIM = 8


@dataclass(frozen=True)
class EncoderCase:
    """An option of ``conf/encoder`` and what is changed in it."""

    name: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    def build(self, weighted: bool = False, seed: int = 0) -> Encoder:
        """The encoder with weights drawn from ``seed``."""
        leaf = OmegaConf.load(config_folder() / "encoder" / f"{self.name}.yaml")
        config = OmegaConf.create({"dim": DIM, "encoder": OmegaConf.merge(leaf, dict(self.changes))}).encoder
        torch.manual_seed(seed)
        encoder: Encoder = instantiate(config, weighted=weighted)
        return encoder

    def __str__(self) -> str:
        return "-".join([self.name, *(f"{key}={value}" for key, value in self.changes.items())])


OPTIONS = [EncoderCase(path.stem) for path in sorted((config_folder() / "encoder").glob("*.yaml"))]
VARIANTS = [
    EncoderCase("lightgcn", {"normalization": "l1_left"}),
    EncoderCase("gcn", {"self_loops": False, "normalization": "right"}),
    EncoderCase("gcn", {"norm": "batch"}),
    EncoderCase("gat", {"heads": 2, "residual": True}),
    EncoderCase("gat", {"self_loops": False}),
    EncoderCase("gin", {"aggregation": "sum", "norm": "layer"}),
    EncoderCase("gatedgcn", {"aggregation": "sum", "residual": False}),
]
CASES = [*OPTIONS, *VARIANTS]
MESSAGE_PASSING = [case for case in CASES if case.name != "identity"]
