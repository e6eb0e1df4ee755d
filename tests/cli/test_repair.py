"""``striate repair``: masks, values, dropped pixels, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .helpers import last_json


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rows, columns = np.mgrid[:24, :32]
    pixels = np.stack([8 * columns, 10 * rows, 4 * (rows + columns)], axis=-1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    mask = np.zeros((24, 32), np.uint8)
    mask[5:9, 6:20] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path / "photo.png"


def test_a_masked_region_is_repaired_and_explained(run, photo):
    mask, out = photo.with_name("mask.png"), photo.with_name("out.png")
    text = run("repair", photo, "--mask", mask, "--at", "6,10", "--out", out).stdout
    assert "56 of 768 pixels of 24 x 32 replaced" in text
    assert "pixel 6, 10 is the weighted mean of" in text
    before, after = (np.asarray(Image.open(path)).astype(int) for path in (photo, out))
    kept = np.asarray(Image.open(mask)) == 0
    np.testing.assert_array_equal(before[kept], after[kept])
    assert abs(before - after).max() < 40


def test_dropped_pixels_print_their_error(run, photo):
    facts = last_json(run("repair", photo, "--drop", "0.5", "--out", photo.with_name("out.png"), "--json"))
    assert 0 < facts["error"] < 8
    assert 0.4 < facts["lost"] / facts["pixels"] < 0.6


def test_numbers_are_repaired_without_a_file(run):
    assert "result [1 2 3; 1 2 3; 1 2 3]" in run("repair", "[[1,2,3],[1,0,3],[1,2,3]]", "--lost", "0").stdout


@pytest.mark.parametrize(("arguments", "status", "rule"), [
    (["--drop", "2"], 2, "--drop: must be above 0 and below 1; got 2"),
    (["--drop", "0.5", "--lost", "0"], 2, "needs one way to mark lost pixels; got --lost and --drop"),
    (["--lost", "1,2"], 2, "--lost: an image of 3 channels needs as many numbers; got '1,2'"),
    (["--lost", "1,2,3"], 2, "got none lost"),
    (["--mask", "nothing.png"], 1, "nothing.png: cannot be read"),
    (["--drop", "0.5", "--at", "x"], 2, "--at: is written ROW,COLUMN"),
    ([], 2, "got none lost"),
])  # fmt: skip
def test_what_cannot_be_repaired_is_one_line(refused, photo, arguments, status, rule):
    out = photo.with_name("out.png")
    assert rule in refused("repair", photo, *arguments, "--out", out, status=status)
    assert not out.exists()
