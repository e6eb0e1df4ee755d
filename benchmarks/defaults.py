"""``python -m benchmarks.defaults``: what ``striate train DATA`` reaches on data of many kinds, beside baselines.

Tables are measured by ``python -m benchmarks.tables``. Series come with the package aeon, texts are docstrings of
Python's standard library, words are spoken by espeak-ng; nothing is downloaded. Images need ``--images FOLDER``.
"""

from __future__ import annotations

import argparse
import ast
import statistics
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import report
from striate.data.registry import load
from striate.training.run import RunConfig, train
from striate.training.run.config import DataConfig
from striate.training.settings.training import TrainingSettings

SERIES = ("ArrowHead", "OSULeaf", "JapaneseVowels", "ItalyPowerDemand", "GunPoint", "BasicMotions")
PACKAGES = (
    "asyncio",
    "concurrent",
    "email",
    "importlib",
    "logging",
    "multiprocessing",
    "tkinter",
    "unittest",
    "xml",
)
LEAST_LETTERS = 40
WORDS = ("yes", "no", "left", "right", "stop", "go")
VOICES = (
    "en-gb",
    "en-us",
    "en-gb-scotland",
    "en-gb-x-rp",
    "en-029",
    "en-us+f2",
    "en-us+m3",
    "en-gb+f4",
    "en-gb+m7",
)


def main() -> None:
    """Measure the chosen kinds and print a table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument(
        "--kinds", nargs="*", default=["series", "text", "speech"], choices=("series", "text", "speech")
    )
    parser.add_argument("--series", nargs="+", default=list(SERIES))
    parser.add_argument("--images", metavar="FOLDER", help="A folder of images with train and test inside.")
    parser.add_argument("--mnist", metavar="FOLDER", help="The folder with the files of MNIST.")
    options = parser.parse_args()
    rows: list[tuple[str, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        if "series" in options.kinds:
            rows += [series(name, options.seeds) for name in options.series]
        if "text" in options.kinds:
            rows.append(text(Path(folder, "texts"), options.seeds))
        if "speech" in options.kinds:
            rows.append(speech(Path(folder, "speech"), options.seeds))
        if options.images:
            rows.append(images(Path(options.images).name, DataConfig(name=options.images), (32, 32), options.seeds))
        if options.mnist:
            rows.append(images("MNIST", DataConfig(name="mnist", folder=options.mnist), None, options.seeds))
    columns = ("set", "classes", "training samples", "striate train", "baseline", "which is")
    body = [f"### Defaults, mean test accuracy of {options.seeds} seeds, in %", "", *report.table(columns, rows)]
    print("\n".join(body), flush=True)


def ours(data: DataConfig, seed: int) -> float:
    """Return the test accuracy of ``striate train DATA --seed SEED`` with nothing else said."""
    with tempfile.TemporaryDirectory() as folder:
        config = RunConfig(data=data, training=TrainingSettings(seed=seed))
        found = train(config, Path(folder, "run"), report=False).evaluation
    assert found is not None
    assert found.accuracy is not None
    return found.accuracy


def row(name: str, path: Path | DataConfig, seeds: int, baseline: list[float], what: str) -> tuple[str, ...]:
    """Return the row of a set."""
    data = path if isinstance(path, DataConfig) else DataConfig(name=str(path))
    learn = load(data.name, data.folder and Path(data.folder)).train
    accuracies = [ours(data, seed) for seed in range(seeds)]
    means = [f"{100 * statistics.fmean(values):.1f}" for values in (accuracies, baseline)]
    print(name, means, flush=True)
    return (name, str(len(learn.classes)), f"{len(learn):,}", *means, what)


def series(name: str, seeds: int) -> tuple[str, ...]:
    """Return the row of a set of series, beside ROCKET."""
    import aeon.datasets
    from aeon.classification.convolution_based import RocketClassifier

    folder = Path(aeon.datasets.__file__).parent / "data" / name
    train_x, train_y = aeon.datasets.load_classification(name, split="train")
    test_x, test_y = aeon.datasets.load_classification(name, split="test")
    found = []
    for seed in range(seeds):
        if isinstance(train_x, list):  # series of different length, which ROCKET does not take
            longest = max(one.shape[1] for one in [*train_x, *test_x])
            train_x, test_x = (
                np.stack([np.pad(one, ((0, 0), (0, longest - one.shape[1])), "edge") for one in part])
                for part in (train_x, test_x)
            )
        rocket = RocketClassifier(random_state=seed).fit(train_x, train_y)
        found.append(float(np.mean(rocket.predict(test_x) == test_y)))
    return row(name, folder / f"{name}_TRAIN.ts", seeds, found, "ROCKET (aeon)")


def text(folder: Path, seeds: int) -> tuple[str, ...]:
    """Return the row of texts, beside TF-IDF with logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    samples = sorted({(words, package) for package in PACKAGES for words in docstrings(package)})
    order = np.random.default_rng(0).permutation(len(samples)).tolist()
    cut = len(samples) // 5
    parts = {"test": order[:cut], "train": order[cut:]}
    for part, numbers in parts.items():
        for number in numbers:
            words, package = samples[number]
            path = folder / part / package / f"{number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(words, encoding="utf-8")
    (x, y), (test_x, test_y) = (zip(*(samples[n] for n in parts[part]), strict=True) for part in ("train", "test"))
    fitted = make_pipeline(TfidfVectorizer(), LogisticRegression(max_iter=1000)).fit(x, y)
    return row("docstrings", folder, seeds, [float(fitted.score(test_x, test_y))], "TF-IDF, logistic regression")


def docstrings(package: str) -> Iterator[str]:
    """Yield the docstrings of a package of the standard library that say something."""
    for path in sorted(Path(sysconfig.get_paths()["stdlib"], package).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found = ast.get_docstring(node)
                if found and len(found) >= LEAST_LETTERS:
                    yield found


def speech(folder: Path, seeds: int) -> tuple[str, ...]:
    """Return the row of spoken words, beside logistic regression on their spectrograms.

    Three voices are kept for the test.
    """
    for word in WORDS:
        for place, voice in enumerate(VOICES):
            part = folder / ("test" if place % 3 == 2 else "train") / word
            part.mkdir(parents=True, exist_ok=True)
            for speed in range(110, 230, 15):
                for pitch in (30, 50, 70):
                    file = part / f"{voice}-{speed}-{pitch}.wav"
                    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "-w", str(file), word]
                    subprocess.run(command, check=True)
    return row("spoken words", folder, seeds, [spectral(folder)], "spectrogram, logistic regression")


def spectral(folder: Path) -> float:
    """Return the accuracy of a logistic regression on the logarithms of short spectra."""
    from scipy.signal import spectrogram
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    splits = load(folder, validation_fraction=0)
    assert splits.test is not None
    x, test_x = (
        np.log1p(spectrogram(part.inputs[:, 0], nperseg=512)[2]).reshape(len(part), -1)
        for part in (splits.train, splits.test)
    )
    model: Any = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return float(model.fit(x, splits.train.targets).score(test_x, splits.test.targets))


def images(name: str, data: DataConfig, size: tuple[int, int] | None, seeds: int) -> tuple[str, ...]:
    """Return the row of a set of images, beside logistic regression on their pixels, of photographs at `size`."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from striate.data.options import Options

    splits = load(data.name, data.folder and Path(data.folder), validation_fraction=0, options=Options(size=size))
    assert splits.test is not None
    x, test_x = (part.inputs.reshape(len(part), -1).astype(np.float32) for part in (splits.train, splits.test))
    model: Any = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    score = float(model.fit(x, splits.train.targets).score(test_x, splits.test.targets))
    return row(name, data, seeds, [score], "pixels, logistic regression")


if __name__ == "__main__":
    main()
