"""Pictures and clips that would take far more memory or time than the size of their files suggests."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

from striate.data import jpeg
from striate.data.problems import FileProblem

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 89_478_485  # Pillow's own limit: a quarter of a gigabyte of RGB
SMALL = 2**26  # bytes of a picture that any file may hold: 16 million pixels in colour
SLOW = {"JPEG2000": 2**24}  # instead of `SMALL`: formats that take four times as long
SMALLER = 500  # times: the file of a larger picture may be so much smaller; that of a blank PNG is 1,000 times
SHORT = 2**28  # bytes of all frames of a clip that any file may hold
ANIMATED, FILMED = 1_000, 20_000  # times: how much smaller the file of a longer animation or video may be
BYTES = {
    "1": 1,
    "L": 1,
    "P": 1,
    "LA": 2,
    "I;16": 2,
    "I;16B": 2,
    "I;16L": 2,
    "I;16N": 2,
}  # of a pixel; else 4
FRAME = 2**15  # bytes that are decoded in the time that any frame takes


@contextmanager
def bombs_refused() -> Iterator[None]:
    """Make Pillow raise on an image of more than `MAX_PIXELS` instead of warning, and silence its other warnings.

    It changes the warning filters of the whole process: enter it outside of threads.
    """
    from PIL import Image

    with warnings.catch_warnings(action="ignore", category=UserWarning):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def most_pixels(length: int) -> int:
    """Return how many pixels in colour a file of ``length`` bytes may hold."""
    return min(MAX_PIXELS, (SMALL + SMALLER * length) // 4)


def check_picture(image: Image) -> None:
    """Check the size of an image that was opened and not decoded yet.

    Raises
    ------
    FileProblem
        If it has too many pixels, or far more than its file can describe.
    """
    if image.width * image.height > MAX_PIXELS:
        raise FileProblem(f"{image.width:,} x {image.height:,} pixels; more than {MAX_PIXELS:,} are not read")
    file = getattr(image, "fp", None)
    if file is None:
        return
    length = file_length(file)
    if _held(image) > SLOW.get(image.format or "", SMALL) + SMALLER * length:
        raise FileProblem(f"{image.width:,} x {image.height:,} pixels in {length:,} bytes; that is not credible")
    if image.info.get("progressive"):
        _check_scans(image, jpeg.occurrences(file, jpeg.SCAN))


def check_clip(image: Image, frames: int) -> None:
    """Raise FileProblem if an animation of so many frames would take too long for its file."""
    check_frames(_held(image), frames, file_length(image.fp), ANIMATED)  # type: ignore[attr-defined]


def check_frames(held: int, frames: int, length: int, smaller: int) -> None:
    """Raise FileProblem if so many frames of ``held`` bytes are too much for a file of ``length`` bytes."""
    if frames * (held + FRAME) > SHORT + smaller * length:
        raise FileProblem(f"{frames:,} frames or more of {held:,} bytes in {length:,} bytes take too long to read")


def file_length(file: BinaryIO) -> int:
    """Return the bytes of a binary file, which stays where it is."""
    place = file.tell()
    length = file.seek(0, os.SEEK_END)
    file.seek(place)
    return length


def _held(image: Image) -> int:
    """Return the bytes that Pillow takes for the pixels of an image."""
    return image.width * image.height * BYTES.get(image.mode, 4)


def _check_scans(image: Image, scans: int) -> None:
    """Raise FileProblem for a JPEG file whose pixels are sent so often that decoding them takes minutes."""
    if image.width * image.height * scans > MAX_PIXELS * jpeg.MOST_SCANS:
        raise FileProblem(f"{scans:,} scans of {image.width:,} x {image.height:,} pixels take too long to read")
