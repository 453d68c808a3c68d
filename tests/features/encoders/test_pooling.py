import pytest
import torch

from graftrec.features.encoders.pooling import POOLINGS

HIDDEN = torch.tensor([[[1.0, -5.0], [4.0, 1.0], [1.0, 4.0]], [[0.0, 0.0], [6.0, -6.0], [0.0, 12.0]]])
BY_HAND = {
    "mean": [[2, 0], [2, 2]],
    "weighted_mean": [[12 / 6, 9 / 6], [12 / 6, 24 / 6]],  # weights 1/6, 2/6, 3/6
    "max": [[4, 4], [6, 12]],
    "cls": [[1, -5], [0, 0]],
    "last": [[1, 4], [0, 12]],
}


@pytest.mark.parametrize("pooling", POOLINGS)
def test_pooling_of_three_tokens_by_hand(pooling: str) -> None:
    torch.testing.assert_close(POOLINGS[pooling](HIDDEN), torch.tensor(BY_HAND[pooling]).float())
