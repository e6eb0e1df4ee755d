"""Whole numbers of 8 bits beside float32: the same networks, taking turns."""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.networks import CASES, initial_parameters, samples
from benchmarks.report import table
from benchmarks.timing import Work, alternate
from striate.errors import UsageError
from striate.machine import byte_products, default_lanes
from striate.model import Model

BATCHES = (1, 64)
CALIBRATION = 64


def integers(options: argparse.Namespace) -> list[str]:
    """Time predictions in float32 and in whole numbers."""
    rows: list[tuple[str, ...]] = []
    for name in options.networks:
        x, _ = samples(CASES[name], max(CALIBRATION, *BATCHES))
        network = CASES[name].network()
        floats = Model(network, initial_parameters(network))
        try:
            small = floats.quantise(x[:CALIBRATION])
        except UsageError:  # no layer would be faster
            rows.append((name, "-", "-", "-", "-"))
            continue
        for batch in BATCHES:
            contestants = {"float32": _work(floats, x, batch), "int8": _work(small, x, batch)}
            speeds = alternate(contestants, batch, options.rounds, options.seconds)
            one, other = speeds.median("float32"), speeds.median("int8")
            rows.append((name, str(batch), f"{one:,.0f}", f"{other:,.0f}", f"{other / one:.2f}"))
    lanes = default_lanes()
    return [
        f"### float32 and int8, samples/s ({lanes} lanes, byte products: {byte_products(lanes)})",
        "",
        *table(("network", "batch", "float32", "int8", "int8 / float32"), rows),
    ]


def _work(model: Model, x: np.ndarray, batch: int) -> Work:
    predictor, part = model.predictor(batch, x.dtype), np.ascontiguousarray(x[:batch])

    def work(repetitions: int) -> None:
        for _ in range(repetitions):
            predictor(part)

    return work
