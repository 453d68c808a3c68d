"""Can anything be said of the nodes that a split holds out whole?"""

import warnings

from omegaconf import DictConfig

from graftrec.data.dataset import Dataset
from graftrec.errors import InputError


def check_cold(config: DictConfig, dataset: Dataset) -> None:
    """Refuse vectors of held-out users that are made of their training items, which they have not.

    Warns where held-out nodes have nothing but a vector that was never trained: a control, no recommender.
    """
    if dataset.cold is None:
        return
    if config.input._target_.endswith(".IdInput"):
        warnings.warn(
            f"input=id knows nothing of the {dataset.cold}s that split=cold_{dataset.cold} holds out: they are ranked "
            f"by random vectors; choose input=text or input=id_plus_text.",
            stacklevel=2,
        )
    elif dataset.cold == "user" and config.features.get("users") != "text" and not _own_columns(config):
        raise InputError(
            "split=cold_user holds users out with all their items, so that no mean of their items says anything of "
            "them; set features.users=text (data.user_text names the columns) or tabular=columns with tabular.users, "
            "or choose split=cold_item."
        )


def _own_columns(config: DictConfig) -> bool:
    """Whether users have columns of their own."""
    kinds = config.tabular.get("users") or {}
    return any(names for kind, names in kinds.items() if kind != "_target_")
