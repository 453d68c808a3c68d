"""Tuning, choice and cache of the recommenders beside a run."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graftrec.baselines.base import TrainingData
from graftrec.baselines.ease import EASE
from graftrec.baselines.item_knn import ItemKNN
from graftrec.baselines.popularity import Popularity, SameForAll
from graftrec.baselines.text_knn import TextKNN
from graftrec.data.dataset import Dataset
from graftrec.errors import InputError
from graftrec.pipeline.baselines import Baselines, Tuned
from graftrec.recommend.evaluation import RankingProtocol, evaluate

PROTOCOL = RankingProtocol(k=(5, 10))
KNN = Tuned("item-kNN", ItemKNN(5, 0.0), {"shrinkage": [0.0, 20.0], "neighbours": [2, 40]})


@pytest.fixture
def chosen(synthetic: Dataset, tmp_path: Path) -> Any:
    """Results of some models on small data."""

    def run(*models: Tuned, features: np.ndarray | None = None, **settings: Any) -> dict[str, Any]:
        baselines = Baselines({tuned.name: tuned for tuned in models}, **settings)
        return baselines(synthetic, PROTOCOL, features, tmp_path)

    return run


def test_candidates_are_all_combinations_the_last_setting_fastest() -> None:
    assert KNN.candidates() == [ItemKNN(2, 0.0), ItemKNN(40, 0.0), ItemKNN(2, 20.0), ItemKNN(40, 20.0)]
    assert replace(KNN, grid=None).candidates() == [ItemKNN(5, 0.0)]


def test_validation_chooses_and_the_test_set_is_ranked_by_what_it_chose(chosen: Any, synthetic: Dataset) -> None:
    data, validation = TrainingData(synthetic.train), PROTOCOL.validation(synthetic)
    values = [evaluate(model.fit(data), validation).values["recall@10"] for model in KNN.candidates()]
    best = KNN.candidates()[int(np.argmax(values))]
    result = chosen(KNN, metric="recall")["item-kNN"]
    assert result["chosen"] == f"shrinkage {best.shrinkage:g}, neighbours {best.neighbours}"  # type: ignore[attr-defined]
    expected = evaluate(best.fit(data), PROTOCOL.test(synthetic)).values
    assert result["metrics"] == {f"test/{name}": value for name, value in expected.items()}


@dataclass(frozen=True)
class Counted(Popularity):
    """Notes its fits."""

    number: int = 0
    fits = []

    def fit(self, data: TrainingData) -> SameForAll:
        self.fits.append(self.number)
        return super().fit(data)


def test_one_candidate_is_not_tuned_and_results_are_fitted_once_a_data_set_and_setting(chosen: Any) -> None:
    Counted.fits.clear()
    first = chosen(Tuned("counted", Counted()))
    assert chosen(Tuned("counted", Counted()), KNN)["counted"] == first["counted"]
    assert Counted.fits == [0]
    chosen(Tuned("counted", Counted(), {"number": [1, 2]}))
    assert Counted.fits == [0, 1, 2, 1]  # tuned, and of equals the first is tested
    chosen(Tuned("counted", Counted()), metric="recall")
    assert len(Counted.fits) == 5


def test_models_that_read_text_are_left_out_without_features(chosen: Any, synthetic: Dataset) -> None:
    text = Tuned("text-kNN", TextKNN(True))
    features = np.random.default_rng(0).normal(size=(synthetic.num_items, 4)).astype(np.float32)
    assert list(chosen(text, Tuned("popularity", Popularity()))) == ["popularity"]
    assert list(chosen(text, features=features)) == ["text-kNN"]


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"neighbors": [5]}, "neighbors' is unknown; choose one of"),
        ({"neighbours": []}, "must be a list of values"),
        ({"neighbours": 5}, "must be a list of values"),
    ],
)
def test_grids_that_do_not_fit_the_model_are_refused(grid: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(KNN, grid=grid)


def test_bad_values_of_a_grid_are_refused_before_anything_is_fitted() -> None:
    with pytest.raises(InputError, match="must be > 0"):
        Tuned("EASE", EASE(1.0), {"penalty": [10.0, 0.0]})


def test_a_matrix_larger_than_memory_is_refused_with_the_estimate() -> None:
    tuned, degrees = Tuned("EASE", EASE(1.0)), (np.full(52_643, 45), np.full(91_599, 26))
    tuned.check_memory(*degrees, available_gib=32.0)
    tuned.check_memory(*degrees, available_gib=None)
    Tuned("popularity", Popularity()).check_memory(*degrees, available_gib=0.1)
    wanted = r"EASE needs about 11\.5 GiB for 52,643 users and 91,599 items, and there are 8\.0 GiB"
    with pytest.raises(InputError, match=wanted):
        tuned.check_memory(*degrees, available_gib=8.0)


def test_neighbours_of_all_items_are_refused_where_they_do_not_fit() -> None:
    degrees = (np.full(1_000_000, 200), np.full(500_000, 400))  # 500 of each item, 32 bytes each, and a block
    with pytest.raises(InputError, match=r"item-kNN needs about 7\.7 GiB for 1,000,000 users and 500,000 items"):
        Tuned("item-kNN", ItemKNN(10, 0.0)).check_memory(*degrees, available_gib=4.0)
