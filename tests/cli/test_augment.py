"""``striate augment`` and augmentations as they are typed."""

from __future__ import annotations

import pytest
from PIL import Image

from striate.data.augmentation import Augmentation, HorizontalFlip, Rotation, Shift, Zoom
from striate.data.augmentation.words import augmentation

from .helpers import last_json


def test_a_picture_with_a_row_for_each_sample(run, tmp_path):
    path = tmp_path / "preview.png"
    changes = "rotation:15 horizontal_flip"
    result = run(
        "augment", "digits", "--preview", path, "--augment", changes, "--samples", 2, "--variants", 3, "--json"
    )
    assert result.exit_code == 0, result.output
    with Image.open(path) as picture:
        assert picture.width > picture.height
    kinds = [transform["kind"] for transform in last_json(result)["augmentation"]["transforms"]]
    assert kinds == ["rotation", "horizontal_flip"]


def test_the_seed_decides(run, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        run("augment", "digits", "--preview", tmp_path / f"{name}.png", "--seed", seed)
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_words_become_transforms():
    expected = (Rotation(10), Zoom(0.8, 1.2), Shift(0.2, 0.2), HorizontalFlip())
    assert augmentation("rotation:10, zoom:0.8:1.2 shift:0.2 horizontal_flip") == Augmentation(expected)
    assert augmentation("shift:0.1:0.3") == Augmentation((Shift(0.1, 0.3),))
    assert augmentation("") == Augmentation()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ("rotate:10", "--augment: transform: unknown name 'rotate'; did you mean 'rotation'"),
        ("rotation:ten", "--augment: 'ten' in 'rotation:ten' must be a number"),
        ("rotation:1:2", "--augment: rotation takes rotation:degrees; got 'rotation:1:2'"),
        ("rotation", "degrees"),
        ("zoom:-1:1", "zoom"),
    ],
)
def test_wrong_use(refused, tmp_path, changes, words):
    arguments = ("--preview", tmp_path / "preview.png", "--augment", changes)
    assert words in refused("augment", "digits", *arguments, status=2)


def test_nothing_to_show(refused, tmp_path):
    line = refused("augment", "digits", "--preview", tmp_path / "preview.png", "--augment", "", status=2)
    assert "augment: digits is trained without augmentation. Choose one with --augment" in line


def test_an_unknown_kind_of_picture(refused, tmp_path):
    line = refused("augment", "digits", "--preview", tmp_path / "preview.docx", status=2)
    assert "the name must end in" in line
