"""One function a command: compose the configuration, call the story, print the result."""

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn

import hydra
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import ConfigCompositionException, OverrideParseException, SearchPathException
from omegaconf import DictConfig, MissingMandatoryValue, OmegaConf, open_dict

from graftrec.cli.fresh_folders import note_folders, without_trace
from graftrec.cli.settings import check_flags, explain
from graftrec.errors import InputError
from graftrec.pipeline.config import config_folder

Task = Callable[[DictConfig], Any]
INTERRUPTED = 130  # a shell's code for a command that Ctrl-C ended: 128 + SIGINT


_failed_jobs: list[str] = []  # of this process's sweep


def _friendly(task: Task) -> Task:
    """Bad input ends with its message, not with a traceback."""

    @wraps(task)
    def run(config: DictConfig) -> Any:
        try:
            return task(config)
        except InputError as error:
            _report(str(error))
        except MissingMandatoryValue as error:
            _report(f"{error.full_key} has no value; give it as {error.full_key}=...")

    return run


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """Ctrl-C in a run says what to type to go on: before training, the encoded texts are in the cache."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as error:
        from graftrec.pipeline.run_folder import RunFolder

        by_key = isinstance(error, KeyboardInterrupt) or isinstance(error.__context__, KeyboardInterrupt)
        if by_key and RunFolder(folder).facts.is_file():  # Lightning turns Ctrl-C into an exit of its own
            stop(f"interrupted. To go on, type:\n  graftrec train resume={folder}", INTERRUPTED)
        if by_key:
            raise KeyboardInterrupt from error
        raise


def _in_sweep() -> bool:
    mode = HydraConfig.get().mode if HydraConfig.initialized() else None
    return mode is not None and mode.name == "MULTIRUN"


def _report(message: str) -> None:
    """The end of a command; in a sweep the end of one job, and the others go on."""
    if not _in_sweep():
        stop(message)
    _failed_jobs.append(message)
    print(f"\ngraftrec: job {HydraConfig.get().job.num} failed: {message}", file=sys.stderr)


def stop(message: str, code: int = 1) -> NoReturn:
    """End the command with ``message``."""
    print(f"\ngraftrec: {message}", file=sys.stderr)
    sys.exit(code)


def command(name: str, task: Task) -> None:
    """Compose the configuration ``name`` from the command line and call ``task`` with it."""
    _share_config_store()
    main = hydra.main(version_base="1.3", config_path=str(config_folder()), config_name=name)(_friendly(task))
    try:
        check_flags(name)
        with _raising():
            main()
    except (ConfigCompositionException, OverrideParseException, SearchPathException) as error:
        stop(explain(error, name))
    except InputError as error:
        stop(str(error))


def _share_config_store() -> None:
    """Hydra copies its store for every group that --help lists, most of its time; what is loaded is a copy anyway."""
    store = ConfigStore.instance()
    vars(store)["__deepcopy__"] = lambda memo: store


@contextmanager
def _raising() -> Iterator[None]:
    """Hydra raises what it does not accept, where it would else print it in words of its own."""
    before = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = before


def train() -> None:
    """``graftrec train``."""
    _failed_jobs.clear()
    resumed = next((word.removeprefix("resume=") for word in sys.argv[1:] if word.startswith("resume=")), None)
    if resumed is not None:
        _resume(Path(resumed))
    else:
        note_folders()
        command("train", _train)
    if _failed_jobs:
        stop(f"{len(_failed_jobs)} {'job' if len(_failed_jobs) == 1 else 'jobs'} of the sweep failed.")


def prepare() -> None:
    """``graftrec prepare``."""
    sys.argv += ["hydra.output_subdir=null", "hydra.run.dir=."]
    command("train", _prepare)


def evaluate() -> None:
    """``graftrec evaluate``."""
    command("evaluate", _evaluate)


def recommend() -> None:
    """``graftrec recommend``."""
    command("recommend", _recommend)


def blend() -> None:
    """``graftrec blend``."""
    command("blend", _blend)


def _train(config: DictConfig) -> Any:
    from graftrec.pipeline.run import load_run
    from graftrec.pipeline.run_folder import RunFolder
    from graftrec.pipeline.train import train as run
    from graftrec.reporting.tables import print_run

    settings = HydraConfig.get()
    with open_dict(config):
        config.choices = {k: v for k, v in settings.runtime.choices.items() if not k.startswith("hydra/")}
        config.overrides = [word for word in settings.overrides.task if not word.startswith("trial=")]
        if _in_sweep():
            config.group = config.group or Path(settings.sweep.dir).name
            config.name = config.name or _job_name(config.overrides)
    if not _in_sweep() and any(word.startswith("sweep=") for word in config.overrides):
        typed = shlex.join(config.overrides)
        raise InputError(f"sweep= makes many runs, which needs -m: graftrec train -m {typed}")
    folder = Path(settings.runtime.output_dir)
    if config.trial is not None:
        from graftrec.pipeline.sweep.trial import run_trial

        config.job_type = "trial"
        return run_trial(config, folder)
    if RunFolder(folder).facts.exists():
        raise InputError(
            f"{folder} holds a run already; give another hydra.run.dir, or continue it: graftrec train resume={folder}"
        )
    with _resumable(folder), without_trace(folder):
        run(config, folder)
        print_run(load_run(folder))


def _job_name(words: Sequence[str]) -> str | None:
    """Number and settings of a basic multirun's job, less those that all jobs have; None of a search's trial."""
    settings = HydraConfig.get()
    multirun = Path(settings.sweep.dir) / "multirun.yaml"  # by Hydra's own sweeper
    if not multirun.is_file():
        return None
    typed = OverridesParser.create().parse_overrides(list(OmegaConf.load(multirun).hydra.overrides.task))
    last = {word.key_or_group: word for word in typed}
    common = {key for key, word in last.items() if not word.is_sweep_override()}
    return " ".join([str(settings.job.num), *(w for w in words if w.split("=")[0].lstrip("+~") not in common)])


def _resume(folder: Path) -> None:
    @_friendly
    def task(config: DictConfig) -> None:
        from graftrec.pipeline.run import check_run_folder, load_run
        from graftrec.pipeline.run_folder import RunFolder
        from graftrec.pipeline.train import train as run
        from graftrec.reporting.tables import print_run

        others = [word for word in sys.argv[1:] if not word.startswith("resume=")]
        if others:
            raise InputError(f"resume=RUN continues a run with its own settings; remove {' '.join(others)}.")
        check_run_folder(folder)
        files = RunFolder(folder)
        files.require("config")
        if files.is_blend():
            raise InputError(f"{folder} is a blend, which has nothing to continue; {files.rewrite()}.")
        with _resumable(folder):
            if not files.is_done():
                run(files.read_config(), folder)
            print_run(load_run(folder))

    task(DictConfig({}))


def _prepare(config: DictConfig) -> None:
    from graftrec.pipeline.prepare import prepare as run
    from graftrec.reporting.tables import print_prepared

    prepared = run(config, with_features=False)
    print_prepared(prepared.dataset, prepared.stages, prepared.data.graph.num_edges)


def _evaluate(config: DictConfig) -> None:
    from graftrec.pipeline.run import load_run
    from graftrec.reporting.tables import print_evaluation

    run = load_run(config.run)
    lengths = [config.k] if isinstance(config.k, int) else config.k
    print_evaluation(run, run.evaluate(lengths, config.mask))


def _recommend(config: DictConfig) -> None:
    from graftrec.pipeline.run import load_run
    from graftrec.reporting.tables import print_recommendations

    users = config.user if OmegaConf.is_list(config.user) else [config.user]
    print_recommendations(load_run(config.run), list(users), config.k)


def _blend(config: DictConfig) -> None:
    from graftrec.pipeline.blend import blend_runs
    from graftrec.pipeline.run import load_run
    from graftrec.reporting.tables import print_run

    given = list(config.runs) if OmegaConf.is_list(config.runs) else [config.runs]
    if not given or not all(isinstance(path, str) for path in given):
        raise InputError(f"runs={config.runs} must be two run folders; write runs=[RUN_A,RUN_B].")
    paths = [Path(path) for path in given]
    runs = [load_run(path) for path in paths]
    folder = Path(config.folder or paths[0].parent / f"{time.strftime('%Y-%m-%d_%H-%M-%S')}_blend")
    blend_runs(runs, config, folder)
    print_run(load_run(folder))
