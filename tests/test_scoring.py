import pytest
import torch

from graftrec.errors import InputError
from graftrec.scoring import FactorScorer

USERS = torch.tensor([[1.0, 2.0], [0.0, -1.0]])
ITEMS = torch.tensor([[3.0, 0.0], [1.0, 1.0], [0.0, 5.0]])


def test_scores_are_inner_products() -> None:
    scores = FactorScorer(USERS, ITEMS).scores(torch.tensor([1, 0, 1]))
    assert scores.tolist() == [[0, -1, -5], [3, 3, 10], [0, -1, -5]]


def test_scores_are_written_in_place() -> None:
    out = torch.full((1, 3), 9.0)
    returned = FactorScorer(USERS, ITEMS).scores(torch.tensor([0]), out=out)
    assert out.tolist() == [[3, 3, 10]]
    assert returned.data_ptr() == out.data_ptr()


def test_scores_of_half_precision_vectors_are_float32() -> None:
    assert FactorScorer(USERS.bfloat16(), ITEMS.bfloat16()).scores(torch.tensor([0])).dtype == torch.float32


def test_factors_are_the_vectors() -> None:
    users, items = FactorScorer(USERS, ITEMS).factors()
    assert (users.tolist(), items.tolist()) == (USERS.tolist(), ITEMS.tolist())


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("broken", ["users", "items"])
def test_vectors_that_are_not_finite_are_refused(broken: str, value: float) -> None:
    factors = {"users": USERS.clone(), "items": ITEMS.clone()}
    factors[broken][1, 0] = value
    with pytest.raises(InputError, match=r"embeddings are not finite: training diverged; lower optimizer.lr"):
        FactorScorer(**factors)
