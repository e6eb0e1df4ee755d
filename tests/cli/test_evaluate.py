"""``striate evaluate``."""

from __future__ import annotations

import csv
import json
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import striate
from striate.data import registry

from .helpers import last_json


def test_the_test_part_by_default(run, trained):
    result = run("evaluate", trained, "digits", "--json")
    values = last_json(result)
    expected = striate.load(trained).evaluate(registry.load("digits").test)
    assert values["test_accuracy"] == expected.accuracy
    assert values["samples"] == 359
    assert values["confusion"] == expected.confusion.tolist()
    assert "confusion matrix" in result.stderr


def test_another_part(run, trained):
    values = last_json(run("evaluate", trained, "digits", "--split", "validation", "--json"))
    assert values["samples"] == 144
    assert "validation_accuracy" in values


def test_unknown_part(refused, trained):
    assert "split: unknown name 'tset'; did you mean 'test'" in refused(
        "evaluate", trained, "digits", "--split", "tset", status=2
    )


def test_a_part_that_is_not_there(refused, trained, monkeypatch):
    load = registry.load
    monkeypatch.setattr(
        registry, "load", lambda name, folder, seed, _, options: load(name, folder, seed, 0.0, options)
    )
    line = refused("evaluate", trained, "digits", "--part", "validation", status=1)
    assert "digits: has no validation split. Choose another with --split." in line


@pytest.fixture
def held_out(tmp_path):
    """A folder of pictures of three digits, 20 of the first and 5 of each other."""
    data = registry.load("digits").test
    for label, count in ((0, 20), (1, 5), (2, 5)):
        (tmp_path / "held" / str(label)).mkdir(parents=True)
        for number, index in enumerate(np.flatnonzero(data.targets == label)[:count]):
            picture = Image.fromarray(np.uint8(data.inputs[index][0]))
            picture.save(tmp_path / "held" / str(label) / f"{number}.png")
    return tmp_path / "held"


def test_a_folder_is_tested_whole(run, trained, held_out, tmp_path):
    values = last_json(run("evaluate", trained, held_out, "--json"))
    assert (values["split"], values["samples"]) == ("all", 30)
    assert last_json(run("evaluate", trained, held_out, "--split", "test", "--json"))["samples"] == 6


def test_a_folder_of_one_class_is_tested(run, trained, held_out):
    for label in "12":
        shutil.rmtree(held_out / label)
    values = last_json(run("evaluate", trained, held_out, "--json"))
    assert (values["split"], values["samples"]) == ("all", 20)


def test_the_test_part_of_a_folder_is_tested(run, trained, held_out, tmp_path):
    for part in ("train", "test"):
        shutil.copytree(held_out, tmp_path / "set" / part)
    shutil.rmtree(tmp_path / "set" / "test" / "2")
    values = last_json(run("evaluate", trained, tmp_path / "set", "--json"))
    assert (values["split"], values["samples"]) == ("test", 25)


def test_scores_of_each_class_and_mistakes(run, trained, held_out, tmp_path):
    model, path = striate.load(trained), tmp_path / "mistakes.csv"
    result = run("evaluate", trained, held_out, "--mistakes", path)
    assert "balanced accuracy" in result.stdout
    assert re.search(r"precision +recall +F1 +samples", result.stdout)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    called = {str(file): int(model.predict(file)[0]) for file in held_out.rglob("*.png")}
    wrong = {file for file, label in called.items() if label != int(Path(file).parent.name)}
    assert {row["file"] for row in rows} == wrong
    assert all(int(row["predicted"]) == called[row["file"]] for row in rows)
    shares = [float(row["probability"]) for row in rows]
    assert shares == sorted(shares, reverse=True)


def test_a_model_without_numbers_is_refused(refused, trained, tmp_path):
    model = striate.load(trained)
    model.theta = np.full_like(model.theta, np.nan)
    path = model.save(tmp_path / "nan.safetensors")
    assert "the parameters of a model must be finite; conv1.weight are not" in refused(
        "evaluate", path, "digits", status=1
    )


def test_threads_are_a_number(refused, trained):
    line = refused("evaluate", trained, "digits", "--threads", "0", status=2)
    assert "threads: must be at least 1" in line


def test_another_shape(refused, trained, idx_folder):
    line = refused("evaluate", trained, "mnist", "--data-dir", idx_folder, status=2)
    assert "samples must be 1 x 8 x 8, as lenet5 takes them; got 1 x 28 x 28" in line


def _truncate(data: bytes) -> bytes:
    return data[:-100]


def _flip(data: bytes) -> bytes:
    return data[:-1000] + bytes([data[-1000] ^ 4]) + data[-999:]


def _other_kind(data: bytes) -> bytes:
    return b"PK\x03\x04" + data


def _disagree(data: bytes) -> bytes:
    """Give the first tensor another shape of the same size."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    name = "linear1.weight"
    header[name]["shape"] = header[name]["shape"][::-1]
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data[8 + length :]


def _empty(data: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("spoil", [_truncate, _flip, _other_kind, _disagree, _empty])
@pytest.mark.parametrize("command", [["evaluate", "{}", "digits"], ["predict", "{}", "x.png"], ["summary", "{}"]])
def test_spoilt_model_files(refused, trained, tmp_path, spoil, command):
    path = tmp_path / "model.safetensors"
    path.write_bytes(spoil(trained.read_bytes()))
    line = refused(*(part.format(path) for part in command), status=1)
    assert str(path) in line


def test_a_model_that_is_missing(refused, tmp_path):
    assert "No such file" in refused("evaluate", tmp_path / "none.safetensors", "digits", status=1)
