"""What the scripts share: a small model on movielens_small, sweeps as commands, and their trials."""

import subprocess
import sys
from pathlib import Path

import optuna
from optuna.study import Study
from optuna.trial import FrozenTrial

from graftrec.pipeline.sweep.storage import open_storage

RESULTS = Path(__file__).resolve().parent / "results"
GRAFTREC = [sys.executable, "-m", "graftrec", "train"]
SMALL = ["data=movielens_small", "batch_size=8192", "threads=1", "trainer.enable_progress_bar=false"]
WITHOUT_TEXT = ["features=none", "input=id", "baselines=none", "logger=csv"]
SPACE = [
    "optimizer.lr=tag(log,interval(1e-3,1e-1))",
    "encoder.num_layers=range(1,5)",
    "dim=choice(16,32)",
    "objective.terms.softmax.temperature=interval(0.05,0.5)",
]


def place(name: str) -> Path:
    """Where a script's sweeps go: the folder typed after it, or outputs/sweeps/``name``."""
    typed = [word for word in sys.argv[1:] if not word.isdecimal()]
    return Path(typed[0] if typed else f"outputs/sweeps/{name}").absolute()


TWO_PROCESSES = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


def command(folder: Path, *words: str) -> list[str]:
    """A sweep into ``folder``: one trial after another, unless ``words`` name a launcher."""
    return [*GRAFTREC, "-m", "hydra/sweeper=graftrec_optuna", *SMALL, *words, f"hydra.sweep.dir={folder}"]


def run(words: list[str]) -> None:
    """Run a command, shown first."""
    print(*words, flush=True)
    subprocess.run(words, check=True)


def study(folder: Path) -> Study:
    """The study of the sweep in ``folder``; KeyError before it has begun."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.load_study(study_name=folder.name, storage=open_storage(None, folder))


def trials(folder: Path) -> list[FrozenTrial]:
    """All trials of the sweep in ``folder``; none before it has begun."""
    try:
        return study(folder).get_trials(deepcopy=False)
    except KeyError:
        return []


def seconds(folder: Path) -> float:
    """From the start of the first trial to the end of the last."""
    starts = [trial.datetime_start for trial in trials(folder) if trial.datetime_start is not None]
    ends = [trial.datetime_complete for trial in trials(folder) if trial.datetime_complete is not None]
    return round((max(ends) - min(starts)).total_seconds(), 1)
