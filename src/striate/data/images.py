"""Pixels of an image file of any kind, size and colour, or the reason why there are none."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from striate.errors import DataError, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

Fit = Literal["stretch", "crop", "pad"]
MAX_PIXELS = 89_478_485  # Pillow's own limit: a quarter of a gigabyte of RGB
BACKGROUND = 255  # what shows through transparent pixels
UNSAFE_FORMATS = frozenset({"EPS", "WMF", "FITS", "HDF5", "BUFR", "GRIB", "MPEG", "FPX", "MIC"})
SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")


class ImageError(ValueError):
    """Why a file gives no pixels, without its path."""


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
    except ImageError as error:
        raise DataError(f"{path}: {error}.") from error
    return 255 - pixels if invert else pixels


def check_options(channels: int, size: tuple[int, int] | None, fit: str) -> None:
    """Raise UsageError if these options of `read_image` cannot mean anything."""
    if channels not in (1, 3):
        raise UsageError(f"image: channels must be 1 (grey) or 3 (colour); got {channels!r}. Use 1 or 3.")
    if size is not None and (len(size) != 2 or min(size) < 1 or size[0] * size[1] > MAX_PIXELS):
        raise UsageError(f"image: a size is (rows, columns), both from 1; got {size!r}. Use for example (64, 64).")
    if fit not in get_args(Fit):
        raise UsageError(f"image: fit must be one of {', '.join(get_args(Fit))}; got {fit!r}. Use one of these.")


@contextmanager
def bombs_refused() -> Iterator[None]:
    """Make Pillow raise on an image of more than `MAX_PIXELS` instead of warning, and silence its other warnings.

    It changes the warning filters of the whole process: enter it outside of threads.
    """
    from PIL import Image

    with warnings.catch_warnings(action="ignore", category=UserWarning):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def decode(path: str | Path, channels: int, size: tuple[int, int] | None, fit: Fit) -> np.ndarray:
    """Return the pixels as `read_image` does, for callers within `bombs_refused`; any failure is an ImageError."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=_formats()) as image:
            _check_size(image)
            if size is not None:
                image.draft(None, (2 * max(size), 2 * max(size)))
            return _pixels(image, channels, size, fit)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"more than {MAX_PIXELS:,} pixels are not read") from error
    except UnidentifiedImageError as error:
        raise ImageError(_why_unidentified(Path(path))) from error
    except Exception as error:  # damaged files make the decoders raise nearly anything
        if isinstance(error, OSError) and error.errno is not None:
            raise ImageError(f"cannot be read ({error.strerror})") from error
        raise ImageError(f"damaged or unsupported image ({_one_line(error)})") from error


@cache
def _formats() -> tuple[str, ...]:
    """Return Pillow's formats but those that start other programs (Ghostscript) or only stand for a plug-in."""
    from PIL import Image

    Image.init()
    return tuple(name for name in Image.OPEN if name not in UNSAFE_FORMATS)


def _check_size(image: Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(f"{image.width:,} x {image.height:,} pixels; more than {MAX_PIXELS:,} are not read")


def _pixels(image: Image, channels: int, size: tuple[int, int] | None, fit: Fit) -> np.ndarray:
    from PIL import ImageOps

    upright = ImageOps.exif_transpose(image)
    converted = _to_mode(upright, "L" if channels == 1 else "RGB")
    if size is not None:
        converted = _resize(converted, size, fit)
    pixels = np.asarray(converted, np.uint8)
    return pixels[np.newaxis] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _to_mode(image: Image, mode: str) -> Image:
    """Return the image in 8 bits a channel, transparency laid over the background."""
    from PIL import Image as pillow

    if image.mode in SIXTEEN_BITS:
        wide = np.asarray(image).astype(np.int64)
        return pillow.fromarray((np.clip(wide, 0, 65535) // 257).astype(np.uint8)).convert(mode)
    if image.mode == "F":
        raise ImageError("pixels are 32-bit floating point numbers; save it with 8 or 16 bits a channel")
    if image.has_transparency_data:
        shown = image.convert("RGBA")
        paper = pillow.new("RGBA", shown.size, (BACKGROUND,) * 4)
        image = pillow.alpha_composite(paper, shown)
    return image.convert(mode)


def _resize(image: Image, size: tuple[int, int], fit: Fit) -> Image:
    from PIL import Image as pillow
    from PIL import ImageOps

    target = (size[1], size[0])
    if image.size == target:
        return image
    bilinear = pillow.Resampling.BILINEAR
    if fit == "crop":
        return ImageOps.fit(image, target, bilinear)
    if fit == "pad":
        return ImageOps.pad(image, target, bilinear)
    return image.resize(target, bilinear, reducing_gap=3.0)


def _why_unidentified(path: Path) -> str:
    return "not an image of a kind that is read" if path.stat().st_size else "the file is empty"


def _one_line(error: Exception) -> str:
    return " ".join((str(error) or type(error).__name__).split())[:120]
