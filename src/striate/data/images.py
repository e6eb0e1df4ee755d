"""Images from files of any kind, size and colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from striate.data.bombs import MAX_PIXELS, bombs_refused
from striate.data.jpeg import File, Header
from striate.data.pixels import Fit, decode
from striate.data.problems import FileProblem, printable
from striate.errors import DataError, UsageError

DEFAULT_SIZE = (128, 128)
NEARLY_ALL = 0.9
LARGEST_KEPT = 256  # rows or columns of images that keep their size without being asked


def read_image(
    path: str | Path,
    channels: int = 3,
    size: tuple[int, int] | None = None,
    fit: Fit = "stretch",
    invert: bool = False,
) -> np.ndarray:
    """Return the pixels of an image file (uint8[channels, rows, columns]).

    EXIF rotation is applied; 16 bits become 8; transparent pixels show white; of an animation
    the first frame counts. Resizing is bilinear, with the support widened by the scale when shrinking.

    Parameters
    ----------
    path : path
        Any raster format that Pillow reads by itself, whatever the file is called.
    channels : int
        1 for grey (ITU-R 601 luma), 3 for red, green, blue.
    size : (rows, columns), optional
        Without it the image keeps its size.
    fit : {"stretch", "crop", "pad"}
        How another aspect ratio fits ``size``: stretched, its middle cut out, or with black bars.
    invert : bool
        Swap light and dark, for dark strokes on paper where a model learnt light on dark.

    Raises
    ------
    DataError
        If the file is missing, not an image, damaged, or of more than `MAX_PIXELS` pixels.
    UsageError
        If channels, size or fit cannot mean anything.
    """
    check_options(channels, size, fit)
    try:
        with bombs_refused():
            pixels = decode(path, channels, size, fit)
    except FileProblem as error:
        raise DataError(f"{printable(path)}: {error}.") from error
    return 255 - pixels if invert else pixels


def check_options(channels: int, size: tuple[int, int] | None, fit: str) -> None:
    """Raise UsageError if these options of `read_image` are not valid."""
    if channels not in (1, 3):
        raise UsageError(f"image: channels must be 1 (grey) or 3 (colour); got {channels!r}. Use 1 or 3.")
    if size is not None and (len(size) != 2 or min(size) < 1 or size[0] * size[1] > MAX_PIXELS):
        raise UsageError(f"image: a size is (rows, columns), both from 1; got {size!r}. Use for example (64, 64).")
    if fit not in get_args(Fit):
        raise UsageError(f"image: fit must be one of {', '.join(get_args(Fit))}; got {fit!r}. Use one of these.")


@dataclass(frozen=True)
class ImageReader:
    """Decodes the images of a folder to one shape."""

    channels: int
    size: tuple[int, int]
    fit: Fit = "stretch"
    dtype = np.dtype(np.uint8)

    @classmethod
    def for_headers(
        cls, headers: Iterable[Header], channels: int | None, size: tuple[int, ...] | None, fit: Fit
    ) -> ImageReader:
        """Return the reader for files with these headers, which decide channels and size unless they are given.

        Images are grey if all files are. They get the size that nearly all have (a damaged header may
        claim another), if it is at most `LARGEST_KEPT` each way, and the default otherwise. A size of one number
        is that of a square.
        """
        counts = Counter(headers)
        if channels is None:
            channels = 1 if counts and all(header.grey for header in counts) else 3
        if size is not None and len(size) == 1:
            size = (size[0], size[0])
        if size is None or len(size) != 2:
            sizes = Counter(header.size for header in counts.elements())
            common, count = sizes.most_common(1)[0] if sizes else (DEFAULT_SIZE, 0)
            kept = max(common) <= LARGEST_KEPT and count >= NEARLY_ALL * sizes.total()
            size = common if kept else DEFAULT_SIZE
        return cls(channels, (size[0], size[1]), fit)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample, (C, H, W)."""
        return (self.channels, *self.size)

    @property
    def preparation(self) -> dict[str, str | int]:
        """The arguments, other than the shape, with which `read_unlabelled` makes inputs in the same way."""
        return {"fit": self.fit}

    def read(self, file: File) -> np.ndarray:
        """Return the pixels of a file, or of one in memory, or raise FileProblem."""
        return decode(file, self.channels, self.size, self.fit)
