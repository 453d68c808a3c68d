"""Against scikit-learn, naive loops, and by hand."""

import math

import numpy as np
import pytest
import sklearn.metrics
import torch
from hypothesis import given
from hypothesis import strategies as st

from graftrec.metrics.classification import best_threshold, binary_metrics, report, roc_auc

LOGITS = torch.tensor([2.0, -1.0, 0.5, -3.0])
LABELS = torch.tensor([1, 1, 0, 0])
examples = st.lists(st.tuples(st.integers(-8, 8), st.booleans()), min_size=1, max_size=40)


def tensors(pairs: list[tuple[int, bool]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits in steps of a quarter, so that some are tied; a pair of each label is added."""
    logits, labels = zip(*pairs, (1, True), (0, False), strict=True)
    return torch.tensor(logits) / 4, torch.tensor(labels).long()


def test_by_hand() -> None:
    values = binary_metrics(LOGITS, LABELS, 0.5)
    counts = [values[f"{name}s"] for name in ("true_positive", "false_positive", "false_negative", "true_negative")]
    assert counts == [1, 1, 1, 1]
    assert [values[name] for name in ("accuracy", "precision", "recall", "f1", "threshold")] == [0.5] * 5
    assert values["roc_auc"] == 0.75  # 2 beats both, -1 beats -3
    assert values["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    losses = [math.log1p(math.exp(x)) for x in (-2.0, 1.0, 0.5, -3.0)]
    assert values["log_loss"] == pytest.approx(sum(losses) / 4)


@given(examples, st.floats(0.05, 0.95))
def test_against_scikit_learn(pairs: list[tuple[int, bool]], threshold: float) -> None:
    logits, labels = tensors(pairs)
    values = binary_metrics(logits, labels, threshold)
    probabilities, truth = logits.double().sigmoid().numpy(), labels.numpy()
    predicted = probabilities >= threshold
    precision, recall, f1, _ = sklearn.metrics.precision_recall_fscore_support(
        truth, predicted, average="binary", zero_division=0
    )
    (tn, fp), (fn, tp) = sklearn.metrics.confusion_matrix(truth, predicted, labels=[0, 1])
    expected = {
        "roc_auc": sklearn.metrics.roc_auc_score(truth, probabilities),
        "average_precision": sklearn.metrics.average_precision_score(truth, probabilities),
        "log_loss": sklearn.metrics.log_loss(truth, probabilities),
        "accuracy": sklearn.metrics.accuracy_score(truth, predicted),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "true_positives": tp,
        "false_positives": fp,
        "false_negatives": fn,
        "true_negatives": tn,
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_calibration_error_against_a_loop() -> None:
    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.normal(size=500))
    labels = torch.from_numpy(rng.integers(2, size=500))
    probabilities, expected = logits.sigmoid().numpy(), 0.0
    for low in range(15):
        inside = (probabilities > low / 15) & (probabilities <= (low + 1) / 15)
        if inside.any():
            gap = abs(labels.numpy()[inside].mean() - probabilities[inside].mean())
            expected += inside.mean() * gap
    assert binary_metrics(logits, labels, 0.5)["calibration_error"] == pytest.approx(expected, abs=1e-6)


@given(examples)
def test_best_threshold_against_a_loop(pairs: list[tuple[int, bool]]) -> None:
    logits, labels = tensors(pairs)
    probabilities = logits.double().sigmoid()
    f1 = {p: sklearn.metrics.f1_score(labels, probabilities >= p) for p in probabilities.tolist()}
    best = [p for p, value in f1.items() if value == pytest.approx(max(f1.values()), abs=1e-12)]
    assert best_threshold(logits, labels) == min(best)


@given(examples, st.sampled_from([1e-3, 1.0, 1e3]))
def test_roc_auc_is_of_ranks_alone(pairs: list[tuple[int, bool]], scale: float) -> None:
    scores, labels = tensors(pairs)
    wins = [(p > n) + (p == n) / 2 for p in scores[labels == 1].tolist() for n in scores[labels == 0].tolist()]
    assert roc_auc(scores.double() * scale, labels) == pytest.approx(sum(wins) / len(wins), abs=1e-6)


def test_confident_logits_have_a_finite_loss() -> None:
    assert binary_metrics(torch.tensor([90.0, -90.0]), torch.tensor([0, 1]), 0.5)["log_loss"] == pytest.approx(90)


def test_report_names_both_classes() -> None:
    text = report(LOGITS.sigmoid().numpy(), LABELS.numpy(), 0.5)
    lines = [line.split() for line in text.splitlines() if "interest" in line]
    assert lines == [
        ["no", "interest", "0.5000", "0.5000", "0.5000", "2"],
        ["interest", "0.5000", "0.5000", "0.5000", "2"],
    ]
