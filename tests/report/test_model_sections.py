"""What explanations add to the report of a run."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from striate import Trainer
from striate.data import registry
from striate.data.dataset import Dataset
from striate.data.splits import Splits
from striate.explain import attribute, trace
from striate.layers import Conv1d, Conv2d, Conv3d, Flatten, Linear, MaxPool2d, ReLU
from striate.network import Sequential
from striate.report import write_report
from striate.report.budget import Budget
from striate.report.model_sections import feature_maps, first_trace, receptive_fields, what_decided
from striate.training.run import DataConfig, Run, RunConfig, RunFolder


def run_of(splits: Splits, layers: list, epochs: int, folder) -> Run:
    trainer = Trainer(Sequential(layers, splits.train.sample_shape), seed=1)
    trainer.fit(splits.train, epochs=epochs)
    evaluation = trainer.model.evaluate(splits.test)
    return Run(RunFolder(folder), RunConfig(data=DataConfig(name="digits")), splits, trainer, evaluation, "test")


def noise(shape: tuple[int, ...], classes: int = 3) -> Splits:
    """Random samples of which a model learns nothing, so that it makes mistakes."""
    rng = np.random.default_rng(0)
    parts = []
    for count in (40, 30):
        targets = rng.integers(0, classes, count) if classes else rng.normal(size=(count, 2)).astype(np.float32)
        names = tuple("abcdef"[:classes])
        parts.append(Dataset(rng.normal(size=(count, *shape)).astype(np.float32), targets, names, "noise"))
    return Splits(parts[0], None, parts[1])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    layers = [Conv2d(4, 3, padding=1), ReLU(), MaxPool2d(2), Conv2d(20, 3), ReLU(), Flatten(), Linear(10)]
    splits = registry.load("digits")
    return run_of(splits, layers, 2, tmp_path_factory.mktemp("run"))


def images(page: str) -> list[tuple[str, np.ndarray]]:
    """Every picture with its title."""
    found = re.findall(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]*)"', page)
    return [(title, np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))) for data, title in found]


def test_the_parts_are_in_the_page(run, tmp_path):
    page = write_report(run, tmp_path / "report.html").read_text("utf-8")
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    own = headings.index("Network")
    assert headings[own - 3 : own] == [
        "Feature maps of a sample",
        "What decided in confident mistakes",
        "Receptive fields",
    ]
    assert not re.search(r"<script|(src|href)=\"(?!data:)|https?://", page)


def test_maps_are_those_of_the_trace(run):
    shown = dict(images(feature_maps(first_trace(run))))
    values = trace(run.model, run.splits.test.inputs[0])["conv1"]
    expected = (values[2] - values.min()) / np.ptp(values) * 255
    np.testing.assert_array_equal(shown["conv1, map 2"], np.rint(expected))
    assert "conv2, map 15" in shown
    assert "conv2, map 16" not in shown  # the first 16 of 20


def test_fields_are_brightest_where_the_gradient_is_largest(run):
    (title, pixels), *_ = images(receptive_fields(first_trace(run), Budget(60)))
    assert title.startswith("conv1: conv1[channel ")
    assert (pixels > 0).sum() <= 9  # a 3x3 window
    assert pixels.max() == 255


def test_mistakes_are_decided_by_the_class_chosen_and_the_true_one(run):
    page = what_decided(run, Budget(60))
    worst = int(run.evaluation.mistakes()[0])
    chosen, true = int(run.evaluation.outputs[worst].argmax()), int(run.splits.test.targets[worst])
    (sample, first), (one, mine), (other, theirs) = images(page)[:3]
    assert (sample, one, other) == ("the sample", f"for {chosen}", f"for {true}")
    np.testing.assert_array_equal(first, run.splits.test.inputs[worst, 0])
    strongest = attribute(run.model, run.splits.test.inputs[worst], target=chosen).map(2)
    at = np.unravel_index(np.abs(strongest).argmax(), strongest.shape)
    assert (mine[at][0] > mine[at][2]) == (strongest[at] > 0)  # more red than blue
    assert not np.array_equal(mine, theirs)


@pytest.mark.parametrize(
    ("shape", "layers", "classes", "headings"),
    [
        ((2, 12), [Conv1d(3, 3), ReLU(), Flatten(), Linear(3)], 3, 3),
        ((1, 4, 5, 6), [Conv3d(2, 3), ReLU(), Flatten(), Linear(3)], 3, 3),
        ((6, 1, 1), [Flatten(), Linear(3)], 3, 1),
        ((7,), [Linear(3)], 3, 1),
        ((1, 6, 6), [Conv2d(2, 3), Flatten(), Linear(2)], 0, 2),
    ],
)
def test_every_kind_of_run_has_a_report(shape, layers, classes, headings, tmp_path):
    run = run_of(noise(shape, classes), layers, 1, tmp_path)
    found = first_trace(run)
    page = feature_maps(found) + receptive_fields(found, Budget(60)) + what_decided(run, Budget(60))
    assert page.count("<h2>") == headings


def test_pictures_stop_when_the_time_is_over_and_say_so(run):
    page = receptive_fields(first_trace(run), Budget(0))
    assert "0 of 5 shown: a report may take 0 seconds." in page
    assert "0 of 6 shown" in what_decided(run, Budget(0))
