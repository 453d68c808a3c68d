"""The story of one run, from configuration to a finished run folder."""

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import torch
from omegaconf import DictConfig, OmegaConf
from pytorch_lightning.callbacks import EarlyStopping
from safetensors.torch import save_file

from graftrec.data.files import written
from graftrec.data.storage import save_dataset
from graftrec.graph.behaviours import BehaviourGraph
from graftrec.pipeline import build
from graftrec.pipeline.allocator import keep_freed_memory
from graftrec.pipeline.checkpoints import check_resume, load_checkpoint, settle_moved_folder
from graftrec.pipeline.environment import environment
from graftrec.pipeline.facts import facts_of, judged_users, run_info
from graftrec.pipeline.fit import fit as fit_baseline
from graftrec.pipeline.prepare import prepare
from graftrec.pipeline.processes import Fit, fit_in_processes
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.task import Factors, Prepared, Result, Task
from graftrec.pipeline.tracking import tracked
from graftrec.training.base import GraphModule
from graftrec.training.pruning import Pruned


def train(config: DictConfig, folder: Path) -> dict[str, float]:
    """Train, test the best checkpoint, write the run folder; returns the flat metrics.

    A folder that holds ``checkpoints/last.ckpt`` is continued from its last finished epoch. ``run.json`` says
    what became of the run: running, finished, failed or, in a sweep, pruned.
    """
    run = RunFolder(folder)
    try:
        _settle(config)
        return fit_baseline(config, run) if config.get("baseline") else _train(config, run)
    except BaseException as error:
        facts = RunFolder.read_json(run.facts) if run.facts.is_file() else {}
        if facts.get("status") == "running":  # a finished run stays one when its last report is interrupted
            RunFolder.write_json(run.facts, {**facts, "status": "pruned" if isinstance(error, Pruned) else "failed"})
        raise


def _train(config: DictConfig, run: RunFolder) -> dict[str, float]:
    processes = build.num_processes(config)
    check_resume(run)
    RunFolder.write_text(run.config, OmegaConf.to_yaml(config, resolve=True))
    RunFolder.write_json(run.environment, environment())
    task: Task = build.instantiate(config.task)
    prepared = prepare(config, data_hash=run.data_hash() if run.last.is_file() else None)
    save_dataset(prepared.dataset, run.dataset)
    facts = facts_of(config, prepared)
    RunFolder.write_json(run.facts, {"status": "running", **facts})
    with tracked(build.instantiate(config.get("logger")) or {}, run_info(config, run, facts)) as tracking:
        module = build.build_module(config, prepared.data)
        trainer = build.build_trainer(config, run.checkpoints, tracking.loggers)
        with prepared.stages("train", _seconds_before(run)):
            if not _stopped_early(run):
                fit = Fit(DictConfig(build.plain(config)), run, module, prepared.data, run.last.is_file())
                fit(trainer) if processes == 1 else fit_in_processes(fit, tracking.loggers, processes)
        with prepared.stages("test"):
            trainer.test(module, prepared.data, ckpt_path=str(run.best), verbose=False, weights_only=True)
            results = task.write(module, _save_factors(module, run), prepared, run)
        with prepared.stages("baselines"):
            baselines = task.baselines(config, prepared)
        made = {**facts, **_facts_after(module, prepared, results, run), "baselines": baselines}
        metrics = {f"{part}/{name}": value for part, result in results.items() for name, value in result.values.items()}
        run.finish(made, metrics)
        tracking.report(run)
    return metrics


def _facts_after(
    module: GraphModule, prepared: Prepared, results: Mapping[str, Result], run: RunFolder
) -> dict[str, Any]:
    """What the training took and made, for run.json."""
    return {
        "stages": prepared.stages.to_dict(),
        "epochs": _epochs(run),
        "parameters": sum(p.numel() for p in module.parameters()),
        "judged_users": judged_users(results),
        **_behaviour_weights(module),
    }


def _settle(config: DictConfig) -> None:
    """What concerns the whole process."""
    _quiet()
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    if config.keep_freed_memory:
        keep_freed_memory()


def _stopped_early(run: RunFolder) -> bool:
    """Whether a run that is continued had come to its end; its folder may have been moved."""
    if not run.last.is_file():
        return False
    settle_moved_folder(run)
    states = load_checkpoint(run.last)["callbacks"]
    return any(state.get("stopped_epoch") for name, state in states.items() if EarlyStopping.__name__ in name)


def _seconds_before(run: RunFolder) -> float:
    """What the epochs took that an interrupted run had finished."""
    if not (run.last.is_file() and run.curves.is_file()):
        return 0.0
    finished = pl.read_csv(run.curves).filter(pl.col("epoch") <= load_checkpoint(run.last)["epoch"])
    return float(finished["cost/epoch_seconds"].sum()) if "cost/epoch_seconds" in finished.columns else 0.0


def _save_factors(module: GraphModule, run: RunFolder) -> Factors:
    """User and item vectors of the best checkpoint, on the CPU."""
    with torch.no_grad():
        users, items = (vectors.contiguous().cpu() for vectors in module.recommender.eval().factors(module.graph))
    with written(run.embeddings, "hydra.run.dir") as partial:
        save_file({"user": users, "item": items}, partial)
    return users, items


def _behaviour_weights(module: GraphModule) -> dict[str, dict[str, float]]:
    """What graph=behaviours has learned: how much each behaviour counts."""
    mix, graph = module.recommender.behaviours, module.graph
    if mix is None or not isinstance(graph, BehaviourGraph):
        return {}
    return {"behaviour_weights": dict(zip(graph.behaviours, mix.weights().tolist(), strict=True))}


def _epochs(run: RunFolder) -> dict[str, int]:
    """How many epochs were trained, and after how many of them the best checkpoint was saved."""
    last, best = (load_checkpoint(path)["epoch"] + 1 for path in (run.last, run.best))
    return {"trained": last, "best": best}


def _quiet() -> None:
    """Lightning's advice on devices and workers does not concern users of this pipeline."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="pytorch_lightning.*")
    warnings.filterwarnings("ignore", message=".*Sparse CSR tensor support is in beta.*")
