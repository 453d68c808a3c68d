"""A trial's way from inside its job to the study."""

from pathlib import Path

import optuna
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig
from optuna.samplers import RandomSampler
from optuna.trial import Trial

from graftrec.pipeline import build
from graftrec.pipeline.sweep.storage import open_storage
from graftrec.training.pruning import Pruning


def pruning(config: DictConfig) -> Pruning:
    """Reports the objective to the study's storage; it takes it from Hydra's settings, where a password may stand."""
    sweeper, trial = HydraConfig.get().sweeper, config.trial
    study = optuna.load_study(
        study_name=trial.study,
        storage=open_storage(sweeper.storage, Path(trial.sweep)),
        sampler=RandomSampler(),
        pruner=build.instantiate(sweeper.pruner),
    )
    frozen = study.get_trials(deepcopy=False)[trial.number]
    return Pruning(Trial(study, frozen._trial_id), trial.objectives[0])
