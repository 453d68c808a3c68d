"""``hydra/sweeper=graftrec_optuna``. Hydra imports this module at every start: Optuna waits until a sweep begins."""

from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class GraftrecOptuna(Sweeper):
    """Hands Hydra's settings to ``graftrec.pipeline.sweep``, where they are explained."""

    def __init__(
        self, params: DictConfig, sampler: DictConfig, pruner: DictConfig, storage: str | None, **settings: Any
    ) -> None:
        self.params = params
        self.nodes = {"sampler": sampler, "pruner": pruner}
        self.storage = storage
        self.settings = settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context = hydra_context
        self.config = config
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        from graftrec.pipeline.sweep.run import Sweep
        from graftrec.reporting.sweep import report

        sweep = Sweep.plan(self, arguments)
        sweep.run()
        report(sweep)
