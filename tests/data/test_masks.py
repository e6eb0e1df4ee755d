from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from striate.data.options import Options
from striate.data.sources import load_path
from striate.errors import DataError

SQUARE = np.zeros((6, 8), np.uint8)
SQUARE[2:4, 3:6] = 255


def pair(root, name, mask, images="images", masks="masks", size=(6, 8), ending=""):
    """Write an image and its mask, an array or a picture."""
    for folder in (images, masks):
        (root / folder).mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*size, 3), 90, np.uint8)).save(root / images / f"{name}.jpg")
    picture = Image.fromarray(mask) if isinstance(mask, np.ndarray) else mask
    picture.save(root / masks / f"{name}{ending}.png")


def test_masks_of_two_values_are_background_and_object(tmp_path):
    for number in range(10):
        pair(tmp_path, f"cell {number}", SQUARE, ending="_mask")
    splits = load_path(tmp_path)
    assert splits.train.classes == ("background", "object")
    assert splits.train.sample_shape == (3, 6, 8)
    assert np.array_equal(splits.train.targets[0], SQUARE // 255)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (7, 1, 2)


def test_palettes_colours_and_names(tmp_path):
    palette = Image.fromarray((SQUARE // 255 * 7).astype(np.uint8))
    palette.putpalette([0] * 768)
    colours = np.zeros((6, 8, 3), np.uint8)
    colours[2:4] = (255, 0, 16)
    for number in range(10):
        pair(tmp_path / "palette", str(number), palette)
        pair(tmp_path / "colours", str(number), colours)
    (tmp_path / "palette" / "classes.txt").write_text("0 road\n7 tree\n")
    (tmp_path / "colours" / "classes.txt").write_text("#000000 sky\n#ff0010 roof\n")
    assert load_path(tmp_path / "palette").train.classes == ("road", "tree")
    found = load_path(tmp_path / "colours").train
    assert found.classes == ("sky", "roof")
    assert found.targets[0].sum() == 16


def test_other_sizes_keep_masks_whole_numbers(tmp_path):
    for number in range(10):
        pair(tmp_path, str(number), SQUARE)
    found = load_path(tmp_path, Options(size=(12, 16), fit="pad")).train
    assert np.array_equal(found.targets[0], np.kron(SQUARE // 255, np.ones((2, 2))))


def test_given_splits(tmp_path):
    for part, count in (("train", 6), ("val", 2), ("test", 3)):
        for number in range(count):
            pair(tmp_path / part, str(number), SQUARE, "imgs", "labels")
    splits = load_path(tmp_path)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (6, 2, 3)


def test_classes_called_images_and_masks_are_classes_beside_others(tmp_path):
    for label in ("images", "masks", "notes"):
        for number in range(6):
            pair(tmp_path, str(number), SQUARE, label, label)
    assert load_path(tmp_path).train.classes == ("images", "masks", "notes")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda root: (root / "masks" / "3.png").unlink(),
            r"1 of 10; .*3.jpg: it has no mask of the same name in ",
        ),
        (
            lambda root: (root / "masks" / "3.png").write_bytes(b"x"),
            r"1 of 10; .*3.png: not a supported image format",
        ),
        (
            lambda root: Image.fromarray(SQUARE[:, :5]).save(root / "masks" / "3.png"),
            r"3.png: must have the size of its image, 6 x 8; got 6 x 5",
        ),
        (
            lambda root: Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8) * 5).save(
                root / "masks" / "3.png"
            ),
            "masks may hold 16 values, one for each class; got 49",
        ),
        (lambda root: [path.unlink() for path in (root / "images").iterdir()], "images: holds no images"),
    ],
)
def test_refuses(tmp_path, monkeypatch, change, message):
    monkeypatch.setattr("striate.data.masks.MOST_CLASSES", 16)
    for number in range(10):
        pair(tmp_path, str(number), SQUARE)
    change(tmp_path)
    with pytest.raises(DataError, match=message):
        load_path(tmp_path, Options(max_bad_share=0.0))


def test_a_few_bad_files_are_left_out(tmp_path):
    for number in range(20):
        pair(tmp_path, f"{number:02}", SQUARE)
    (tmp_path / "images" / "04.jpg").write_bytes(b"x")
    (tmp_path / "masks" / "05.png").write_bytes(b"x")
    (tmp_path / "masks" / "06.png").unlink()
    Image.fromarray(SQUARE[:, :5]).save(tmp_path / "masks" / "07.png")
    splits = load_path(tmp_path)
    assert [len(part) for part in (splits.train, splits.validation, splits.test)] == [12, 1, 3]
    assert [path.rpartition("/")[2] for path, _ in splits.bad_files] == ["04.jpg", "06.jpg", "05.png", "07.png"]
    assert not {"04.jpg", "05.jpg", "06.jpg", "07.jpg"} & {str(f)[-6:] for f in splits.train.files}
    for path in (tmp_path / "masks").glob("1*.png"):
        path.unlink()
    with pytest.raises(DataError, match=r"got 11 of 20; the first is .*06.jpg: it has no mask"):
        load_path(tmp_path)
