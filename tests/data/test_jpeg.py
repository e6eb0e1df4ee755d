"""JPEG files through simplejpeg: the pixels that Pillow reads, and Pillow for all that is unusual."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data import jpeg
from striate.data.images import read_image
from striate.data.pixels import decode, scan
from striate.data.problems import FileProblem
from striate.errors import DataError

pytest.importorskip("simplejpeg")
Size = tuple[int, int] | None


def picture(rows: int, columns: int, mode: str = "RGB") -> Image.Image:
    rng = np.random.default_rng(rows)
    small = rng.integers(0, 256, (rows // 4 + 1, columns // 4 + 1, 3), np.uint8)
    return Image.fromarray(small).resize((columns, rows), Image.Resampling.BICUBIC).convert(mode)


def by_pillow(
    monkeypatch: pytest.MonkeyPatch, path: Path, channels: int, size: tuple[int, int] | None
) -> np.ndarray:
    with monkeypatch.context() as patched:
        patched.setattr(jpeg, "_library", lambda: None)
        return decode(path, channels, size, "stretch")


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    "options", [{}, {"quality": 30, "subsampling": 0}, {"subsampling": 1, "progressive": True}]
)
@pytest.mark.parametrize("size", [None, (37, 53), (16, 24), (64, 64)])
@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_are_those_of_pillow(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    options: dict[str, int],
    size: Size,
    channels: int,
) -> None:
    path = tmp_path / "a.jpg"
    picture(37, 53, mode).save(path, **options)
    assert jpeg.pixels(path, lambda length: 10**6, size) is not None
    np.testing.assert_array_equal(
        decode(path, channels, size, "stretch"), by_pillow(monkeypatch, path, channels, size)
    )
    assert scan(path) == ((37, 53), mode == "L")


def test_large_image_is_read_at_a_part_of_its_size_by_pillow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.jpg"
    picture(400, 300).save(path)
    for side in range(20, 160):
        np.testing.assert_array_equal(
            decode(path, 3, (side, side), "stretch"), by_pillow(monkeypatch, path, 3, (side, side))
        )
    assert jpeg.pixels(path, lambda length: 10**6, (75, 75)) is None
    assert jpeg.pixels(path, lambda length: 10**6, (76, 76)) is not None


def test_turned_image_is_read_by_pillow(tmp_path: Path) -> None:
    path, exif = tmp_path / "a.jpg", Image.Exif()
    exif[0x0112] = 6
    picture(8, 24).save(path, exif=exif)
    assert jpeg.pixels(path, lambda length: 10**6, None) is None
    assert jpeg.header(path) is None
    assert read_image(path).shape == (3, 24, 8)
    assert scan(path).size == (24, 8)


def test_other_colours_formats_and_sizes_are_left_to_pillow(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    picture(8, 8, "CMYK").save(path)
    assert jpeg.pixels(path, lambda length: 10**6, None) is None
    assert read_image(path).shape == (3, 8, 8)
    picture(8, 8).save(path, "PNG")
    assert jpeg.pixels(path, lambda length: 10**6, None) is None
    picture(8, 8).save(path)
    assert jpeg.pixels(path, lambda length: 63, None) is None
    assert jpeg.pixels(tmp_path / "none.jpg", lambda length: 64, None) is None


def test_damaged_file_is_refused_as_by_pillow(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    picture(64, 64).save(path)
    data = path.read_bytes()
    for kept in (3, 100, 400, len(data) - 100):
        path.write_bytes(data[:kept])
        with pytest.raises(DataError, match=r"damaged|not a supported image"):
            read_image(path)


@pytest.mark.parametrize("installed", [True, False])
def test_files_that_repeat_their_scans_are_refused(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    if not installed:
        monkeypatch.setattr(jpeg, "_library", lambda: None)
    file = io.BytesIO()
    Image.new("L", (4000, 4000)).save(file, "JPEG", progressive=True)
    once, begin = file.getvalue(), file.getvalue().rindex(b"\xff\xc4")  # the tables of the last scan
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("is decoded"))
    with pytest.raises(FileProblem, match=r"286 scans of 4,000 x 4,000 pixels take too long to read"):
        decode(io.BytesIO(once[:-2] + once[begin:-2] * 280 + once[-2:]), 1, None, "stretch")


def test_file_in_memory_is_back_at_its_beginning() -> None:
    file = io.BytesIO()
    picture(8, 8).save(file, "JPEG")
    file.seek(0)
    first = decode(file, 3, None, "stretch")
    np.testing.assert_array_equal(first, decode(file, 3, None, "stretch"))
