"""``striate explain``."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

import striate
from striate.data import registry
from striate.layers import Linear, Sigmoid
from striate.network import Sequential

from .helpers import last_json


@pytest.fixture
def digit(tmp_path):
    """The file of a test image."""
    path = tmp_path / "digit.png"
    Image.fromarray(registry.load("digits").test.inputs[0, 0]).save(path)
    return path


def test_a_page_for_an_image(run, trained, digit, tmp_path):
    out = tmp_path / "pages" / "page.html"
    result = run("explain", trained, digit, "--out", out, "--json")
    assert result.exit_code == 0, result.output
    page = out.read_text(encoding="utf-8")
    told = last_json(result)
    model = striate.load(trained)
    expected = model.predict(registry.load("digits").test.inputs[:1])[0]
    assert told["class"] == model.classes[expected]
    assert told["bytes"] == len(page.encode()) < 3_000_000
    data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert data is not None
    content = json.loads(data[1])
    assert (content["sample"], content["target"]) == ("digit.png", expected)


@pytest.mark.parametrize("name", ["4", "7"])
def test_another_class(run, trained, digit, tmp_path, name):
    out = tmp_path / "page.html"
    assert run("explain", trained, digit, "--out", out, "--class", name).exit_code == 0
    assert f'"target":{name},' in out.read_text(encoding="utf-8")


def test_inverted(run, trained, digit, tmp_path):
    plain, inverted = tmp_path / "plain.html", tmp_path / "inverted.html"
    other = tmp_path / "other" / "digit.png"
    other.parent.mkdir()
    Image.fromarray(255 - np.asarray(Image.open(digit))).save(other)
    assert run("explain", trained, digit, "--out", plain).exit_code == 0
    assert run("explain", trained, other, "--invert", "--out", inverted).exit_code == 0
    assert plain.read_bytes() == inverted.read_bytes()


def test_what_does_not_fit(refused, trained, digit, tmp_path):
    page = tmp_path / "page.html"
    assert "class: must be a number from 0 to 9" in refused(
        "explain", trained, digit, "--class", "cat", "--out", page, status=2
    )
    assert "nowhere.png" in refused("explain", trained, tmp_path / "nowhere.png", "--out", page, status=1)
    text = tmp_path / "text.png"
    text.write_text("no picture")
    assert "text.png" in refused("explain", trained, text, "--out", page, status=1)
    assert "cannot be written" in refused("explain", trained, digit, "--out", text / "page.html", status=1)
    assert not page.exists()


def test_a_folder_of_several_samples_is_refused(refused, trained, digit):
    digit.with_name("second.png").write_bytes(digit.read_bytes())
    message = refused("explain", trained, digit.parent, status=2)
    assert f"holds 2 samples. Name one of them, such as {digit}." in message


@pytest.mark.parametrize(("sample", "expected"), [((9, 9), "wet, cold"), ((-9, 9), "cold"), ((-9, -9), "no label")])
def test_the_labels_that_are_on_are_named(run, tmp_path, sample, expected):
    metadata = {"targets": "labels", "preparation": {}}
    network = Sequential([Linear(2, bias=False), Sigmoid()], 2)
    model, one, page = tmp_path / "m.safetensors", tmp_path / "x.npy", tmp_path / "page.html"
    striate.Model(network, [1, 0, 0, 1], classes=("wet", "cold"), metadata=metadata).save(model)
    np.save(one, np.array([sample], np.float32))
    result = run("explain", model, one, "--out", page, "--json")
    assert result.exit_code == 0, result.output
    assert last_json(result)["class"] == expected
