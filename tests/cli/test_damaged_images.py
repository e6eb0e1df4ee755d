"""300 odd and damaged images among 2,000 good ones: training ends, every bad one is listed with its reason."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.pictures import bomb, encoded

from .helpers import last_json

GOOD, ODD, EACH = 2000, 100, 20
UNIDENTIFIED, DAMAGED = "not a supported image format", "damaged or unsupported image"


def photo(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)


def flipped(number: int) -> bytes:
    """A PNG with one bit wrong among its pixels; its checksums tell."""
    content = bytearray(encoded(photo(number)))
    content[50 + number % 500] ^= 1 << number % 8
    return bytes(content)


DAMAGE: dict[str, tuple[Callable[[int], bytes], str]] = {
    "cut.png": (lambda n: encoded(photo(n))[: 60 + n % 600], DAMAGED),
    "cut.jpg": (lambda n: encoded(photo(n), "JPEG")[:-30], DAMAGED),
    "flipped.png": (flipped, ""),
    "empty.jpg": (lambda _: b"", "the file is empty"),
    "text.jpg": (lambda n: b"not a picture, number %d" % n, UNIDENTIFIED),
    "noise.tif": (lambda n: np.random.default_rng(n).bytes(300), UNIDENTIFIED),
    "huge.png": (lambda _: bomb(30_000, 30_000), "more than 89,478,485 pixels are not read"),
    "odd\nname \x1b[1m.png": (lambda _: b"", "the file is empty"),
}


def odd(number: int, path: Path) -> None:
    """Write one of the pictures that are unusual, and good."""
    kind = number % 6
    image = Image.fromarray(photo(number))
    if kind == 0:
        image.convert("CMYK").save(path.with_suffix(".jpg"))
    elif kind == 1:
        Image.fromarray(photo(number)[..., 0].astype(np.uint16) * 257).save(path.with_suffix(".png"))
    elif kind == 2:
        image.convert("P").save(path.with_suffix(".png"))
    elif kind == 3:
        image.save(path.with_suffix(".gif"), save_all=True, append_images=[Image.fromarray(photo(number + 1))])
    elif kind == 4:
        image.save(path.with_suffix(".jpg"), "PNG")
    else:
        image.save(path.with_name(f"{path.name} ünusual, näme.png"))


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder, and the reason expected for each bad file."""
    root = tmp_path_factory.mktemp("photographs")
    folders = [root / name for name in ("crack", "sound")]
    for folder in folders:
        folder.mkdir()
    for number in range(GOOD):
        (folders[number % 2] / f"{number:04}.png").write_bytes(encoded(photo(number)))
    expected = {}
    for place, (name, (make, reason)) in enumerate(DAMAGE.items()):
        for number in range(EACH):
            path = folders[number % 2] / f"{number:02}-{name}"
            path.write_bytes(make(100 * place + number))
            expected[str(path).replace("\n", "\\n").replace("\x1b", "\\x1b")] = reason
    for number in range(EACH):
        folder = folders[number % 2]
        (folder / f"loop{number}").symlink_to(folder if number % 4 < 2 else root)
        (folder / f"gone{number}.png").symlink_to(root / "nowhere.png")
        expected[str(folder / f"loop{number}")] = "the link leads back to a folder above it"
        expected[str(folder / f"gone{number}.png")] = "the link leads nowhere"
    for number in range(ODD):
        odd(number, folders[number % 2] / f"odd{number:02}")
    return root, expected


def test_every_bad_image_is_listed_and_training_finishes(run, collection, tmp_path):
    root, expected = collection
    arguments = ("--model", "logistic_regression", "--epochs", 1, "--size", "16x16", "--out", tmp_path, "--json")
    result = run("train", root, *arguments)
    assert result.exit_code == 0, result.output
    found = dict(last_json(result)["bad_files"])
    assert len(expected) == 200
    assert set(found) == set(expected)
    for path, reason in expected.items():
        assert reason in found[path], path
        assert found[path]
    splits = json.loads((tmp_path / "splits.json").read_text())
    assert dict(splits["bad_files"]) == found
    report = (tmp_path / "report.html").read_text()
    assert all(os.path.basename(path).split("-")[-1].split("\\")[0] in report for path in expected)
    used = [splits[part]["samples"] for part in ("train", "validation", "test")]
    assert sum(used) == GOOD + ODD
