"""Ten million interactions from a csv file to a graph: time and peak memory of each stage.

    python experiments/scale/ten_million.py [FOLDER]

Writes a seeded synthetic file of 10,000,000 rows (500,000 users, 100,000 items) into FOLDER (a temporary
one by default), then runs ``graftrec prepare`` on it in a process of its own.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from graftrec.data.sources.synthetic import SyntheticSource

ROWS = 10_000_000


def main(folder: Path) -> None:
    """Write the file where it is missing, then prepare it."""
    path = folder / "interactions.csv"
    if not path.is_file():
        source = SyntheticSource(name="synthetic", num_users=500_000, num_items=100_000, num_interactions=ROWS)
        source.read().interactions.write_csv(path)
    words = ["data=table", "data.name=ten_million", f"data.interactions={path}", "data.columns.time=time"]
    program = "import sys; from graftrec.cli.main import main; main()"
    for split in ("random", "temporal"):
        subprocess.run([sys.executable, "-c", program, "prepare", *words, f"split={split}"], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
