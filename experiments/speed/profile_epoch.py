"""Where a step of ``graftrec train experiment=lightgcn/gowalla`` spends its time, one thread.

    python experiments/speed/profile_epoch.py

``profile`` runs 40 steps under torch.profiler inside Lightning's loop: an operator's own time counts, and what lies
in no operator is Python: Lightning, logging, graftrec. ``loop`` and ``bare`` time the same steps without a profiler,
with Lightning's loop and with five lines in its place. Compare the profile's step with theirs before its shares are
believed. Picking the entries of the batch's rows counts among the other operators.
"""

import time
from typing import Any

from common import RECIPE, Contestant, Row, config, main, show, spread, summarise, write
from epoch import STEPS, WARM_UP, Timed, fit

PARTS = {  # the first whose word is in an operator's name
    "sparse product": ("embedding_bag", "sparse"),
    "optimizer": ("adam",),
    "sampling": ("searchsorted", "randint", "randperm"),
}


def profile(*words: str) -> Row:
    """Milliseconds a step by part, in Lightning's loop under the profiler."""
    import pytorch_lightning as pl
    from torch.profiler import ProfilerActivity
    from torch.profiler import profile as torch_profile

    profiler = torch_profile(activities=[ProfilerActivity.CPU])

    class Profile(pl.Callback):
        def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, batch_idx: int) -> None:
            if batch_idx == WARM_UP:
                profiler.start()
                self.start = time.perf_counter()
            elif batch_idx == WARM_UP + STEPS:
                self.seconds = time.perf_counter() - self.start
                profiler.stop()

    clock = Profile()
    fit(config(*RECIPE, *words), clock)
    times = dict.fromkeys([*PARTS, "loss, mixing and other operators"], 0.0)
    for event in profiler.key_averages():
        name = event.key.lower()
        if not name.startswith(("aten::", "autograd::", "torch::")):
            continue  # ranges of Python: Lightning's hooks, autograd's nodes
        part = next((part for part, signs in PARTS.items() if any(sign in name for sign in signs)), list(times)[-1])
        times[part] += event.self_cpu_time_total / 1e3 / STEPS
    step = 1e3 * clock.seconds / STEPS
    return {"step_ms": step, **times, "Python: Lightning, logging, graftrec": step - sum(times.values())}


def loop(*words: str) -> Row:
    """Milliseconds a step in Lightning's loop."""
    return {"step_ms": 1e3 * fit(config(*RECIPE, *words))[0] / STEPS}


def bare(*words: str) -> Row:
    """Milliseconds a step of the same model without Lightning's loop and module."""
    from graftrec.graph.views import Pass
    from graftrec.objectives.step import Step
    from graftrec.pipeline import build
    from graftrec.pipeline.prepare import prepare

    settings = config(*RECIPE, *words)
    prepared = prepare(settings)
    module = build.build_module(settings, prepared.data)
    optimizer = module.make_optimizer(module.parameters())
    batches = Timed(prepared.data.batches)
    for batch in batches:
        optimizer.zero_grad()
        start = Pass(module.graph, module.recommender.input())
        shared = module.recommender.encode(start)
        step = Step(batch, start, shared, module.positives, module.recommender.encode)
        module.objective(step)[0].backward()
        optimizer.step()
    return {"step_ms": 1e3 * batches.seconds / STEPS}


def report(rows: list[Row]) -> None:
    write("profile", rows)
    steps = summarise(rows, "step_ms")
    profiled = [row for row in rows if "sparse product" in row]
    columns = [column for column in (profiled[0] if profiled else {}) if column not in ("round", "contestant")]
    for name in dict.fromkeys(row["contestant"] for row in profiled):
        mine = [row for row in profiled if row["contestant"] == name]
        parts = {column: summarise(mine, column)[name] for column in columns}
        whole = parts["step_ms"]["median"]
        table = [[c, *spread(part), f"{100 * part['median'] / whole:.0f} %"] for c, part in parts.items()]
        show(name, ["", "ms/step", "range", "share"], table)
    show(
        "Without the profiler", ["", "ms/step", "range"], [[n, *spread(s)] for n, s in steps.items() if n != "profile"]
    )


BF16 = ("encoder.propagation_dtype=bfloat16",)
CONTESTANTS = {
    "profile, float32": Contestant(profile),
    "loop, float32": Contestant(loop),
    "bare, float32": Contestant(bare),
    "profile, bfloat16": Contestant(profile, arguments=BF16),
    "loop, bfloat16": Contestant(loop, arguments=BF16),
    "bare, bfloat16": Contestant(bare, arguments=BF16),
}

if __name__ == "__main__":
    main(__doc__, CONTESTANTS, report)
