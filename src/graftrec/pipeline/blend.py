"""The story of a blend: two finished runs, a weight chosen on validation, a run folder like any other."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from omegaconf import DictConfig, OmegaConf

from graftrec.data.files import check_writable
from graftrec.data.storage import save_dataset
from graftrec.errors import InputError, check_choice
from graftrec.metrics.direction import best
from graftrec.pipeline.environment import environment
from graftrec.pipeline.facts import random_seeds
from graftrec.pipeline.ranking import held_out_tasks, write_test
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.stages import Stages
from graftrec.recommend.blend import blend, blends, check_settings
from graftrec.recommend.evaluation import RankingTask, evaluate, evaluate_in_turn
from graftrec.scoring import Scorer

if TYPE_CHECKING:
    from graftrec.pipeline.run import Run

OF_THE_DATA: Final = (
    "data", "filter", "split", "weighting", "store", "profile", "prompts", "features", "adapt", "task", "monitor",
    "evaluation", "paths", "protocol", "seed", "group",
)  # fmt: skip


def blend_runs(runs: Sequence["Run"], config: DictConfig, folder: Path) -> dict[str, float]:
    """Blend two ``runs`` by ``config`` (method, weight or weights, metric, tuning_users); returns the flat metrics.

    Nothing is written before all is measured; ``metrics.json`` is the last file.
    """
    given = config.weights if config.weight is None else config.weight
    weights = list(given) if OmegaConf.is_list(given) else [given]
    check_settings(config.method, weights)
    check_members(runs)
    check_tuning(runs[0], config)
    check_choosable(runs[0], weights)
    run = RunFolder(folder)
    if run.metrics.exists() or (run.facts.exists() and not run.is_blend()):
        raise InputError(f"{folder} holds a run already; give another folder.")
    check_writable(folder, "folder")
    stages, dataset, tasks = Stages(), runs[0].dataset, held_out_tasks(runs[0])
    with stages("members"):
        members = (runs[0].scorer, runs[1].scorer)
    with stages("train"):
        weight = chosen_weight(members, weights, tasks["valid"], config)
        blended = blend(members, weight, config.method, dataset.train.matrix)
    with stages("test"):
        test = evaluate(blended, tasks["test"])
        valid = test if dataset.leaky else evaluate(blended, tasks["valid"])  # leaky: the same users and items
        results = {"test": test, "valid": valid}
    metrics = {f"{part}/{name}": value for part, result in results.items() for name, value in result.values.items()}
    RunFolder.write_text(run.config, OmegaConf.to_yaml(_settings(runs, config)), "folder")
    RunFolder.write_json(run.environment, environment(), "folder")
    save_dataset(dataset, run.dataset)
    write_test(results["test"], blended, tasks["test"], dataset, run)
    judged = {"judged_users": {part: int(result.values["num_users"]) for part, result in results.items()}}
    facts = {**_facts(runs, config.method, weight), "stages": stages.to_dict(), **judged}
    RunFolder.write_json(run.facts, facts, "folder")
    RunFolder.write_json(run.metrics, metrics, "folder")
    return metrics


def check_members(runs: Sequence["Run"]) -> None:
    """Refuse runs whose scores are not of the same question."""
    folders = [run.folder.path.resolve() for run in runs]
    if len(folders) != 2:
        raise InputError(f"A blend is made of two runs, and {len(folders)} were given; write runs=[RUN_A,RUN_B].")
    if folders[0] == folders[1]:
        raise InputError(f"A blend is made of two different runs, and {folders[0]} was given twice.")
    for run in runs:
        if run.task.name != "ranking":
            raise InputError(f"{run.folder.path} is of task={run.task.name}; a blend ranks: give runs of task=ranking.")
    first, second = (_question(run) for run in runs)
    for name, value in first.items():
        if value != second[name]:
            raise InputError(
                f"The runs differ in their {name} ({value} and {second[name]}), so that no blend of them can be "
                f"judged; train one of them again with that of the other."
            )


def _question(run: "Run") -> dict[str, Any]:
    """What two runs must share."""
    evaluation = run.config.evaluation
    return {
        "data": f"{run.facts['data']['id']}, hash {run.facts['data']['hash']}",
        "protocol": run.config.protocol,
        "evaluation.mask": evaluation.mask,
        "evaluation.k": list(evaluation.k),
        "evaluation.max_users": evaluation.get("max_users"),  # runs of earlier versions have no such setting
    }


def check_tuning(run: "Run", config: DictConfig) -> None:
    """Refuse a metric that the run does not have, or a number of users that is none."""
    k = max(run.config.evaluation.k)
    known = sorted(name[len("valid/") : -len(f"@{k}")] for name in run.metrics if _of_length(name, k))
    check_choice("metric", config.metric, known)
    users = config.tuning_users
    if users is not None and (not isinstance(users, int) or users < 1):
        raise InputError(f"tuning_users={users} must be a whole number >= 1, or null for all.")


def _of_length(name: str, k: int) -> bool:
    """Whether a metric of a run, such as valid/ndcg@20, is one of validation at ``k``, of all items."""
    return name.startswith("valid/") and name.count("/") == 1 and name.endswith(f"@{k}")


def check_choosable(run: "Run", weights: Sequence[float]) -> None:
    """Refuse to choose one of ``weights`` on the test set."""
    if run.dataset.leaky and len(weights) > 1:
        raise InputError(
            f"{run.folder.path} has no validation part but the test set (protocol=paper), on which no weight may be "
            f"chosen; give it: weight=0.5."
        )


def chosen_weight(
    members: tuple[Scorer, Scorer], weights: Sequence[float], validation: RankingTask, config: DictConfig
) -> float:
    """The weight with the best ``config.metric`` on validation; the first of equals."""
    if len(weights) == 1:
        return float(weights[0])
    metric = f"{config.metric}@{max(validation.k)}"
    blended = blends(members, weights, config.method, validation.seen)
    results = [result.values for result in evaluate_in_turn(blended, validation, config.tuning_users)]
    return float(weights[best([values[metric] for values in results], metric)])


def blend_scorer(run: "Run") -> Scorer:
    """The scorer of a finished blend, from its members' folders."""
    from graftrec.pipeline.run import load_run

    settings = run.facts["model"]["settings"]
    runs = [load_run(member["folder"]) for member in run.facts["members"]]
    for member in runs:
        if member.dataset.hash != run.dataset.hash:
            raise InputError(
                f"{member.folder.path} is no longer the run that was blended: its data is another; "
                f"blend again by graftrec blend runs=[...]."
            )
    members = (runs[0].scorer, runs[1].scorer)
    return blend(members, settings["weight"], settings["method"], run.dataset.train.matrix)


def _settings(runs: Sequence["Run"], config: DictConfig) -> DictConfig:
    """What the members share, and how they are blended."""
    first = runs[0].config
    shared = {name: first[name] for name in OF_THE_DATA if name in first}
    own = {**config, "runs": [str(run.folder.path.resolve()) for run in runs]}
    choices = {name: value for name, value in first.choices.items() if name in OF_THE_DATA}
    seed = max([seed for run in runs for seed in random_seeds(run.config.seed, run.facts)], default=0)
    return OmegaConf.create(
        {**shared, "seed": seed, "blend": own, "choices": choices, "overrides": [], "tags": _tags(runs)}
    )


def _facts(runs: Sequence["Run"], method: str, weight: float) -> dict[str, Any]:
    first = runs[0].facts
    return {
        "status": "finished",
        **{name: first[name] for name in ("data", "sizes")},
        "tags": _tags(runs),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S"),
        "model": {"name": "blend", "settings": {"method": method, "weight": weight}},
        "members": [_member(run) for run in runs],
        "baselines": {**runs[1].facts["baselines"], **first["baselines"]},
    }


def _tags(runs: Sequence["Run"]) -> list[str]:
    """Of any member: one that saw the test set makes the blend leaky."""
    return list(dict.fromkeys(tag for run in runs for tag in run.facts["tags"]))


def _member(run: "Run") -> dict[str, Any]:
    """Where a member lies, how it was made, and what it reached alone."""
    name = run.facts["model"]["name"] if "model" in run.facts else run.config.choices.encoder
    seconds = run.facts["stages"]["train"]["seconds"]
    reached = {"name": name, "metrics": run.metrics, "seconds": seconds}
    made: dict[str, Any] = {key: run.facts[key] for key in ("model", "members") if key in run.facts}
    return {"folder": str(run.folder.path.resolve()), **reached, "settings": run.folder.read_settings(), **made}
