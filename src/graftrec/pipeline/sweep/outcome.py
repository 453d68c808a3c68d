"""How a run of a trial ended. Imports nothing heavy."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outcome:
    """How a run ended: complete, pruned, infeasible, failed. ``fatal``: no other trial could do better."""

    state: str
    metrics: dict[str, float] = field(default_factory=dict)
    error: str = ""
    fatal: bool = False
