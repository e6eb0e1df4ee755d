"""Segmentation from the command line: trained, measured by IoU, predicted as pictures."""

import numpy as np
import pytest
from PIL import Image

from striate.cli.masks import enlarged, write_masks
from striate.data.pixels import decode_mask

from .helpers import last_json


@pytest.fixture(scope="module")
def squares(tmp_path_factory):
    """Bright squares of two kinds on dark ground, with the class of every pixel."""
    random = np.random.default_rng(4)
    images, maps = random.integers(0, 60, (60, 3, 16, 16)).astype(np.uint8), np.zeros((60, 16, 16), np.uint8)
    for image, classes in zip(images, maps, strict=True):
        kind, (row, column) = random.integers(1, 3), random.integers(0, 10, 2)
        classes[row : row + 6, column : column + 6] = kind
        image[kind, classes == kind] += 150
    path = tmp_path_factory.mktemp("squares") / "squares.npz"
    parts = {"x_train": images[:48], "y_train": maps[:48], "x_test": images[48:], "y_test": maps[48:]}
    np.savez(path, **parts, classes=["ground", "leaf", "bug"])
    return path


def test_class_maps_are_learnt_measured_and_written(run, squares, tmp_path):
    out = tmp_path / "run"
    result = run("train", squares, "--epochs", 20, "--batch-size", 8, "--model-option", "width=4", "--out", out)
    assert result.exit_code == 0, result.output
    assert "unet" in result.output
    assert "mean IoU" in result.output
    report = (out / "report.html").read_text()
    assert "Class maps" in report
    assert "mean IoU" in report
    found = last_json(run("evaluate", out, squares, "--json"))
    assert found["test_accuracy"] > 0.9
    masks = tmp_path / "masks"
    result = run("predict", out, squares, "--masks", masks)
    assert result.exit_code == 0, result.output
    written = sorted(masks.iterdir())
    assert len(written) == 12
    truth = np.load(squares)["y_test"]
    one = np.asarray(Image.open(masks / "squares-1.png"))
    assert (one == truth[0]).mean() > 0.9
    page = tmp_path / "page.html"
    result = run("explain", out, f"{squares}:3", "--class", "bug", "--out", page)
    assert result.exit_code == 0, result.output
    assert "global_pool1" in page.read_text()  # the score of a class is its mean over the positions


def test_masks_of_another_kind_of_model_are_refused(run, trained, tmp_path):
    result = run("predict", trained, tmp_path, "--masks", tmp_path / "masks")
    assert result.exit_code == 2
    assert "--masks: lenet5 predicts no class maps. Leave the option out." in result.output


def test_samples_of_one_name_do_not_overwrite_each_other(tmp_path):
    write_masks(tmp_path, ["a/cat.jpg", "b/cat.jpg"], np.array([[[0, 1]], [[2, 1]]]), 3)
    found = [np.asarray(Image.open(tmp_path / name)).tolist() for name in ("cat.png", "cat-2.png")]
    assert found == [[[0, 1]], [[2, 1]]]


def test_a_map_has_the_size_of_its_picture(tmp_path):
    Image.new("RGB", (6, 4)).save(tmp_path / "a.png")
    known = np.array([[0, 1], [2, 0]])
    write_masks(tmp_path / "masks", [str(tmp_path / "a.png")], known[np.newaxis], 4)
    found = np.asarray(Image.open(tmp_path / "masks" / "a.png"))
    assert np.array_equal(found, known.repeat(2, axis=0).repeat(3, axis=1))


@pytest.mark.parametrize("size", [(4, 8), (8, 4), (8, 8), (3, 5), (40, 13)])
def test_bars_of_padding_are_cut_off(tmp_path, size):
    classes = np.random.default_rng(0).integers(0, 4, size).astype(np.uint8)
    Image.fromarray(classes, "L").save(tmp_path / "a.png")
    padded = decode_mask(tmp_path / "a.png", (80, 80), "pad").values
    assert np.array_equal(enlarged(padded, size, "pad"), classes)


def test_a_cropped_picture_has_a_map_of_its_middle(tmp_path):
    Image.new("RGB", (6, 4)).save(tmp_path / "a.png")
    write_masks(tmp_path / "masks", [str(tmp_path / "a.png")], np.zeros((1, 2, 2), int), 4, "crop")
    assert np.asarray(Image.open(tmp_path / "masks" / "a.png")).shape == (2, 2)


def test_maps_of_one_or_three_axes_are_arrays(tmp_path):
    write_masks(tmp_path, ["x.npz:7"], np.array([[0, 1, 2]]), 3)
    assert np.load(tmp_path / "x-7.npy").tolist() == [0, 1, 2]
