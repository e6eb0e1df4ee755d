"""``python -m benchmarks.accuracy``: the accuracy that is reached, by commands and beside PyTorch."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import report

DIGITS = (
    "--model digit_recogniser --model-option dropout=true --model-option hidden=1024 --epochs 20 "
    "--batch-size 128 --learning-rate 2e-3 --reduce-on-plateau 2"
)
CHANGES = "rotation:8 zoom:0.9:1.1 shift:0.05"


def main() -> None:
    """Measure what the arguments name and print it as Markdown."""
    options = _arguments()
    body = ["### Test accuracy", ""]
    rows: list[tuple[str, ...]] = []
    if options.photographs:
        rows.append(by_command("striate train", "FOLDER", [options.photographs], options.seeds))
    if options.mnist:
        more = ["--data-dir", options.mnist, *shlex.split(DIGITS), "--augment", CHANGES]
        shown = f"mnist {DIGITS} --augment '{CHANGES}'"
        rows.append(by_command("striate train", shown, ["mnist", *more], options.seeds))
    if options.cifar10:
        rows += beside_pytorch(options.cifar10, options.seeds, options.epochs)
    body += report.table(("what", *(f"seed {seed}" for seed in options.seeds), "mean", "minutes"), rows)
    print("\n".join(body), flush=True)
    if options.write:
        report.write(options.write, report.heading("python -m benchmarks.accuracy ...") + body)


def by_command(command: str, shown: str, arguments: Sequence[str], seeds: Sequence[int]) -> tuple[str, ...]:
    """Return a row with the test accuracy of ``striate train`` for every seed."""
    start = time.perf_counter()
    found = [_train(arguments, seed) for seed in seeds]
    return _row(f"`{command} {shown}`", found, time.perf_counter() - start)


def beside_pytorch(folder: str, seeds: Sequence[int], epochs: int) -> Iterator[tuple[str, ...]]:
    """Yield a row for striate and one for PyTorch: a small VGG on CIFAR-10, or a part of it, after one recipe."""
    from benchmarks.recipe_twin import Recipe, pytorch_accuracy, striate_accuracy
    from striate.data import registry

    splits = registry.load("cifar10", folder, validation_fraction=0)
    assert splits.test is not None
    recipe = Recipe(epochs=epochs)
    what = f"{recipe.model}, {len(splits.train):,} of CIFAR-10, crops and flips, {epochs} epochs"
    for name, accuracy in (("striate", striate_accuracy), ("PyTorch", pytorch_accuracy)):
        start = time.perf_counter()
        found = []
        for seed in seeds:
            found.append(accuracy(recipe, splits.train, splits.test, seed))
            print(f"{name} seed {seed}: {100 * found[-1]:.2f} %", file=sys.stderr, flush=True)
        yield _row(f"{what}: {name}", found, time.perf_counter() - start)


def _train(arguments: Sequence[str], seed: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "striate", "train", *arguments, "--seed", str(seed)]
        done = subprocess.run(
            [*command, "--out", folder, "--no-report", "--json"], check=False, stdout=subprocess.PIPE, text=True
        )
    if done.returncode:
        raise SystemExit("benchmarks: the training failed.")
    return float(json.loads(done.stdout.splitlines()[-1])["test_accuracy"])


def _row(what: str, found: Sequence[float], seconds: float) -> tuple[str, ...]:
    shown = [f"{100 * value:.2f} %" for value in (*found, statistics.mean(found))]
    return (what, *shown, f"{seconds / 60:.1f}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument(
        "--photographs", metavar="FOLDER", help="images in a folder per class: the command's defaults"
    )
    parser.add_argument("--mnist", metavar="FOLDER", default=os.environ.get("STRIATE_MNIST"), help="IDX files")
    parser.add_argument("--cifar10", metavar="FOLDER", help="CIFAR-10, or a part of it as NPZ, beside PyTorch")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=20, help="of the comparison with PyTorch (default 20)")
    parser.add_argument("--write", type=Path, help="put the section on top of this file too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
