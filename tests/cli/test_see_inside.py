"""The commands that look into a model: why, gradient, invariance, loss-slice and draw."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

import striate
from striate.data import registry
from striate.explain import gradient_path, trace

from .helpers import last_json, width_of


@pytest.fixture(scope="module")
def found(trained):
    """The trace of test sample 7."""
    return trace(striate.load(trained), registry.load("digits").test.inputs[7])


PLACE = ["--layer", "conv2", "--channel", 3, "--row", 1, "--column", 1]


def test_why_gives_the_terms_of_a_number(run, trained, found):
    result = run("why", trained, "digits:7", *PLACE, "--json")
    told, asked = last_json(result), found.why("conv2", channel=3, row=1, column=1)
    assert told["value"] == asked.value
    assert sum(term["product"] for term in told["terms"]) + told["constants"]["bias"] == pytest.approx(asked.value)
    assert [link["layer"] for link in told["chain"]] == ["pool1", "relu1", "conv1", "input"]
    assert told["receptive_field"]["spans"] == [[0, 6], [0, 6]]
    assert str(asked) in result.stderr


def test_why_of_a_picture_file_and_its_drawing(run, trained, tmp_path):
    digit, drawn = tmp_path / "digit.png", tmp_path / "field.png"
    Image.fromarray(registry.load("digits").test.inputs[7, 0]).save(digit)
    result = run("why", trained, digit, *PLACE, "--chain", "--picture", drawn)
    assert result.exit_code == 0, result.output
    assert "conv1[channel" in result.stdout
    assert result.stdout.count("weight * x + bias") == 2  # conv2 and, written out, conv1
    assert width_of(drawn) > 300


def test_why_without_a_place_takes_the_class_chosen_or_the_largest_value(run, trained, found):
    told = last_json(run("why", trained, "digits:7", "--json"))
    assert (told["layer"], told["index"]) == ("linear3", [int(found.scores.argmax())])
    largest = last_json(run("why", trained, "digits:7", "--layer", "relu1", "--json"))
    assert largest["value"] == found["relu1"].max()
    of_channel = last_json(run("why", trained, "digits:7", "--layer", "relu1", "--channel", 4, "--json"))
    assert (of_channel["index"][0], of_channel["value"]) == (4, found["relu1"][4].max())


def test_the_gradient_of_a_weight(run, trained, found, tmp_path):
    arguments = ["--parameter", "conv1.weight", "--index", "0,0,2,3"]
    picture = tmp_path / "gradient.png"
    result = run("gradient", trained, "digits:7", *arguments, "--class", 3, "--picture", picture, "--json")
    told = last_json(result)
    assert width_of(picture) > 300
    path = gradient_path(found, "conv1.weight", (0, 0, 2, 3), 3)
    assert told["gradient"] == path.gradient
    assert told["sum"] == pytest.approx(path.gradient, rel=1e-9)
    assert np.sum(np.multiply(told["values"], told["errors"])) == pytest.approx(path.gradient, rel=1e-9)


def test_invariance(run, trained, tmp_path):
    picture = tmp_path / "turned.svg"
    arguments = ["--change", "rotation", "--amounts", "-10,0,10", "--picture", picture, "--show", "probabilities"]
    result = run("invariance", trained, "digits:7", *arguments, "--json")
    told = last_json(result)
    assert told["amounts"] == [-10, 0, 10]
    assert told["changes"]["conv1"][1] == pytest.approx(0, abs=1e-12)
    assert told["changes"]["conv1"][0] > 0.01
    assert "<svg" in picture.read_text(encoding="utf-8")
    assert "equivariance error of pool1" in result.stderr


def test_loss_slices(run, trained, tmp_path):
    line = last_json(run("loss-slice", trained, "digits", "--points", 5, "--samples", 50, "--json"))
    assert line["steps"] == [-1, -0.5, 0, 0.5, 1]
    assert np.argmin(line["losses"]) == 2
    picture = tmp_path / "plane.png"
    arguments = ["--plane", "--points", 3, "--samples", 50, "--picture", picture, "--json"]
    plane = last_json(run("loss-slice", trained, "digits", *arguments))
    assert plane["losses"][1][1] == pytest.approx(line["losses"][2])
    assert width_of(picture) > 300
    same = last_json(run("loss-slice", trained, "digits", "--towards", trained, "--points", 2, "--json"))
    assert same["losses"][0] == pytest.approx(same["losses"][1])


@pytest.mark.parametrize(
    "arguments",
    [
        ["filters", "{model}"],
        ["filters", "{model}", "--layer", "conv2", "--channel", 2],
        ["maps", "{model}", "digits:7", "--layer", "pool1", "--scale", "map"],
        ["attribution", "{model}", "digits:7"],
        ["attribution", "{model}", "digits:7", "--method", "occlusion", "--class", 3],
        ["field", "{model}", "digits:7", "--layer", "conv2", "--channel", 3],
        ["patches", "{model}", "digits", "--layer", "relu2", "--channel", 3, "--count", 4],
        ["deconvolution", "{model}", "digits:7", "--layer", "relu2", "--channel", 3, "--guided"],
        ["ideal", "{model}", "--layer", "linear3", "--channel", 3, "--steps", 3],
    ],
)
def test_pictures(run, trained, tmp_path, arguments):
    out = tmp_path / "picture.png"
    result = run("draw", *[trained if a == "{model}" else a for a in arguments], "--out", out)
    assert result.exit_code == 0, result.output
    assert f"written: {out}" in result.stdout
    with Image.open(out) as picture:
        pixels = np.asarray(picture.convert("RGB"))
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 5


def test_attribution_maps_as_numbers(run, trained, tmp_path):
    told = last_json(
        run("draw", "attribution", trained, "digits:7", "--class", "3", "--out", tmp_path / "a.png", "--json")
    )
    assert told["class"] == "3"
    whole = np.sum(told["maps"]["integrated-gradients"])
    assert whole == pytest.approx(told["score"] - told["baseline_score"], rel=2e-3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["why", "{model}", "digits:7", "--layer", "conv9"], "layer: unknown name 'conv9'"),
        (["why", "{model}", "digits:7", *PLACE[:2], "--channel", 16, "--row", 0, "--column", 0], "channel must be"),
        (
            ["why", "{model}", "digits:7", *PLACE[:2], "--channel", 16],
            "channel must be a whole number from 0 to 15",
        ),
        (["why", "{model}", "digits:7", *PLACE[:4], "--row", 9, "--column", 0], "row must be a whole number"),
        (["why", "{model}", "digits:7", *PLACE[:4], "--row", 1], "column is missing"),
        (["why", "{model}", "digits:7", "--layer", "linear1", "--row", 1], "has no row axis"),
        (["why", "{model}", "digits:359"], "digits: has samples 0 to 358; got 359"),
        (["why", "{model}", "digits:3", "--fit", "pad"], "--invert and --fit are for files"),
        (["why", "{model}", "digit:1"], "data set: no file, folder or data set is called 'digit'"),
        (
            ["gradient", "{model}", "digits:7", "--parameter", "conv1.wait", "--index", "0"],
            "unknown name 'conv1.wait'",
        ),
        (["gradient", "{model}", "digits:7", "--parameter", "conv1.weight", "--index", "0,9"], "index must lie in"),
        (
            ["gradient", "{model}", "digits:7", "--parameter", "conv1.weight", "--index", "a"],
            "--index: must be numbers",
        ),
        (
            ["gradient", "{model}", "digits:7", "--parameter", "conv1.bias", "--index", "0", "--class", "cat"],
            "class: must be",
        ),
        (["invariance", "{model}", "digits:7", "--change", "shear"], "kind: unknown name 'shear'"),
        (["invariance", "{model}", "digits:7", "--amounts", "1,two"], "--amounts"),
        (["invariance", "{model}", "digits:7", "--change", "scale", "--amounts", "0"], "for scale above 0"),
        (["loss-slice", "{model}", "digits", "--points", 1], "points"),
        (["loss-slice", "{model}", "digits", "--plane", "--towards", "{model}"], "--towards gives a line"),
        (["draw", "filters", "{model}", "--layer", "relu1"], "relu1: has no filters"),
        (["draw", "filters", "{model}", "--out", "filters.txt"], "the format must be one of"),
        (["draw", "maps", "{model}", "digits:7", "--scale", "all"], "scale: unknown name 'all'"),
        (["draw", "attribution", "{model}", "digits:7", "--method", "guess"], "attribution: unknown name 'guess'"),
        (["draw", "patches", "{model}", "digits", "--channel", 6], "channel must be a whole number from 0 to 5"),
        (["draw", "shapes", "{model}"], "shapes"),
    ],
)
def test_what_does_not_exist(refused, trained, arguments, words):
    assert words in refused(*[trained if a == "{model}" else a for a in arguments], status=2)


def test_a_file_that_is_no_picture(refused, trained, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("no picture")
    assert "text.png" in refused("why", trained, text, status=1)
    assert "fit must be one of" in refused("why", trained, text, "--fit", "squeeze", status=2)
    assert "nowhere.png" in refused("why", trained, tmp_path / "nowhere.png", status=1)


def test_why_names_columns_of_a_regression_in_its_unit(run, tmp_path):
    random = np.random.default_rng(0)
    rows = [(a, b, 5e6 * a + 1e5 * b) for a, b in random.normal(0, 1, (80, 2))]
    table = tmp_path / "flats.csv"
    table.write_text("area,noise,price\n" + "".join(f"{a:.3f},{b:.3f},{c:.0f}\n" for a, b, c in rows))
    trained = run("train", table, "--label", "price", "--epochs", 40, "--no-report", "--out", tmp_path / "run")
    assert trained.exit_code == 0, trained.output
    assert "e+0" not in trained.stdout.partition("mlp:")[0]
    result = run("why", tmp_path / "run", f"{table}:2", "--json")
    columns = last_json(result)["columns"]
    assert columns["area"] == pytest.approx(5e6 * rows[1][0], rel=0.5)
    assert abs(columns["noise"]) < 1e6
    assert "this one means price" in result.stderr
    assert "e+0" not in result.stderr.partition("this one means")[2].partition("layer by layer")[0]


def test_why_names_the_columns_that_decided(run, tmp_path):
    random = np.random.default_rng(0)
    rows = [(n % 2 * 4 + random.normal(), random.normal(), ("no", "yes")[n % 2]) for n in range(80)]
    table = tmp_path / "visits.csv"
    table.write_text("pages,minutes,bought\n" + "".join(f"{a:.3f},{b:.3f},{c}\n" for a, b, c in rows))
    trained = run("train", table, "--label", "bought", "--epochs", 20, "--no-report", "--out", tmp_path / "run")
    assert trained.exit_code == 0, trained.output
    result = run("why", tmp_path / "run", f"{table}:2", "--json")
    columns = last_json(result)["columns"]
    assert set(columns) == {"pages", "minutes"}
    assert abs(columns["pages"]) > abs(columns["minutes"])
    assert "the columns that mattered most, by integrated gradients:\n  pages" in result.stderr
    assert re.search(r"input\[channel [01], position 0\] = \S+ \((pages|minutes)\)$", result.stderr, re.MULTILINE)
    assert "receptive field" not in result.stderr
