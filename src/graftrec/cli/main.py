"""``graftrec COMMAND [key=value ...]``. Heavy libraries are imported by the command that needs them."""

import shlex
import sys
from collections.abc import Callable

from graftrec.cli import commands, dashboard, features, reports, reproduce

USAGE = """graftrec: a language model's knowledge grafted onto an interaction graph

  graftrec train      [data=... features=... encoder=... objective=...]   train, test, compare
  graftrec train -m   encoder=gcn,lightgcn seed=1,2                       every combination
  graftrec train -m   sweep=lightgcn                                      search for the best settings (Optuna)
  graftrec train      resume=RUN                                          continue an interrupted run
  graftrec prepare    [data=... split=...]                                read, split and build the graph only
  graftrec reproduce  RECIPE | --list                                     a paper's numbers beside ours
  graftrec evaluate   run=RUN [k=[5,10] mask=train]                       the metrics again, from the folder
  graftrec recommend  run=RUN user=ID [k=10]                              history and recommendations
  graftrec compare    RUN RUN ... | FOLDER [against=RUN metric=ndcg@20]   is the difference real? paired tests
  graftrec report     FOLDER                                              its runs as Markdown, LaTeX and csv
  graftrec blend      runs=[RUN_A,RUN_B] [method=weighted]                two runs as one, weighed on validation
  graftrec leaderboard FOLDER [metric=ndcg@20 top=20]                     the best variants in the terminal
  graftrec dashboard  build FOLDER | push entity=NAME                     one HTML file; a W&B workspace and report
  graftrec features   ls | show KEY | rm KEY | export KEY FILE            what language models' vectors are kept
  graftrec COMMAND --help                                                 all settings of a command
"""

COMMANDS: dict[str, Callable[[], None]] = {
    "train": commands.train,
    "prepare": commands.prepare,
    "reproduce": reproduce.reproduce,
    "evaluate": commands.evaluate,
    "recommend": commands.recommend,
    "compare": reports.compare,
    "report": reports.report,
    "blend": commands.blend,
    "leaderboard": dashboard.leaderboard,
    "dashboard": dashboard.dashboard,
    "features": features.features,
}


def main() -> None:
    """Entry point."""
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help", "help"):
        print(USAGE)
        return
    name = sys.argv.pop(1)
    if name not in COMMANDS:
        print(f"graftrec has no command {name!r}.\n\n{USAGE}", file=sys.stderr)
        sys.exit(2)
    sys.argv[0] = f"graftrec {name}"
    typed = shlex.join([*sys.argv[0].split(), *sys.argv[1:]])
    try:
        COMMANDS[name]()
    except KeyboardInterrupt:
        print(f"\ngraftrec: interrupted. To go on, type the same command again:\n  {typed}", file=sys.stderr)
        sys.exit(commands.INTERRUPTED)
