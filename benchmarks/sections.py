"""The sections of a report: each measures one thing for the networks asked for."""

from __future__ import annotations

import argparse
import statistics
from dataclasses import replace

from benchmarks import fresh, ours, pytorch, single
from benchmarks.agreement import check
from benchmarks.cluster import Link, Step, seen_bytes
from benchmarks.networks import BATCHES_OF_DATA, CASES, Case, samples
from benchmarks.peers import NotTranslated, installed
from benchmarks.report import table
from benchmarks.shapes import SHAPES
from benchmarks.timing import Speeds, Work, alternate
from striate.data.augmentation import Augmentation, Rotation, Shift, Zoom
from striate.engine.simulation import Measured
from striate.layers.base import format_shape
from striate.machine import available_threads

BATCHES_OF_EPOCH = 64
BATCHES_OF_LONG_EPOCH = 900  # about as many as MNIST has
OWN, TORCH = "striate", "PyTorch"


def training(options: argparse.Namespace) -> list[str]:
    """Time the training step: gathering samples, forward, backward, Adam."""
    rows = []
    for name in options.networks:
        case = CASES[name]
        for batch in options.batch or case.batches:
            check(case, batch)
            x, y = samples(case, batch * BATCHES_OF_DATA)
            work, setting = pytorch.training(case, x, y, batch)
            contestants = {OWN: ours.training(case, x, y, batch), TORCH: work}
            contestants |= peers(options, "training", case, x, y, batch)
            speeds = alternate(contestants, batch, options.rounds, options.seconds)
            rows += _rows(name, batch, setting, speeds)
    return _section("Training step, images/s", rows)


def inference(options: argparse.Namespace) -> list[str]:
    """Time inference with softmax."""
    rows = []
    for name in options.networks:
        case = CASES[name]
        for batch in options.inference_batch:
            check(case, batch)
            x, _ = samples(case, batch * BATCHES_OF_DATA)
            work, setting = pytorch.inference(case, x, batch)
            contestants = {OWN: ours.inference(case, x, batch), TORCH: work}
            contestants |= peers(options, "inference", case, x, batch)
            speeds = alternate(contestants, batch, options.rounds, options.seconds)
            rows += _rows(name, batch, setting, speeds)
    return _section("Inference, images/s", rows)


def threads(options: argparse.Namespace) -> list[str]:
    """Time the training step on one thread and on all."""
    most, rows = available_threads(), []
    for name in options.networks:
        case = CASES[name]
        for batch in options.batch or case.batches:
            x, y = samples(case, batch * BATCHES_OF_DATA)
            contestants = {str(n): ours.training(case, x, y, batch, n) for n in sorted({1, most})}
            speeds = alternate(contestants, batch, options.rounds, options.seconds)
            ratio = _ratio(speeds, str(most), "1")
            rows.append((name, str(batch), f"{speeds.median('1'):,.0f}", f"{speeds.median(str(most)):,.0f}", ratio))
    header = ("network", "batch", "1 thread", f"{most} threads", "ratio")
    return ["### Training step on more threads, images/s", "", *table(header, rows)]


SIMULATED = (1, 2, 4, 8, 16, 32, 64)


def scaling(options: argparse.Namespace) -> list[str]:
    """Simulate the training step on more threads, from tasks measured one by one; compare two with reality."""
    rows = []
    for name in options.networks:
        case = CASES[name]
        for batch in options.batch or case.batches:
            x, y = samples(case, batch)
            measured = {threads: ours.measured_step(case, x, y, batch, threads) for threads in SIMULATED}
            simulated = _speed_ups(measured)
            contestants = {str(n): ours.training(case, x, y, batch, n) for n in (1, 2)}
            speeds = alternate(contestants, batch, options.rounds, options.seconds)
            rows.append((name, str(batch), *simulated, f"{speeds.median('2') / speeds.median('1'):.2f}"))
    header = ("network", "batch", *(f"{n}" for n in SIMULATED), "2, measured")
    alone = ("network", *(f"{n}" for n in SIMULATED), "2, measured")
    return [
        "### Training step: simulated speed-up by threads",
        "",
        "In brackets: what the memory of this machine, with its two cores, would allow if nothing of segments",
        "larger than 16 MB stayed in a cache from one phase to the next.",
        "",
        *table(header, rows),
        "### One sample: simulated speed-up by threads",
        "",
        *table(alone, [_sample_on_more_threads(name, options) for name in options.networks]),
    ]


def _speed_ups(measured: dict[int, Measured]) -> list[str]:
    """Return the simulated speed-ups; in brackets those that this machine's memory would allow, where less.

    Each is the time of all tasks, one after the other, over that of the simulated run.
    """
    free = {threads: replace(each, bytes=[]) for threads, each in measured.items()}
    found = []
    for threads, each in measured.items():
        most, bound = (each.total_seconds / m[threads].seconds(threads) for m in (free, measured))
        found.append(f"{most:.1f}" + (f" ({bound:.1f})" if bound < 0.95 * most else ""))
    return found


def _sample_on_more_threads(name: str, options: argparse.Namespace) -> tuple[str, ...]:
    case = CASES[name]
    x, _ = samples(case, 1)
    simulated = _speed_ups({threads: ours.measured_sample(case, x, threads) for threads in SIMULATED})
    contestants = {str(n): ours.inference(case, x, 1, n) for n in (1, 2)}
    speeds = alternate(contestants, 1, options.rounds, options.seconds)
    return name, *simulated, f"{speeds.median('2') / speeds.median('1'):.2f}"


RANKS = (1, 2, 4, 8, 16, 64, 256, 1024)
LINKS = {"10 Gbit/s": Link(2e-5, 1.25e9), "100 Gbit/s": Link(2e-6, 1.25e10)}


def ranks(options: argparse.Namespace) -> list[str]:
    """Time 2 ranks of 1 thread beside 1 rank of 2 threads, and simulate many machines like this one."""
    rows, curves = [], []
    for name in options.networks:
        case = CASES[name]
        batch = max(options.batch or case.batches)
        one, two = (ours.of_ranks(name, batch, count, 2 // count) for count in (1, 2))
        speeds = [found["samples_per_second"] for found in (one, two)]
        figures = [f"{speed:,.0f}" for speed in speeds] + [f"{speeds[1] / speeds[0]:.2f}", f"{two['sent']:.2f}"]
        messages = f"{1e6 * two['latency']:.1f} us, {two['bandwidth'] / 1e9:.1f} GB/s"
        rows.append((name, str(batch), *figures, messages))
        session = ours.training_session(case.network(), batch)
        size = 4 * session.network.parameter_count
        step = Step(batch / speeds[0], size, seen_bytes(session.program), batch)
        for title, link in LINKS.items():
            for overlap in (False, True):
                speed_ups = [f"{step.speed_up(count, link, overlap=overlap):,.1f}" for count in RANKS]
                how = f"{title}, overlapped" if overlap else title
                curves.append((name, f"{batch:,} to {batch * RANKS[-1]:,}", how, *speed_ups))
    header = (
        "network",
        "batch",
        "1 rank, 2 threads",
        "2 ranks, 1 thread",
        "ratio",
        "sent / parameters",
        "MPI here",
    )
    plan = ("network", "global batch", "link", *map(str, RANKS))
    return [
        "### Training on ranks, images/s",
        "",
        *table(header, rows),
        "### Training on many machines: simulated speed-up by ranks, each with the batch of one",
        "",
        *table(plan, curves),
    ]


def operations(options: argparse.Namespace) -> list[str]:
    """Time the two passes of single operations."""
    rows, ratios = [], []
    for case in SHAPES:
        contestants, layout = single.pair(case)
        speeds = alternate(contestants, case.batch, options.rounds, options.seconds)
        ratios.append(speeds.ratio(OWN, TORCH)[0])
        milliseconds = [f"{1e3 * case.batch / speeds.median(name):.3g}" for name in (OWN, TORCH)]
        shape = f"{case.batch} x {format_shape(case.shape)}"
        rows.append((case.name, shape, *milliseconds, layout, _ratio(speeds, OWN, TORCH)))
    header = ("operation", "input", "striate ms", "PyTorch ms", "its layout", "striate is faster by")
    mean = f"Geometric mean {statistics.geometric_mean(ratios):.2f}, least {min(ratios):.2f}, of {len(ratios)}."
    return ["### Single operations, forward and backward", "", *table(header, rows), mean, ""]


def augmentation(options: argparse.Namespace) -> list[str]:
    """Time epochs of the trainer with rotation (of images), zoom and shift, and without."""
    rows: list[tuple[str, ...]] = []
    for name in options.networks:
        case = CASES[name]
        turn = (Rotation(10),) if len(case.input_shape) > 2 else ()
        moved = Augmentation((*turn, Zoom(0.9, 1.1), Shift(0.1, 0.1)))
        for batch in options.batch or case.batches:
            x, y = samples(case, batch * BATCHES_OF_EPOCH)
            contestants = {
                "without": ours.epochs(case, x, y, batch),
                "with": ours.epochs(case, x, y, batch, moved),
            }
            speeds = alternate(contestants, len(x), options.rounds, options.seconds)
            figures = [f"{speeds.median(which):,.0f}" for which in contestants]
            rows.append((name, str(batch), *figures, _ratio(speeds, "with", "without")))
    header = ("network", "batch", "without", "with", "ratio")
    return ["### Training with rotation, zoom and shift, images/s", "", *table(header, rows)]


def loop(options: argparse.Namespace) -> list[str]:
    """Time epochs of the trainer and the bare steps in them."""
    rows: list[tuple[str, ...]] = []
    for name in options.networks:
        case = CASES[name]
        for batch in options.batch or case.batches:
            x, y = samples(case, batch * BATCHES_OF_LONG_EPOCH)
            contestants = {
                "steps": ours.bare_epochs(case, x, y, batch),
                "trainer": ours.epochs(case, x, y, batch),
            }
            speeds = alternate(contestants, len(x), options.rounds, options.seconds)
            figures = [f"{speeds.median(which):,.0f}" for which in contestants]
            rows.append((name, str(batch), *figures, _ratio(speeds, "trainer", "steps")))
    header = ("network", "batch", "bare steps", "trainer", "ratio")
    return [f"### The loop: epochs of {BATCHES_OF_LONG_EPOCH} steps, images/s", "", *table(header, rows)]


def start(options: argparse.Namespace) -> list[str]:
    """Time fresh processes."""
    rows = []
    for name in options.networks:
        seconds = fresh.first_step(name)
        rows.append((name, f"{seconds.cold_seconds:.1f} s", f"{seconds.warm_seconds:.2f} s"))
    header = ("network", "every kernel compiled", "kernels in the cache")
    title = "### A fresh process: interpreter, import, plan, first step"
    return [title, "", *table(header, rows)]


def memory(options: argparse.Namespace) -> list[str]:
    """Measure the peak memory of processes that train: each network beside PyTorch, and on MNIST."""
    rows = []
    for name in options.networks:
        case = CASES[name]
        for batch in options.batch or case.batches:
            own = fresh.step_memory(name, batch)
            other = fresh.torch_step_memory(name, batch, pytorch.layouts(case.input_shape))
            figures = (f"{size / 1e6:,.0f} MB" for size in (own, other))
            rows.append((name, str(batch), *figures, f"{own / other:.2f}"))
    lines = ["### Peak memory of a process that trains", ""]
    lines += table(("network", "batch", OWN, TORCH, "striate / PyTorch"), rows)
    if options.mnist:
        peak = fresh.training_memory(options.mnist)
        lines += [f"`striate train mnist`, one epoch: {peak / 1e6:.0f} MB.", ""]
    return lines


def peers(options: argparse.Namespace, what: str, case: Case, *arguments: object) -> dict[str, Work]:
    """Return the work ``what`` of every other program that is installed, by its name."""
    found: dict[str, Work] = {}
    for name, module in ({} if options.no_peers else installed()).items():
        try:
            if hasattr(module, what):
                found[name] = getattr(module, what)(case, *arguments)
        except NotTranslated as reason:
            print(f"(no {case.model} in {name}: {reason})")
    return found


def _rows(network: str, batch: int, setting: str, speeds: Speeds) -> list[tuple[str, ...]]:
    rows = []
    for name in speeds.rounds:
        shown = f"{name} ({setting})" if name == TORCH else name
        ratio = "" if name == OWN else _ratio(speeds, OWN, name)
        rows.append((network, str(batch), shown, f"{speeds.median(name):,.0f}", ratio))
    return rows


def _ratio(speeds: Speeds, name: str, other: str) -> str:
    median, least, largest = speeds.ratio(name, other)
    return f"{median:.2f} ({least:.2f} to {largest:.2f})"


def _section(title: str, rows: list[tuple[str, ...]]) -> list[str]:
    note = (
        "striate gathers and normalises bytes; the others get float batches that are ready. The ratio says how "
        "many times as fast striate is: median, and least to largest over the rounds."
    )
    header = ("network", "batch", "system", "images/s", "striate is faster by")
    return [f"### {title}", "", note, "", *table(header, rows)]
