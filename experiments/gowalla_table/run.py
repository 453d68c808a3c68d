"""Baselines, filters, trained models and blends on gowalla, beside the published rows.

    python experiments/gowalla_table/run.py [FOLDER] [again] [ease last10 ...]

A row is one command of ``graftrec``, which is printed and run. Runs go to FOLDER (outputs/gowalla_table by default): a
finished one is kept, an interrupted one goes on, one that has a row in results.csv is not repeated, so the same command
continues; ``again`` repeats those too. Words choose the runs whose folders have them in their names.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from study import AGAIN, markdown, mean_and_deviation, with_earlier  # noqa: E402

from graftrec.pipeline.reproduce import recipe  # noqa: E402
from graftrec.pipeline.run_folder import RunFolder  # noqa: E402

RESULTS = HERE / "results.csv"
KEY = ("model", "trained on", "seed")
SEEDS = (0, 1, 2)  # of LightGCN
METRICS = ("recall@20", "ndcg@20")
TRAIN = "train"  # all of it, as for the published rows
LAST10 = "last10"  # all but each user's last tenth, which is validation
PROTOCOLS = {
    TRAIN: "protocol=paper evaluation.mask=train",
    LAST10: "protocol=clean evaluation.mask=train_and_valid split.by=order",
}


@dataclass(frozen=True)
class Row:
    """A model, what it is trained on, the folder of its run in FOLDER, its command and its seed.

    In the command {runs} is FOLDER, and {weight} the one that the blend ``chosen_by`` found best. ``needs`` are the
    rows whose runs it reads.
    """

    model: str
    trained_on: str
    folder: str
    command: str
    seed: int = 0
    recipe: str = ""  # of the published row
    needs: tuple["Row", ...] = ()
    chosen_by: "Row | None" = None

    @property
    def key(self) -> tuple[str, str, int]:
        return self.model, self.trained_on, self.seed

    def run(self, runs: Path) -> RunFolder:
        return RunFolder(runs / self.folder)

    def known(self) -> pl.DataFrame:
        """Its row of results.csv, if it has one."""
        known = pl.read_csv(RESULTS) if RESULTS.is_file() else pl.DataFrame(schema=KEY)
        return known.filter(pl.col(name) == value for name, value in zip(KEY, self.key, strict=True))

    def weight(self, runs: Path) -> float:
        """A blend's, from results.csv or its run, which is started where there is neither."""
        if not self.known().is_empty():
            return self.known()["weight"][0]
        if not self.run(runs).metrics.is_file():
            self.start(runs)
        return blend_weight(self.run(runs))

    def start(self, runs: Path) -> None:
        """Run it, or go on; first what it needs and is not there."""
        for row in self.needs:
            if not row.run(runs).metrics.is_file():
                row.start(runs)
        run, command = self.run(runs), self.command
        if command.startswith("train") and run.facts.is_file():
            command = "train resume={runs}/" + self.folder
        weight = self.chosen_by.weight(runs) if self.chosen_by else None
        words = [word.format(runs=runs, weight=weight) for word in command.split()]
        print("graftrec", *words, flush=True)
        subprocess.run([sys.executable, "-m", "graftrec", *words], check=not self.recipe)  # 1: a target is missed
        if not run.metrics.is_file():
            sys.exit(f"{run.path} has no metrics.json: the run did not finish.")

    def result(self, runs: Path) -> dict[str, object]:
        """Its row of results.csv."""
        run = self.run(runs)
        found, stages = RunFolder.read_json(run.metrics), RunFolder.read_json(run.facts)["stages"]
        targets = recipe(self.recipe).paper.targets if self.recipe else {}
        validation = {name: found[f"valid/{name}"] if self.trained_on == LAST10 else None for name in METRICS}
        return {
            **dict(zip(KEY, self.key, strict=True)),
            "weight": blend_weight(run) if self.command.startswith("blend") else None,
            **{f"published {name}": targets.get(f"test/{name}") for name in METRICS},
            **{name: found[f"test/{name}"] for name in METRICS},
            **{f"validation {name}": value for name, value in validation.items()},
            "fit seconds": round(stages["train"]["seconds"]),
            "test seconds": round(stages["test"]["seconds"]),
            "command": f"graftrec {self.command}",
        }


def blend_weight(run: RunFolder) -> float:
    """Of the first member."""
    return float(RunFolder.read_json(run.facts)["model"]["settings"]["weight"])


def reproduced(model: str, name: str, words: str = "threads=1") -> Row:
    """A published row, under the settings ``words``."""
    command = f"reproduce {name} folder={{runs}}/reproduce {words}"
    return Row(model, TRAIN, f"reproduce/{name}/seed0", command, recipe=name)


def trained(model: str, name: str, trained_on: str, words: str, seed: int = 0) -> Row:
    """A model of our own choice of settings."""
    protocol, folder = PROTOCOLS[trained_on], f"{trained_on}/{name}/seed{seed}"
    command = f"train {words} {protocol} baselines=none threads=1 seed={seed} hydra.run.dir={{runs}}/{folder}"
    return Row(model, trained_on, folder, command, seed)


def blended(first: Row, second: Row, chosen_by: Row | None = None) -> Row:
    """Two runs, by the weight that is best on validation, or by that of another blend."""
    names = (Path(row.folder).parts[1] for row in (first, second))
    folder = f"{second.trained_on}/{'_'.join(names)}/seed{second.seed}"
    weight = " weight={weight}" if chosen_by else ""
    command = f"blend runs=[{{runs}}/{first.folder},{{runs}}/{second.folder}]{weight} folder={{runs}}/{folder}"
    model = f"{first.model} + {second.model}"
    return Row(model, second.trained_on, folder, command, second.seed, needs=(first, second), chosen_by=chosen_by)


def rows() -> list[Row]:
    """All rows; blends after their members."""
    wide = "experiment=softmax/gowalla dim=256 trainer.max_epochs=4 trainer.check_val_every_n_epoch=4"
    chebycf = reproduced("ChebyCF", "chebycf/gowalla")
    softmax = [trained("LightGCN, softmax, 256 wide", "softmax256", TRAIN, wide, seed) for seed in SEEDS]
    chebycf10 = trained("ChebyCF", "chebycf", LAST10, "experiment=chebycf/gowalla")
    softmax10 = trained("LightGCN, softmax, 256 wide", "softmax256", LAST10, wide)
    blend10 = blended(chebycf10, softmax10)
    return [
        chebycf,
        reproduced("GF-CF", "gfcf/gowalla"),
        reproduced("EASE", "ease/gowalla"),
        reproduced("SLIM", "slim/gowalla"),
        reproduced("item-kNN", "item_knn/gowalla"),
        reproduced("MF-BPR", "mf/gowalla"),
        reproduced("GAT", "gat/gowalla"),
        reproduced(
            "LightGCN, BPR, 64 wide",
            "lightgcn/gowalla",
            "threads=2 encoder.propagation_dtype=bfloat16 trainer.max_epochs=550",
        ),
        *(
            trained(model, name, TRAIN, f"data=gowalla baseline={name} baseline.grid=null")
            for model, name in (("user-kNN", "user_knn"), ("RP3beta", "rp3beta"), ("iALS", "ials"))
        ),
        *(
            trained("LightGCN, softmax, 128 wide", "softmax", TRAIN, "experiment=softmax/gowalla", seed)
            for seed in SEEDS
        ),
        *softmax,
        chebycf10,
        softmax10,
        blend10,
        *(blended(chebycf, member, chosen_by=blend10) for member in softmax),
    ]


def report(finished: Sequence[Row], runs: Path) -> None:
    """results.csv and table.md, in the order of ``rows``."""
    results = with_earlier(pl.DataFrame([row.result(runs) for row in finished], infer_schema_length=None), RESULTS, KEY)
    order = {row.key: number for number, row in enumerate(rows())}
    places = [order.get(key, len(order)) for key in results.select(KEY).rows()]
    results = results.with_columns(pl.Series("place", places)).sort("place", maintain_order=True).drop("place")
    results.write_csv(RESULTS, float_precision=6)
    (HERE / "table.md").write_text(table(results), encoding="utf-8")


def table(results: pl.DataFrame) -> str:
    """A line a model, mean ± standard deviation over its seeds."""
    shown = [name for name in results.columns if name not in (*KEY, "command")]
    lines = []
    for key, runs in results.group_by(KEY[:2], maintain_order=True):
        values = ["" if runs[name].null_count() else shown_mean(runs[name]) for name in shown]
        lines.append([*key, len(runs), *values])
    return markdown([*KEY[:2], "seeds", *shown], lines)


def shown_mean(values: pl.Series) -> str:
    """With the deviation of what depends on the seed."""
    if values.name == "weight" or values.name.endswith("seconds"):
        return f"{values.mean():g}" if values.name == "weight" else f"{values.mean():.0f}"
    return mean_and_deviation(values)


def main() -> None:
    """Run what is missing of the rows that the command line chooses."""
    words, again = [word for word in sys.argv[1:] if word != AGAIN], AGAIN in sys.argv
    runs = Path(words.pop(0) if words else f"outputs/{HERE.name}")
    for row in rows():
        chosen = not words or any(word in row.folder for word in words)
        if chosen and (again or row.known().is_empty()) and not row.run(runs).metrics.is_file():
            row.start(runs)
            report([row for row in rows() if row.run(runs).metrics.is_file()], runs)
    report([row for row in rows() if row.run(runs).metrics.is_file()], runs)


if __name__ == "__main__":
    main()
