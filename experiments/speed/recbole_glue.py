"""RecBole 1.2.1 on gowalla's split, in an environment that its SciPy call no longer fits."""

import logging
import sys
from typing import Any

from common import BATCH, DIM, LAYERS, WORK, K, gowalla


def recbole_parts(evaluation_users: int = 1) -> tuple[Any, Any, Any, Any]:
    """Trainer, model, training and test loader; ``evaluation_users`` are ranked at once."""
    sys.argv = sys.argv[:1]  # RecBole reads the command line
    import scipy.sparse as sp

    if not hasattr(sp.dok_matrix, "_update"):  # gone from SciPy, called by get_norm_adj_mat
        sp.dok_matrix._update = lambda self, values: self._dict.update(values)
    _write_atomic_files()
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.model.general_recommender import LightGCN
    from recbole.trainer import Trainer
    from recbole.utils import init_seed

    settings = {
        "data_path": str(WORK),
        "benchmark_filename": ["train", "test", "test"],
        "load_col": {"inter": ["user_id", "item_id"]},
        "embedding_size": DIM,
        "n_layers": LAYERS,
        "reg_weight": 1e-4,
        "train_batch_size": BATCH,
        "eval_batch_size": evaluation_users * (int(gowalla()["num_items"]) + 1),
        "topk": [K],
        "metrics": ["Recall", "Precision", "NDCG"],
        "valid_metric": f"Recall@{K}",
        "metric_decimal_place": 7,
        "use_gpu": False,
        "show_progress": False,
        "checkpoint_dir": str(WORK / "recbole"),
    }
    config = Config(model="LightGCN", dataset="recbole_gowalla", config_dict=settings)
    init_seed(config["seed"], config["reproducibility"])
    logging.disable(logging.INFO)
    dataset = create_dataset(config)
    train, _, test = data_preparation(config, dataset)
    model = LightGCN(config, train._dataset)
    return Trainer(config, model), model, train, test


def _write_atomic_files() -> None:
    folder = WORK / "recbole_gowalla"
    folder.mkdir(parents=True, exist_ok=True)
    data = gowalla()
    for part in ("train", "test"):
        path = folder / f"recbole_gowalla.{part}.inter"
        if not path.is_file():
            pairs = zip(data[f"{part}_user"], data[f"{part}_item"], strict=True)
            path.write_text("user_id:token\titem_id:token\n" + "".join(f"{u}\t{i}\n" for u, i in pairs))
