"""Metrics of interest classification, from logits and labels. P(interest) = sigmoid(logit)."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

CALIBRATION_BINS = 15


def binary_metrics(logits: Tensor, labels: Tensor, threshold: float) -> dict[str, float]:
    """All values for ``logits`` [n] and ``labels`` [n] (0 or 1), where P >= ``threshold`` predicts interest.

    ROC-AUC, average precision, log loss (nats a pair) and the expected calibration error (l1, equal-width
    bins) look at the probabilities alone; accuracy, precision, recall, F1 and the confusion
    counts at the predictions. A ratio without a denominator is 0.
    """
    from torchmetrics.functional import classification

    probabilities = logits.double().sigmoid()
    predicted = (probabilities >= threshold).long()
    (true_negatives, false_positives), (false_negatives, true_positives) = classification.binary_confusion_matrix(
        predicted, labels
    ).tolist()
    values = {
        "roc_auc": roc_auc(probabilities, labels),
        "average_precision": classification.binary_average_precision(probabilities, labels),
        "log_loss": F.binary_cross_entropy_with_logits(logits.double(), labels.double()),
        "calibration_error": classification.binary_calibration_error(probabilities, labels, n_bins=CALIBRATION_BINS),
        "accuracy": classification.binary_accuracy(predicted, labels),
        "precision": classification.binary_precision(predicted, labels),
        "recall": classification.binary_recall(predicted, labels),
        "f1": classification.binary_f1_score(predicted, labels),
        "threshold": threshold,
        "true_positives": true_positives,
        "false_positives": false_positives,
        "false_negatives": false_negatives,
        "true_negatives": true_negatives,
    }
    return {name: float(value) for name, value in values.items()}


def roc_auc(scores: Tensor, labels: Tensor) -> float:
    """Chance that a positive scores above a negative, ties counted half; ``scores`` [n] of any scale."""
    from torchmetrics.functional.classification import binary_auroc

    ranks = scores.unique(return_inverse=True)[1].double()  # torchmetrics would squash scores outside [0, 1]
    return float(binary_auroc(ranks / max(len(ranks), 1), labels))


def best_threshold(logits: Tensor, labels: Tensor) -> float:
    """The pair's probability at which F1 = 2 TP / (predicted + positives) is largest; the lowest of equals."""
    order = logits.double().sort(descending=True)
    probabilities, hits = order.values.sigmoid(), labels[order.indices].cumsum(0)
    f1 = 2 * hits.double() / (torch.arange(1, len(labels) + 1, device=labels.device) + labels.sum())
    last_of_equals = torch.cat([probabilities[1:] != probabilities[:-1], probabilities.new_ones(1, dtype=torch.bool)])
    f1 = torch.where(last_of_equals, f1, -1.0)
    return float(probabilities[torch.nonzero(f1 == f1.max())[-1]])


def report(probabilities: np.ndarray, labels: np.ndarray, threshold: float) -> str:
    """scikit-learn's classification report for ``probabilities`` [n] against ``labels`` [n]."""
    from sklearn.metrics import classification_report

    return classification_report(
        labels, probabilities >= threshold, target_names=["no interest", "interest"], digits=4, zero_division=0
    )
