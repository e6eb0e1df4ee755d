"""``striate predict``."""

from __future__ import annotations

import csv
import zipfile

import numpy as np
import pytest
from PIL import Image

import striate
from striate.data import registry
from striate.layers import Conv2d, Flatten
from striate.network import Sequential

from .helpers import last_json


@pytest.fixture(scope="module")
def digit():
    """A test image (uint8[8, 8]) and its number in the test split."""
    return registry.load("digits").test.inputs[0, 0]


def test_an_image_of_its_own_size(run, trained, digit, tmp_path):
    path = tmp_path / "digit.png"
    Image.fromarray(digit).save(path)
    result = run("predict", trained, path, "--json")
    assert result.exit_code == 0, result.output
    (item,) = last_json(result)["predictions"]
    expected = striate.load(trained).predict_proba(digit[None, None])[0]
    assert item["file"] == str(path)
    assert item["class"] == str(expected.argmax())
    assert item["probability"] == pytest.approx(expected.max())
    assert f"{path}: {item['class']} " in result.stderr


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "1", "P", "I;16", "CMYK"])
def test_any_size_and_colour(run, trained, tmp_path, mode):
    path = tmp_path / "picture.tif"
    image = Image.fromarray(np.arange(60 * 40, dtype=np.uint16).reshape(60, 40))
    (image if mode == "I;16" else image.convert("L").convert(mode)).save(path)
    result = run("predict", trained, path)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(str(path))


def test_invert_swaps_light_and_dark(run, trained, digit, tmp_path):
    paths = [tmp_path / "light.png", tmp_path / "dark.png"]
    Image.fromarray(digit).save(paths[0])
    Image.fromarray(255 - digit).save(paths[1])
    plain = last_json(run("predict", trained, paths[0], "--json"))["predictions"][0]
    inverted = last_json(run("predict", trained, paths[1], "--invert", "--json"))["predictions"][0]
    assert plain["classes"] == inverted["classes"]


def test_as_many_classes_as_asked_for(run, trained, digit, tmp_path):
    path = tmp_path / "digit.png"
    Image.fromarray(digit).save(path)
    (item,) = last_json(run("predict", trained, path, "--top", 2, "--json"))["predictions"]
    assert len(item["classes"]) == 2


def test_a_bad_file_does_not_hide_the_good_ones(run, trained, digit, tmp_path):
    good, bad, missing = tmp_path / "good.png", tmp_path / "bad.png", tmp_path / "missing.png"
    Image.fromarray(digit).save(good)
    bad.write_bytes(b"this is no picture")
    result = run("predict", trained, bad, good, missing, "--json")
    assert result.exit_code == 1
    values = last_json(result)
    assert [item["file"] for item in values["predictions"]] == [str(good)]
    assert len(values["problems"]) == 2
    errors = [line for line in result.stderr.splitlines() if line.startswith("striate: ")]
    assert str(bad) in errors[0]
    assert str(missing) in errors[1]
    assert errors[2] == "striate: 2 of 3 samples could not be read or predicted."


def test_one_bad_file_is_one_line(refused, trained, tmp_path):
    path = tmp_path / "bad.png"
    path.write_bytes(b"this is no picture")
    assert str(path) in refused("predict", trained, path, status=1)
    assert str(path) in refused("predict", trained, tmp_path / "*.png", status=1)


def test_a_folder(run, trained, digit, tmp_path):
    for name in ("a", "b"):
        Image.fromarray(digit).save(tmp_path / f"{name}.png")
    result = run("predict", trained, tmp_path)
    assert result.exit_code == 0
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == [str(tmp_path / f"{n}.png") for n in "ab"]


def test_an_array_has_a_prediction_for_every_row(run, trained, tmp_path):
    np.save(tmp_path / "x.npy", registry.load("digits").test.inputs[:3])
    result = run("predict", trained, tmp_path / "x.npy")
    assert [line.split(": ")[0] for line in result.stdout.splitlines()] == [f"{tmp_path}/x.npy:{n}" for n in "123"]
    np.save(tmp_path / "x.npy", registry.load("digits").test.inputs[0])
    assert run("predict", trained, tmp_path / "x.npy").stdout.startswith(f"{tmp_path}/x.npy: ")


def test_a_submission_for_the_rows_of_a_table(run, trained, tmp_path):
    x = registry.load("digits").test.inputs[:3].reshape(3, 64)
    header = ",".join(f"pixel{i}" for i in range(64))
    np.savetxt(tmp_path / "test.csv", x, fmt="%d", delimiter=",", header=header, comments="")
    out = tmp_path / "submission.csv"
    result = run("predict", trained, tmp_path / "test.csv", "--submission", out, "--json")
    assert result.exit_code == 0, result.output
    classes = [item["class"] for item in last_json(result)["predictions"]]
    assert out.read_text(encoding="utf-8").splitlines() == [
        "ImageId,Label",
        *(f"{n},{c}" for n, c in enumerate(classes, 1)),
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--top", "0"], "top: must be at least 1; got 0"), (["--threads", "0"], "threads: must be at least 1")],
)
def test_wrong_use(refused, trained, digit, tmp_path, arguments, words):
    path = tmp_path / "digit.png"
    Image.fromarray(digit).save(path)
    assert words in refused("predict", trained, path, *arguments, status=2)


def test_unknown_fit(refused, trained, digit, tmp_path):
    path = tmp_path / "digit.png"
    Image.fromarray(digit).save(path)
    assert "fit must be one of" in refused("predict", trained, path, "--fit", "squeeze", status=2)


@pytest.fixture
def three(digit, tmp_path):
    """Three files of one picture."""
    paths = [tmp_path / "pictures" / f"{number}.png" for number in range(3)]
    paths[0].parent.mkdir()
    for path in paths:
        Image.fromarray(digit).save(path)
    return paths


def test_patterns_archives_and_lists_of_files(run, trained, three, tmp_path):
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        for path in three[:2]:
            archive.write(path, f"inner/{path.name}")
    (tmp_path / "list.csv").write_text("file,label\npictures/2.png,7\n")
    where = [tmp_path / "pictures" / "[12].png", tmp_path / "some.zip", tmp_path / "list.csv"]
    values = last_json(run("predict", trained, *where, "--json"))
    names = [item["file"] for item in values["predictions"]]
    inner = [f"{tmp_path / 'some.zip'}:inner/{number}.png" for number in (0, 1)]
    assert names == [str(three[1]), str(three[2]), *inner, str(three[2])]
    assert len({item["probability"] for item in values["predictions"]}) == 1


def test_a_pattern_without_files(refused, trained, tmp_path):
    assert "no file matches this pattern" in refused("predict", trained, tmp_path / "*.png", status=1)


def test_a_damaged_archive(refused, trained, tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"PK no archive")
    assert "bad.zip: cannot be unpacked" in refused("predict", trained, tmp_path / "bad.zip", status=1)


def test_a_table_of_predictions(run, trained, three, tmp_path):
    out = tmp_path / "predictions.csv"
    result = run("predict", trained, three[0].parent, "--out", out)
    assert result.stdout == f"written: {out}\n"
    rows = list(csv.DictReader(out.read_text().splitlines()))
    expected = striate.load(trained).predict_proba(str(three[0]))[0]
    assert [row["file"] for row in rows] == list(map(str, three))
    assert all(row["prediction"] == str(expected.argmax()) for row in rows)
    assert [float(rows[0][str(k)]) for k in range(10)] == pytest.approx(expected.tolist(), rel=1e-5)


def test_outputs_that_are_not_finite_are_a_failure(refused, trained, three, tmp_path):
    model = striate.load(trained)
    model.theta = np.full_like(model.theta, 3e38)
    path = model.save(tmp_path / "nan.safetensors")
    assert "the model's outputs must be finite" in refused("predict", path, three[0], status=1)


def test_a_sample_of_a_data_set(run, refused, trained):
    item = last_json(run("predict", trained, "digits:7", "--json"))["predictions"][0]
    digits = registry.load("digits").test
    assert item["file"] == "digits:7"
    assert item["class"] == str(striate.load(trained).predict(digits.inputs[7:8])[0])
    assert "digits: has samples 0 to 358; got 359" in refused("predict", trained, "digits:359", status=2)
    assert "data set is called 'letters'" in refused("predict", trained, "letters:1", status=2)


def test_class_maps_are_shares_of_the_positions(run, tmp_path):
    network = Sequential([Conv2d(2, 1, bias=False)], (1, 2, 2))
    model = striate.Model(network, np.array([-1.0, 1.0]), classes=("low", "high"))
    path = model.save(tmp_path / "maps.safetensors")
    np.save(tmp_path / "x.npy", np.array([[[[1.0, 1.0], [1.0, -1.0]]]], np.float32))
    x, names = np.load(tmp_path / "x.npy"), np.array(["low", "high"])
    np.savez(tmp_path / "known.npz", x=x, y=np.array([[[1, 1], [0, 0]]]), classes=names)
    result = run("predict", path, tmp_path / "x.npy", "--json")
    (item,) = last_json(result)["predictions"]
    assert (item["class"], item["share"]) == ("high", 0.75)
    assert "high 75.0 %, low 25.0 % of the area" in run("predict", path, tmp_path / "x.npy").stdout
    values = last_json(run("evaluate", path, tmp_path / "known.npz", "--json"))
    assert values["all_accuracy"] == 0.75


def test_another_size_than_in_training(run, refused, trained, digit, tmp_path):
    network = Sequential([Conv2d(3, 3), striate.layers.GlobalAvgPool()], (1, 8, 8))
    model = striate.Model(network, np.linspace(-1, 1, network.parameter_count), classes="abc")
    saved, path = model.save(tmp_path / "model.safetensors"), tmp_path / "large.png"
    large = np.kron(digit, np.ones((2, 3), np.uint8))
    Image.fromarray(large).save(path)
    (item,) = last_json(run("predict", saved, path, "--size", "16x24", "--json"))["predictions"]
    expected = model.for_size(16, 24).predict_proba(large[None, None])[0]
    assert item["probability"] == pytest.approx(float(expected.max()))
    assert "and would be" in refused("predict", trained, path, "--size", 16, status=2)
    assert "--size: must be a number" in refused("predict", saved, path, "--size", "big", status=2)


def test_many_outputs_are_cut(run, digit, tmp_path):
    striate.Model(Sequential([Flatten()], (1, 16, 16)), []).save(tmp_path / "m.safetensors")
    Image.fromarray(digit).save(tmp_path / "digit.png")
    answer = run("predict", tmp_path / "m.safetensors", tmp_path / "digit.png")
    assert "and 156 more (--json prints all)" in " ".join(answer.output.split())
