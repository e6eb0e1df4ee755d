"""``striate sweep``."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PIL import Image

import striate
from striate.data import registry
from striate.explain import sweep
from striate.layers import Flatten, Linear, Softmax
from striate.network import Sequential

from .helpers import last_json, width_of


@pytest.fixture(scope="module")
def sheet(tmp_path_factory):
    """A picture of 24 x 40 pixels with three digits."""
    page = np.zeros((24, 40), np.uint8)
    for number, digit in enumerate(registry.load("digits").test.inputs[:3, 0]):
        page[4 + 4 * number : 12 + 4 * number, 12 * number : 12 * number + 8] = digit
    path = tmp_path_factory.mktemp("sheet") / "sheet.png"
    Image.fromarray(page).save(path)
    return path


def test_picture_table_and_facts(run, trained, sheet, tmp_path):
    out, scores = tmp_path / "map.png", tmp_path / "scores.csv"
    arguments = ("--class", "3", "--stride", 4, "--best", 2, "--out", out, "--scores", scores, "--at", "10,16")
    result = run("sweep", trained, sheet, *arguments, "--json")
    assert result.exit_code == 0, result.output
    told, found = last_json(result), sweep(striate.load(trained), sheet, stride=4)
    assert told["windows"] == [5, 9]
    assert told["class"] == "3"
    assert told["strongest"][0]["probability"] == pytest.approx(float(found.scores("3").max()))
    assert told["why"]["value"] == pytest.approx(found.why(10, 16, "3").value)
    assert "45 windows of 8 x 8 (5 x 9)" in result.stderr
    assert width_of(out) == 1200
    rows = list(csv.DictReader(scores.read_text().splitlines()))
    assert [(row["row"], row["column"]) for row in (rows[0], rows[1], rows[-1])] == [
        ("0", "0"),
        ("0", "4"),
        ("16", "32"),
    ]
    assert float(rows[9 * 2 + 3]["3"]) == pytest.approx(float(found.scores("3")[2, 3]), rel=1e-5)


def test_windows_of_another_size(run, trained, sheet):
    told = last_json(run("sweep", trained, sheet, "--class", 3, "--window", "16x12", "--json"))
    assert told["window"] == [16, 12]
    assert told["windows"] == [4, 11]  # the stride is a quarter of 12


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--class: must name the class to look for; got none. Choose one of 0, 1, 2"),
        (("--class", "eleven"), "class: unknown name 'eleven'"),
        (("--class", "3", "--stride", 0), "stride: must be at least 1; got 0"),
        (("--class", "3", "--window", "48"), "at least as large as a window of 48 x 48; got 24 x 40"),
        (("--class", "3", "--window", "a"), "--window: must be a number"),
        (("--class", "3", "--best", 0), "best: must be at least 1"),
        (("--class", "3", "--at", "5"), "--at: is written ROW,COLUMN"),
        (("--class", "3", "--at", "24,0"), "row: must be at most 23"),
        (("--class", "3", "--out", "map.txt"), "the format must be one of"),
    ],
)
def test_wrong_use_is_one_line(refused, trained, sheet, arguments, words):
    assert words in refused("sweep", trained, sheet, *arguments, status=2)


def test_a_model_of_tables_and_a_file_that_is_no_picture(refused, trained, sheet, tmp_path):
    network = Sequential([Flatten(), Linear(2), Softmax()], (14,))
    path = tmp_path / "table.safetensors"
    striate.Model(network, np.zeros(network.parameter_count), classes=("no", "yes")).save(path)
    assert "needs a model of pictures" in refused("sweep", path, sheet, "--class", "yes", status=2)
    assert "nowhere.png" in refused("sweep", trained, tmp_path / "nowhere.png", "--class", 3, status=1)
