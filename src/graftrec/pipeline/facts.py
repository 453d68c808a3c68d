"""What a run folder and the trackers are told of a run before it is trained."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from omegaconf import DictConfig

from graftrec.pipeline import build
from graftrec.pipeline.run_folder import RunFolder
from graftrec.pipeline.task import Prepared, Result
from graftrec.pipeline.tracking import RunInfo


def facts_of(config: DictConfig, prepared: Prepared, chooses: bool = True) -> dict[str, Any]:
    """The data's id, hash and sizes, tags and the time.

    Validating on the test set is leaky where the run ``chooses`` by it (an epoch, a setting), or a sweep the run.
    """
    dataset = prepared.dataset
    return {
        "data": {"id": dataset.id, "hash": dataset.hash, "counts": dataset.counts},
        "sizes": {
            "users": dataset.num_users,
            "items": dataset.num_items,
            "train": len(dataset.train),
            "valid": len(dataset.valid),
            "test": len(dataset.test),
            "edges": prepared.data.graph.num_edges,
        },
        "text_vectors": {name: asdict(geometry) for name, geometry in prepared.geometry.items()},
        "adaptation": prepared.adaptation,
        "store_key": prepared.store_key,
        "tags": list(dict.fromkeys([*config.tags, *(["leaky"] if dataset.leaky and chooses else [])])),
        "started": time.strftime("%Y-%m-%dT%H:%M:%S"),
    }


def judged_users(results: Mapping[str, Result]) -> dict[str, int]:
    """How many users' lists each held-out part was judged by; nothing where no lists are judged."""
    return {part: int(result.values["num_users"]) for part, result in results.items() if "num_users" in result.values}


def run_info(config: DictConfig, run: RunFolder, facts: dict[str, Any]) -> RunInfo:
    """The run as trackers see it."""
    data = facts["data"]
    known = {"data_id": data["id"], "data_hash": data["hash"], "store_key": facts["store_key"]}
    return RunInfo(
        run.path,
        config.get("name") or run.path.name,  # runs of earlier versions have no such setting
        build.plain(config),
        config.group or data["id"],
        config.job_type,
        facts["tags"],
        {**known, "sizes": facts["sizes"], "environment": RunFolder.read_json(run.environment)},
    )


def random_seeds(seed: int, facts: Mapping[str, Any]) -> list[int]:
    """The seeds that a run (of ``seed``, with run.json ``facts``) depends on: of a blend those of its members.

    None of a recommender that has no random start, nor of blends of earlier versions, which kept no settings.
    """
    if "members" in facts:
        members = (member for member in facts["members"] if "settings" in member)
        return [own for member in members for own in random_seeds(member["settings"]["seed"], member)]
    if "model" in facts:  # its settings may have a seed of their own
        settings = facts["model"].get("settings", {})
        return [settings["seed"]] if "seed" in settings else []
    return [seed]
