"""``python -m benchmarks.tables``: what ``striate train TABLE`` reaches on small tables, beside scikit-learn."""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn import datasets
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import report
from striate.training.run import RunConfig, train
from striate.training.run.config import DataConfig, ModelConfig
from striate.training.settings.training import TrainingSettings

SETS: dict[str, Callable[..., Any]] = {
    "iris": datasets.load_iris,
    "wine": datasets.load_wine,
    "breast_cancer": datasets.load_breast_cancer,
    "digits": datasets.load_digits,
    "diabetes": datasets.load_diabetes,
}
TEST_SHARE = 0.25


class Parts(NamedTuple):
    """The samples to learn from and to test on."""

    train_x: np.ndarray
    test_x: np.ndarray
    train_y: np.ndarray
    test_y: np.ndarray


def main() -> None:
    """Measure every set and print a table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="How many ways to cut each set.")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--write", metavar="FILE", help="Append the table to this file.")
    options = parser.parse_args()
    rows = [measured(name, range(options.seeds)) for name in options.sets]
    columns = ("set", "striate train", "scikit-learn MLP", "--model logistic_regression", "scikit-learn linear")
    body = [f"### Small tables, mean of {options.seeds} seeds (accuracy in %; R2 for diabetes)", ""]
    body += report.table(columns, rows)
    print("\n".join(body), flush=True)
    if options.write:
        report.write(options.write, report.heading("python -m benchmarks.tables") + body)


def measured(name: str, seeds: Sequence[int]) -> tuple[str, ...]:
    """Return the row of a set: the means over seeds, each of which cuts off other test samples."""
    found = SETS[name]()
    regression = name == "diabetes"
    results: list[list[float]] = [[], [], [], []]
    for seed in seeds:
        strata = None if regression else found.target
        cut = train_test_split(found.data, found.target, test_size=TEST_SHARE, random_state=seed, stratify=strata)
        parts = Parts(*cut)
        linear, network = peers(regression, seed)
        results[0].append(ours(parts, seed))
        results[1].append(score(network, parts))
        results[2].append(float("nan") if regression else ours(parts, seed, "logistic_regression"))
        results[3].append(score(linear, parts))
    scale, digits = (1, 3) if regression else (100, 2)
    return (name, *(f"{scale * statistics.fmean(values):.{digits}f}" for values in results))


def peers(regression: bool, seed: int) -> tuple[Any, Any]:
    """Return a linear model and a network of scikit-learn with their defaults, on standardised features."""
    linear = Ridge() if regression else LogisticRegression()
    network = MLPRegressor if regression else MLPClassifier
    return linear, network(random_state=seed)


def score(model: Any, parts: Parts) -> float:
    """Return the accuracy, or R2, on the test samples."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about networks that have not converged
        fitted = make_pipeline(StandardScaler(), model).fit(parts.train_x, parts.train_y)
        return float(fitted.score(parts.test_x, parts.test_y))


def ours(parts: Parts, seed: int, model: str = "auto") -> float:
    """Return the accuracy, or R2, of ``striate train FOLDER --seed SEED`` with nothing else said."""
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder, "train.csv"), parts.train_x, parts.train_y)
        _write(Path(folder, "test.csv"), parts.test_x, parts.test_y)
        config = RunConfig(
            data=DataConfig(name=folder), model=ModelConfig(name=model), training=TrainingSettings(seed=seed)
        )
        result = train(config, Path(folder, "run"), report=False).evaluation
    assert result is not None
    if result.accuracy is not None:
        return result.accuracy
    residual = np.square(result.outputs - result.targets).sum()
    return float(1 - residual / np.square(result.targets - result.targets.mean()).sum())


def _write(path: Path, x: np.ndarray, y: np.ndarray) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*(f"f{number}" for number in range(x.shape[1])), "label"])
        writer.writerows([*row, label] for row, label in zip(x.tolist(), y.tolist(), strict=True))


if __name__ == "__main__":
    main()
