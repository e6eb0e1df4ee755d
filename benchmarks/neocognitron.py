"""``python -m benchmarks.neocognitron MNIST``: the Neocognitron of 2003 and LeNet-5 on the same digits.

``MNIST`` is the folder of the four files. ``--write FILE`` writes the tables of the documentation.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import table
from striate import Dataset, Trainer
from striate.data import registry
from striate.models import lenet5, lenet5_1998
from striate.training.neocognitron import train_2003
from striate.training.neocognitron.train_2003 import LEARNING_THRESHOLDS

FEW, TESTED, EPOCHS = 3000, 2000, 20
Change = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Measure and print the tables."""
    options = _arguments()
    splits = registry.load("mnist", options.data, validation_fraction=0.0)
    few = Dataset(splits.train.inputs[:FEW], splits.train.targets[:FEW], splits.train.classes)
    model, seconds = timed(lambda: train_2003(few.inputs, few.targets))
    sizes = [_size_row(FEW, model, seconds, splits.test)]
    if options.all:
        threshold = (*LEARNING_THRESHOLDS[:2], 0.85)
        train = splits.train
        whole, took = timed(lambda: train_2003(train.inputs, train.targets, learning_thresholds=threshold))
        sizes.append(_size_row(len(train), whole, took, splits.test))
    networks = {"Neocognitron 2003": (model, seconds)}
    for name, network in {
        "LeNet-5 of 1998": lenet5_1998(input_shape=(1, 28, 28)),
        "LeNet-5 of today": lenet5(),
    }.items():
        trainer = Trainer(network, seed=0)
        _, took = timed(lambda trainer=trainer: trainer.fit(few, epochs=EPOCHS))
        networks[name] = trainer.model, took
    inputs, targets = splits.test.inputs[:TESTED], splits.test.targets[:TESTED]
    text = "\n".join(
        [
            f"Learnt from MNIST and tested on its {len(splits.test):,} test digits:\n",
            *table(["training samples", "test accuracy", "training time", "planes of S4", "parameters"], sizes),
            f"Learnt from {FEW:,} digits, and tested on {TESTED:,} others ({EPOCHS} epochs for both LeNets,",
            "striate's defaults, one seed; the accuracy after a shift is the mean over the four directions):\n",
            *table(["", *networks], [*_facts(networks), *_responses(networks, inputs, targets)]),
            "",
        ]
    )
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")


def timed(action: Callable[[], Any]) -> tuple[Any, float]:
    """Return what an action returns, and its seconds."""
    started = time.perf_counter()
    return action(), time.perf_counter() - started


def _size_row(count: int, model: Any, seconds: float, test: Dataset) -> list[str]:
    accuracy = (model.predict(test.inputs) == test.targets).mean()
    planes = model.network.step("s4").shape[0]
    return [
        f"{count:,}",
        f"{accuracy:.2%}",
        f"{seconds:.0f} s",
        f"{planes:,}",
        f"{model.network.parameter_count:,}",
    ]


def _facts(networks: dict[str, Any]) -> list[list[str]]:
    return [
        ["training time", *(f"{seconds:.0f} s" for _, seconds in networks.values())],
        ["parameters", *(f"{model.network.parameter_count:,}" for model, _ in networks.values())],
    ]


def _responses(networks: dict[str, Any], inputs: np.ndarray, targets: np.ndarray) -> list[list[str]]:
    rows = []
    for name, changes in _changes().items():
        found = [
            np.mean([(model.predict(change(inputs)) == targets).mean() for change in changes])
            for model, _ in networks.values()
        ]
        rows.append([name, *(f"{value:.1%}" for value in found)])
    return rows


def _changes() -> dict[str, list[Change]]:
    changes: dict[str, list[Change]] = {"accuracy": [lambda pixels: pixels]}
    for size in (1, 2, 4):
        directions = ((size, 0), (-size, 0), (0, size), (0, -size))
        changes[f"shifted by {size} pixel{'s' * (size > 1)}"] = [
            lambda pixels, shift=shift: moved(pixels, shift=shift) for shift in directions
        ]
    for scale in (0.7, 1.3):
        changes[f"scaled by {scale}"] = [lambda pixels, scale=scale: moved(pixels, scale=scale)]
    for deviation in (32, 96):
        changes[f"noise of standard deviation {deviation} (of 255)"] = [
            lambda pixels, deviation=deviation: noisy(pixels, deviation)
        ]
    return changes


def moved(pixels: np.ndarray, shift: tuple[int, int] = (0, 0), scale: float = 1.0) -> np.ndarray:
    """Return pictures shifted (down, right) and scaled about their middle; the nearest pixel, 0 outside."""
    side = pixels.shape[-1]
    middle, places = (side - 1) / 2, np.arange(side)
    rows, columns = (np.rint((places - middle - offset) / scale + middle).astype(int) for offset in shift)
    inside = ((rows >= 0) & (rows < side))[:, None] & (columns >= 0) & (columns < side)
    last = side - 1
    return np.asarray(pixels[:, :, rows.clip(0, last)[:, None], columns.clip(0, last)] * inside)


def noisy(pixels: np.ndarray, deviation: float) -> np.ndarray:
    """Return pictures of bytes with normal noise."""
    noise = np.random.default_rng(0).normal(0, deviation, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the MNIST files")
    parser.add_argument("--all", action="store_true", help="also learn all 60,000 digits (minutes)")
    parser.add_argument("--write", type=Path, help="file for the tables")
    return parser.parse_args()


if __name__ == "__main__":
    main()
