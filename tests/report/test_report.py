from __future__ import annotations

import base64
import dataclasses
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from striate import Trainer
from striate.data.problems import BadFile
from striate.data.splits import Splits
from striate.drawing.html import Markup, element
from striate.drawing.images import coloured, flat, picture
from striate.drawing.svg import confusion, curves, scatter, ticks
from striate.layers import Conv1d, Flatten, Linear
from striate.models import logistic_regression
from striate.network import Sequential
from striate.report import report, write_report
from striate.report.filters import first_filters
from striate.training.run import DataConfig, Run, RunConfig, RunFolder
from tasks import line, rich_network, stripes

EMPTY = {"meta", "img", "br"}


class Checker(HTMLParser):
    """Collects elements and raises where one is not closed."""

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def checked(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    return checker


def run_of(splits: Splits, network, tmp_path, epochs=2) -> Run:
    trainer = Trainer(network, batch_size=25)
    trainer.fit(splits.train, splits.validation, epochs=epochs)
    part = "test" if splits.test else "validation"
    evaluation = trainer.model.evaluate(splits.test or splits.validation)
    return Run(RunFolder(tmp_path), RunConfig(data=DataConfig(name="digits")), splits, trainer, evaluation, part)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    names = ("a", "<b>", "c & d")
    sizes = ((80, 2), (100, 0), (40, 1))
    test, train, validation = (dataclasses.replace(stripes(*size), classes=names) for size in sizes)
    files = np.array([f"<b>{i}</b>.png" for i in range(80)])
    test = dataclasses.replace(test, files=files)
    bad = (BadFile("broken <i>.png", "truncated"),)
    return run_of(Splits(train, validation, test, bad), rich_network(), tmp_path_factory.mktemp("run"))


def test_a_page_needs_nothing_else(run, tmp_path):
    page = write_report(run, tmp_path / "report.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>\n<html")
    found = checked(page)
    assert "script" not in {tag for tag, _ in found.elements}
    assert not re.search(r"(src|href)=\"(?!data:)|url\(|@import|https?://", page)
    assert re.findall(r"<h2>(.*?)</h2>", page) == [
        "Learning", "What to try next",
        "Metrics on the test split", "Confusion", "Confused most often", "Calibration",
        "Most confident mistakes", "Filters of conv1", "Feature maps of a sample",
        "What decided in confident mistakes", "Receptive fields", "Network", "Data", "Configuration",
    ]  # fmt: skip
    assert len(page) < 300_000


def test_names_of_classes_and_files_are_text(run):
    page = report(run)
    assert "&lt;b&gt;" in page
    assert "c &amp; d" in page
    assert "broken &lt;i&gt;.png" in page
    assert not re.search(r"<b>\d+</b>\.png", page)


def test_figures_are_those_of_the_evaluation(run):
    text = "".join(checked(report(run)).text)
    assert f"{run.evaluation.accuracy:.2%}" in text
    assert f"{run.evaluation.loss:.4g}" in text
    for m in run.evaluation.confusion.diagonal():
        assert f"{m}" in text


def test_mistakes_are_shown_as_they_are(run):
    page = report(run)
    worst = int(run.evaluation.mistakes()[0])
    image = re.search(r'src="data:image/png;base64,([^"]+)" alt="&lt;b&gt;' + str(worst), page)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(image[1]))))
    assert np.array_equal(pixels, run.splits.test.inputs[worst, 0])


def test_a_perfect_model_has_no_mistakes_to_show(run):
    evaluation = run.trainer.model.evaluate(run.splits.test)
    evaluation.outputs[:] = np.eye(3)[run.splits.test.targets]
    perfect = Run(run.folder, run.config, run.splits, run.trainer, evaluation, "test")
    assert "Most confident mistakes" not in report(perfect)


def test_regressions_have_a_report_too(tmp_path):
    splits = Splits(line(100), line(50), None)
    page = report(run_of(splits, Sequential([Flatten(), Linear(2)], (5, 1, 1)), tmp_path))
    checked(page)
    assert "root mean squared error" in page
    assert "Predicted against true" in page
    assert "Confusion" not in page
    assert "Metrics on the validation split" in page


def test_templates_of_a_dense_layer_are_shown_in_the_shape_of_the_samples(data):
    name, filters = first_filters(Trainer(logistic_regression(3, (1, 8, 8))).model)
    assert name == "linear1"
    assert [f.shape for f in filters] == [(1, 8, 8)] * 3
    name, filters = first_filters(Trainer(Sequential([Flatten(), Linear(2)], (5,))).model)
    assert filters == []
    assert first_filters(Trainer(Sequential([Flatten(), Linear(2)], (16, 1))).model) == ("linear1", [])
    name, filters = first_filters(Trainer(Sequential([Conv1d(4, 7)], (2, 30))).model)
    assert filters[0].shape == (2, 7)


def test_samples_of_every_rank_become_planes():
    assert flat(np.zeros((1, 4, 5))).shape == (4, 5)
    assert flat(np.zeros((3, 4, 5))).shape == (4, 5, 3)
    assert flat(np.zeros((7, 4, 5))).shape == (4, 5)
    assert flat(np.arange(24.0).reshape(1, 3, 2, 4))[0, 0] == 8


def test_curves_hold_their_points():
    svg = curves("loss", "epoch", {"training": [(1, 2.0), (2, 1.0)], "none": [], "bad": [(1, float("nan"))]})
    found = checked(svg)
    (points,) = [a["points"] for tag, a in found.elements if tag == "polyline"]
    (x0, y0), (x1, y1) = (map(float, p.split(",")) for p in points.split())
    assert x0 < x1
    assert y0 < y1
    assert "bad" not in "".join(found.text)
    assert curves("x", "y", {"a": []}) == ""
    assert "polyline" in curves("flat", "epoch", {"a": [(1, 3.0)]})
    assert ">0<" in curves("rate", "epoch", {"a": [(1, 0.1), (2, 0.2)]}, least=0.0)


def test_predictions_are_drawn_against_the_truth():
    svg = scatter("predicted", "true", np.array([0.0, 1.0, np.nan]), np.array([1.0, 0.0, 2.0]))
    checked(svg)
    assert svg.count("h0") == 2
    assert scatter("predicted", "true", np.array([np.nan]), np.zeros(1)) == ""


def test_series_are_curves_and_features_bars():
    curve = picture(np.array([[0.0, 1.0, 0.5], [1.0, 0.0, 0.5]]), 0.0, 1.0, 50, "a < b")
    checked(curve)
    assert curve.count("<polyline") == 2
    assert "a &lt; b" in curve
    long = picture(np.sin(np.arange(16000.0))[None], -1.0, 1.0, 50)
    assert long.count(",") <= 400
    assert picture(np.array([1.0, -2.0]), -2.0, 1.0, 50).count("z") == 2
    assert coloured(np.array([1.0, 0.0, -1.0]), np.zeros((1, 3)), 50).count("<rect") == 2
    rise = np.arange(3.0)
    curves = re.findall('points="(.*?)"', coloured(rise, np.stack([rise, 1000 + 50 * rise]), 50))
    assert curves[0] == curves[1]  # each channel in its own range


def test_ticks_are_round_and_inside():
    assert ticks(0.13, 0.87) == [0.2, 0.4, 0.6, 0.8]
    assert ticks(1, 40) == [10, 20, 30, 40]
    assert ticks(-1e-6, 1e-6)[0] == -1e-6


@pytest.mark.parametrize(("epochs", "expected"), [(1, "1"), (2, "1 2"), (3, "1 2 3"), (7, "2 4 6")])
def test_epochs_on_an_axis_are_whole_numbers(epochs, expected):
    drawn = curves("loss", "epoch", {"training": [(float(n), 0.5**n) for n in range(1, epochs + 1)]})
    below = re.findall(r'<text x="[0-9.]+" y="236" text-anchor="middle">([^<]+)</text>', str(drawn))
    assert below == expected.split()


def test_other_axes_keep_their_fractions():
    drawn = curves("loss", "seconds", {"training": [(0.0, 1.0), (1.3, 0.5)]})
    assert ">0.5</text>" in drawn


def test_confusion_shades_shares():
    html = confusion(np.array([[9, 1], [0, 0]]), ["a", "b"])
    assert html.count("0.85") == 0
    assert "90.0% of the row" in html
    assert html.count("·") == 2


def test_text_is_escaped_once():
    assert element("p", Markup("<i>"), "<i>", title='"') == '<p title="&#34;"><i>&lt;i&gt;</p>'
