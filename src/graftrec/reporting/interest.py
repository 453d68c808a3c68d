"""The end of an interest classification in the terminal."""

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from graftrec.pipeline.run import Run

ROWS: Final = {
    "roc_auc": "ROC-AUC",
    "popularity_roc_auc": "popularity's ROC-AUC",
    "average_precision": "average precision",
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "log_loss": "log loss",
    "calibration_error": "calibration error",
    "threshold": "threshold (of validation)",
}
CONFUSION: Final = ("true_positives", "false_positives", "false_negatives", "true_negatives")


def print_interest(run: Run, out: Console) -> None:
    """Test metrics for each kind of negatives beside popularity's ROC-AUC, and the classification report."""
    kinds = kinds_of(run)
    table = Table("test negatives", *(kind.replace("_", " ") for kind in kinds))
    for name, title in ROWS.items():
        table.add_row(title, *(f"{run.metrics[f'test/{kind}/{name}']:.4f}" for kind in kinds))
    out.print(table)
    for kind in kinds:
        counts = (f"{name.replace('_', ' ')} {run.metrics[f'test/{kind}/{name}']:,.0f}" for name in CONFUSION)
        out.print(f"{kind.replace('_', ' ')}: {', '.join(counts)}", highlight=False)
        if left_out := run.metrics[f"test/{kind}/left_out"]:
            out.print(f"  {left_out:,.0f} held-out pairs are left out: their users know every item that could be drawn")
    out.print(Text("\n" + run.folder.report.read_text()))


def kinds_of(run: Run) -> list[str]:
    """The kinds of negatives that the run was judged on."""
    return [name.split("/")[1] for name in run.metrics if name.startswith("test/") and name.endswith("/num_pairs")]
