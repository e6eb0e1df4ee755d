"""``striate summary``."""

from __future__ import annotations

import pytest

from .helpers import last_json


def test_a_network_by_name(run):
    result = run("summary", "lenet5")
    assert result.exit_code == 0
    assert result.stdout.startswith("lenet5: 61,706 parameters")
    assert "receptive field" in result.stdout


def test_a_model_file(run, trained):
    values = last_json(run("summary", trained, "--json"))
    assert values["network"] == "lenet5"
    assert values["layers"][0]["output_shape"] == [1, 8, 8]


def test_samples_and_classes_of_a_network_by_name(run):
    values = last_json(run("summary", "digit_recogniser", "--input", "3x32x32", "--classes", 7, "--json"))
    assert values["layers"][0]["output_shape"] == [3, 32, 32]
    assert values["layers"][-1]["output_shape"] == [7]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lenet"], "model: unknown name 'lenet'; did you mean 'lenet5'"),
        (["lenet5", "--input", "big"], "--input: must be a number, or numbers joined by x"),
        (["lenet5", "--input", "1x2x2"], "lenet5"),
        (["lenet5", "--classes", "0"], "classes"),
    ],
)
def test_wrong_use(refused, arguments, words):
    assert words in refused("summary", *arguments, status=2)


def test_a_file_that_is_missing(refused, tmp_path):
    assert "No such file" in refused("summary", tmp_path / "none.safetensors", status=1)
    assert "No such file" in refused("draw", "connections", "runs/none", status=1)


def test_the_network_drawn(run, trained, tmp_path):
    told = last_json(run("summary", "googlenet", "--fold", 1, "--out", tmp_path / "net.svg", "--json"))
    assert "inception3a" in (tmp_path / "net.svg").read_text("utf-8")
    assert told["picture"] == str(tmp_path / "net.svg")
    assert run("summary", trained, "--out", tmp_path / "net.png").exit_code == 0
    result = run("draw", "connections", "lenet5", "--layer", "conv2", "--out", tmp_path / "seen.png")
    assert result.exit_code == 0, result.output


def test_a_style_without_a_drawing(refused):
    words = refused("summary", "lenet5", "--style", "graph", status=2)
    assert "--style and --fold need a drawing to write" in words
