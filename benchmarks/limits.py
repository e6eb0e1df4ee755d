"""How evenly single calls run, and how near to the processor's limit networks come."""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from benchmarks import ours
from benchmarks.networks import BATCHES_OF_DATA, CASES, samples
from benchmarks.report import table
from benchmarks.sections import peers
from benchmarks.timing import PAUSE_SECONDS, Work, alternate, timed
from striate.layers.shape import InputLayer
from striate.machine import available_threads
from striate.network import Network

CALLS, AT_ONCE, WARM_UP = 10_000, 1_000, 200
MATRIX = 2048


def latency(options: argparse.Namespace) -> list[str]:
    """Time each of many calls with one sample; the programs take turns, ``AT_ONCE`` calls each."""
    rows = []
    for name in options.networks:
        x, _ = samples(CASES[name], BATCHES_OF_DATA)
        contestants = {"striate": ours.inference(CASES[name], x, 1)}
        contestants |= peers(options, "inference", CASES[name], x, 1)
        for system, seconds in _every_call(contestants).items():
            micros = 1e6 * np.array(seconds)
            median, rare, rarer = np.percentile(micros, [50, 99, 99.9])
            figures = (f"{value:,.1f}" for value in (median, rare, rarer, micros.max()))
            rows.append((name, system, *figures, f"{rare / median:.2f}"))
    header = ("network", "system", "median", "99th percentile", "99.9th", "slowest", "99th / median")
    return [f"### {CALLS:,} calls with one sample, microseconds", "", *table(header, rows)]


def _every_call(contestants: dict[str, Work]) -> dict[str, list[float]]:
    """Return the seconds of each of ``CALLS`` calls."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(0, CALLS, AT_ONCE):
        for name, work in contestants.items():
            time.sleep(PAUSE_SECONDS)
            work(WARM_UP)
            found[name] += [timed(work, 1) for _ in range(AT_ONCE)]
    return found


def peak(options: argparse.Namespace) -> list[str]:
    """Compare the arithmetic of a training step with what the fastest product of large matrices reaches."""
    torch.set_num_threads(available_threads())
    limit = _peak_multiply_adds(options.rounds)
    rows = []
    for name in options.networks:
        case = CASES[name]
        network = case.network()
        for batch in options.batch or case.batches:
            x, y = samples(case, batch * BATCHES_OF_DATA)
            contestants = {"striate": ours.training(case, x, y, batch)}
            speed = alternate(contestants, batch, options.rounds, options.seconds).median("striate")
            done = speed * step_multiply_adds(network)
            rows.append((name, str(batch), f"{speed:,.0f}", f"{done / 1e9:,.1f}", f"{100 * done / limit:.0f} %"))
    header = ("network", "batch", "images/s", "G multiply-adds/s", "share")
    return [
        "### Training step: share of the arithmetic that this machine was measured to do",
        "",
        f"A product of matrices of {MATRIX} x {MATRIX} runs at {limit / 1e9:,.0f} G multiply-adds/s (PyTorch).",
        "Sums count as they are defined; Winograd's algorithm needs fewer, so a share may exceed 100 %.",
        "",
        *table(header, rows),
    ]


def step_multiply_adds(network: Network) -> int:
    """Return the products of a training step for one sample: outputs, and gradients of weights and of inputs."""
    total, learns = 0, False
    for step in network.steps:
        if not isinstance(step.layer, InputLayer):
            products = step.layer.multiply_adds(*step.input_shapes)
            weighted = bool(step.parameters)
            total += products * (1 + weighted + learns)
            learns = learns or weighted
    return total


def _peak_multiply_adds(rounds: int) -> float:
    matrix = torch.rand(MATRIX, MATRIX)
    seconds = []
    for _ in range(2 * rounds):
        start = time.perf_counter()
        torch.mm(matrix, matrix)
        seconds.append(time.perf_counter() - start)
    return MATRIX**3 / min(seconds)
