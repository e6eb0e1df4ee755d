"""``striate arithmetic``."""

from __future__ import annotations

import pytest
from PIL import Image

from .helpers import last_json


def test_the_first_layer_of_alexnet(run):
    arguments = ("conv", "--input", 227, "--kernel", 11, "--stride", 4, "--in-channels", 3, "--out-channels", 96)
    result = run("arithmetic", *arguments, "--json")
    values = last_json(result)
    assert values["output_shape"] == [1, 96, 55, 55]
    assert values["parameters"] == 34_944
    assert "floor((227 + 2*0 - 11)/4) + 1" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "shape"),
    [
        (["conv", "--input", "28", "--kernel", "5", "--padding", "same"], [1, 1, 28, 28]),
        (["conv", "--input", "10x20", "--kernel", "3x5", "--padding", "1x0,2"], [1, 1, 10, 18]),
        (["conv", "--input", "100", "--kernel", "3", "--dimensions", "1", "--padding", "0,1"], [1, 1, 99]),
        (["transposed", "--input", "7", "--kernel", "4", "--stride", "2", "--padding", "1"], [1, 1, 14, 14]),
        (["pool", "--input", "7", "--kernel", "2", "--in-channels", "6"], [1, 6, 3, 3]),
        (["pool", "--input", "7", "--kernel", "2", "--ceil"], [1, 1, 4, 4]),
        (["conv", "--input", "7", "--kernel", "3", "--dilation", "2", "--batch", "5"], [5, 1, 3, 3]),
    ],
)
def test_output_shapes(run, arguments, shape):
    assert last_json(run("arithmetic", *arguments, "--json"))["output_shape"] == shape


def test_fully_connected_layers(run):
    result = run("arithmetic", "linear", "--input", "784x100x100x10", "--json")
    assert last_json(result)["parameters"] == 89_610


def test_the_inverse_question(run):
    values = last_json(run("arithmetic", "conv", "--input", 28, "--output", 28, "--kernel", 5, "--json"))
    assert values["settings"] == [{"kernel": 5, "stride": 1, "padding": [2, 2]}]
    values = last_json(run("arithmetic", "conv", "--input", 32, "--output", 7, "--kernel", 5, "--json"))
    assert values["settings"][0] == {"kernel": 5, "stride": 4, "padding": [0, 0]}
    values = last_json(run("arithmetic", "transposed", "--input", 7, "--output", 14, "--kernel", 2, "--json"))
    assert values["settings"] == [{"kernel": 2, "stride": 2, "padding": [0, 0]}]


@pytest.mark.parametrize("kind", ["svg", "gif", "png"])
def test_the_window_is_drawn(run, tmp_path, kind):
    path = tmp_path / f"window.{kind}"
    result = run("arithmetic", "conv", "--input", 5, "--kernel", 3, "--padding", 1, "--picture", path)
    assert result.exit_code == 0, result.output
    if kind == "svg":
        assert path.read_text(encoding="utf-8").startswith("<svg")
    else:
        with Image.open(path) as picture:
            assert picture.format == kind.upper()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["convolution", "--input", "5"], "arithmetic: unknown name 'convolution'; did you mean 'conv'"),
        (["conv", "--input", "5"], "--kernel: is required"),
        (["conv", "--input", "five", "--kernel", "3"], "--input: must be a number"),
        (["conv", "--input", "5", "--kernel", "3", "--padding", "1..2"], "--padding: must be"),
        (["conv", "--input", "5", "--kernel", "3", "--padding", "some"], "padding"),
        (["conv", "--input", "5", "--kernel", "7"], "7"),
        (["conv", "--input", "5x5", "--output", "3"], "--input: --output works along one axis"),
        (["conv", "--input", "5", "--output", "50", "--kernel", "3"], "no setting"),
        (["linear", "--input", "784"], "at least an input and an output size"),
        (["conv", "--input", "5", "--kernel", "3", "--picture", "window.txt"], "window.txt: the name must end in"),
    ],
)
def test_wrong_use(refused, arguments, words):
    assert words in refused("arithmetic", *arguments, status=2)
