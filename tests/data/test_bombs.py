"""Pictures and clips are refused that are far larger than their files, and no others."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data.bombs import FILMED, check_frames, check_picture, most_pixels
from striate.data.clips import ClipReader
from striate.data.pixels import decode, scan
from striate.data.problems import FileProblem

HEAD = b"GIF89a%b\x80\0\0\0\0\0\xff\xff\xff"
FRAME = b"\x21\xf9\x04\x08\0\0\0\0" + b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\0"


def gif(path: Path, side: int, frames: int) -> Path:
    """Write an animation whose frames change one pixel."""
    path.write_bytes(HEAD % struct.pack("<HH", side, side) + FRAME * frames + b";")
    return path


@pytest.mark.parametrize("mode", ["P", "1"])
def test_blank_pages_and_masks_are_read(mode: str, tmp_path: Path) -> None:
    """A mask of 24 million pixels, and a page of 35 million, both in few bytes."""
    path, size = tmp_path / ("a.png" if mode == "P" else "a.tif"), (6000, 4000) if mode == "P" else (4960, 7016)
    Image.new(mode, size).save(path, compression="group4")
    assert scan(path).size == size[::-1]


def test_large_pictures_need_large_files(tmp_path: Path) -> None:
    Image.new("1", (9400, 9400)).save(tmp_path / "a.png")
    with pytest.raises(FileProblem, match=r"9,400 x 9,400 pixels in 1\d,\d{3} bytes; that is not credible"):
        scan(tmp_path / "a.png")
    with (tmp_path / "a.png").open("ab") as file:
        file.truncate(200_000)
    with Image.open(tmp_path / "a.png") as image:
        check_picture(image)
    assert most_pixels(0) == 2**24
    assert most_pixels(10**9) == 89_478_485


@pytest.mark.parametrize(("side", "frames"), [(4000, 200), (10, 50_000)])
def test_clips_whose_frames_take_minutes_are_refused(side: int, frames: int, tmp_path: Path) -> None:
    reader = ClipReader(1, 16, (8, 8))
    with pytest.raises(
        FileProblem, match=rf"{frames:,} frames or more of [\d,]+ bytes in [\d,]+ bytes take too long"
    ):
        reader.read(gif(tmp_path / "a.gif", side, frames))
    assert reader.read(gif(tmp_path / "b.gif", 10, 200)).shape == (1, 16, 8, 8)


def test_videos_may_be_smaller_still() -> None:
    minute = 30 * 60  # frames
    check_frames(3 * 1920 * 1080, minute, 600_000, FILMED)
    with pytest.raises(FileProblem, match="take too long to read"):
        check_frames(3 * 1920 * 1080, minute, 500_000, FILMED)


@pytest.mark.parametrize("where", ["eXIf", "XMP", "nowhere"])
def test_a_png_is_turned_as_it_says(where: str, tmp_path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo

    path, exif, info = tmp_path / "a.png", Image.Exif(), PngInfo()
    if where == "eXIf":
        exif[0x0112] = 6
    elif where == "XMP":
        info.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="6"/>')
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    Image.fromarray(pixels).save(path, exif=exif, pnginfo=info)
    shown = pixels if where == "nowhere" else np.rot90(pixels, -1)
    assert scan(path).size == shown.shape
    np.testing.assert_array_equal(decode(path, 1, None, "stretch")[0], shown)


def test_the_header_of_a_png_is_read_without_its_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (8, 9)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image.Image, "load", lambda image: pytest.fail("is decoded"))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda image: pytest.fail("is decoded"))
    assert scan(tmp_path / "a.png").size == (9, 8)
