"""``python -m benchmarks.fine_tuning DATA.npz``: how many images it saves to start from a trained network.

A network learns eight classes of CIFAR-10, then two others (automobile, truck) from few images; beside it a new
network learns the same images.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.report import table
from striate.data.cifar import CLASSES
from striate.training.run import RunConfig, train

NEW = (1, 9)
EPOCHS = 12
Arrays = dict[str, np.ndarray]


def main() -> None:
    """Measure and print a table."""
    options = _arguments()
    with np.load(options.data) as file:
        data = dict(file)
    options.folder.mkdir(parents=True, exist_ok=True)
    first = options.folder / "first"
    if not (first / "model.safetensors").exists():
        old = tuple(c for c in range(len(CLASSES)) if c not in NEW)
        learn(write(data, options.folder / "old.npz", old), first, epochs=EPOCHS)
    rows = [_row(data, each, first, options) for each in options.each]
    print("\n".join(table(("images of each class", "new network", "fine-tuned"), rows)))


def _row(data: Arrays, each: int, first: Path, options: argparse.Namespace) -> tuple[str, ...]:
    cells = []
    for start in (None, str(first)):
        found = [accuracy(data, each, seed, start) for seed in range(options.seeds)]
        spread = f"{min(found):.1%} to {max(found):.1%}"
        cells.append(f"{np.mean(found):.1%} ({spread})")
    return (str(each), *cells)


def accuracy(data: Arrays, each: int, seed: int, start: str | None) -> float:
    """Return the share of test images that is right after learning so many images of each class."""
    with tempfile.TemporaryDirectory() as folder:
        source = write(data, Path(folder, "few.npz"), NEW, each, seed)
        return learn(source, Path(folder, "run"), seed, **({} if start is None else {"start": start}))


def learn(source: Path, folder: Path, seed: int = 0, epochs: int | None = None, **model: str) -> float:
    """Train as a run does by default; return the test accuracy."""
    training = {"seed": seed} | ({} if epochs is None else {"epochs": epochs})
    data = {"name": str(source), "validation_fraction": 0}
    config = RunConfig.from_dict({"data": data, "model": model, "training": training})
    evaluation = train(config, folder, report=False).evaluation
    assert evaluation is not None
    return float(evaluation.accuracy)


def write(data: Arrays, path: Path, classes: tuple[int, ...], each: int | None = None, seed: int = 0) -> Path:
    """Write the images of some classes; of the training part so many of each, the others are tested on."""
    x, y, rng = data["x_train"], data["y_train"], np.random.default_rng(seed)
    order = rng.permutation(len(y))
    chosen = np.concatenate([order[y[order] == c][:each] for c in classes])
    rest = np.setdiff1d(np.flatnonzero(np.isin(y, classes)), chosen)
    held = np.isin(data["y_test"], classes)
    names = np.array(CLASSES)
    np.savez(
        path,
        x_train=x[chosen],
        y_train=names[y[chosen]],
        x_test=np.concatenate([data["x_test"][held], x[rest]]),
        y_test=names[np.concatenate([data["y_test"][held], y[rest]])],
    )
    return path


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fine_tuning", description=__doc__)
    parser.add_argument("data", type=Path, help="NPZ file of CIFAR-10: x_train, y_train, x_test, y_test")
    parser.add_argument("--each", type=int, nargs="+", default=[20, 80, 320], help="images of each class")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("fine-tuning"), help="keeps the first network")
    return parser.parse_args()


if __name__ == "__main__":
    main()
