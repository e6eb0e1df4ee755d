"""Pixels of one image file, read with Pillow; any problem with a file is a `FileProblem`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from striate.data import jpeg
from striate.data.bombs import MAX_PIXELS, check_picture, most_pixels
from striate.data.jpeg import File, Header
from striate.data.problems import FileProblem, why

if TYPE_CHECKING:
    from PIL.Image import Image

Fit = Literal["stretch", "crop", "pad"]
BACKGROUND = 255  # what shows through transparent pixels
UNSAFE_FORMATS = frozenset({"EPS", "WMF", "FITS", "HDF5", "BUFR", "GRIB", "MPEG", "FPX", "MIC"})
COMMON_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")
SIXTEEN_BITS = ("I;16", "I;16B", "I;16L", "I;16N", "I")
GREY = ("1", "L", "LA", *SIXTEEN_BITS)
ORIENTATION = 0x0112
TURNED = (5, 6, 7, 8)  # EXIF orientations that swap rows and columns
TURNING = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")  # where a PNG says that it is to be turned
LEVELS = ((np.arange(2**16) + 128) // 257).astype(np.uint8)  # the nearest ones to those of 16 bits

COLOUR = 1 << 24  # added to the colour of a pixel of a mask, so that no grey level is taken for one


class Mask(NamedTuple):
    """A value for each pixel (int64[rows, columns]), and the (rows, columns) of the file."""

    values: np.ndarray
    size: tuple[int, int]


def decode(file: File, channels: int, size: tuple[int, int] | None, fit: Fit) -> np.ndarray:
    """Return pixels (uint8[channels, rows, columns]) of a file, or of one in memory; enter `bombs_refused` before.

    Raises
    ------
    FileProblem
        Whatever is wrong with the file.
    """
    read = jpeg.pixels(file, most_pixels, size)
    if read is not None:
        return _pixels_of_array(read, channels, size, fit)
    with opened(file) as image:
        if size is not None:
            image.draft(None, (2 * max(size), 2 * max(size)))
        return _pixels(image, channels, size, fit)


def scan(path: str | Path) -> Header:
    """Return the header of an image file without decoding it; enter `bombs_refused` before.

    Raises
    ------
    FileProblem
        Whatever is wrong with the file.
    """
    known = jpeg.header(path)
    if known is not None:
        return known
    with opened(path) as image:
        turned = _may_be_turned(image) and image.getexif().get(ORIENTATION) in TURNED
        size = (image.width, image.height) if turned else (image.height, image.width)
        return Header(size, image.mode in GREY)


def decode_mask(path: str | Path, size: tuple[int, int], fit: Fit) -> Mask:
    """Return the values of a mask in ``size``: numbers of its palette, grey levels, or `COLOUR` + 0xRRGGBB.

    Raises
    ------
    FileProblem
        Whatever is wrong with the file.
    """
    with opened(path) as image:
        held = (image.height, image.width)
        one = image.mode in ("P", *GREY)
        flat = image.convert("L" if one else "RGB") if image.mode not in ("1", "L", "P", *SIXTEEN_BITS) else image
        values = np.asarray(_resize(flat, size, fit, nearest=True)).astype(np.int64)
    return Mask(values if one else COLOUR + values @ np.array([1 << 16, 1 << 8, 1]), held)


def decode_frames(
    frames: Iterator[Image], channels: int, size: tuple[int, int] | None, fit: Fit
) -> list[np.ndarray]:
    """Return the pixels of images that a decoder yields, each as `decode` returns them.

    Raises
    ------
    FileProblem
        Whatever is wrong with them.
    """
    found = []
    try:
        for image in frames:
            check_picture(image)
            found.append(_pixels(image, channels, size, fit))
    except FileProblem:
        raise
    except Exception as error:  # damaged files make the decoders raise nearly anything
        raise FileProblem(f"damaged or unsupported clip ({why(error)})") from error
    return found


def resized(pixels: np.ndarray, size: tuple[int, int], fit: Fit) -> np.ndarray:
    """Return pixels (uint8[1 or 3, rows, columns]) in another size, as `decode` brings files to it."""
    from PIL import Image as pillow

    if pixels.shape[1:] == size:
        return pixels
    image = pillow.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
    found = np.asarray(_resize(image, size, fit), np.uint8)
    return found[np.newaxis] if len(pixels) == 1 else np.ascontiguousarray(found.transpose(2, 0, 1))


@contextmanager
def opened(file: File) -> Iterator[Image]:
    """Open an image in one of the formats that are read, for a time.

    Raises
    ------
    FileProblem
        Whatever fails, also of what is done with the image.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file, formats=_formats()) as image:
            check_picture(image)
            yield image
    except FileProblem:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise FileProblem(f"more than {MAX_PIXELS:,} pixels are not read") from error
    except UnidentifiedImageError as error:
        raise FileProblem(_why_unidentified(file), foreign=True) from error
    except Exception as error:  # damaged files make the decoders raise nearly anything
        if isinstance(error, OSError) and error.errno is not None:
            raise FileProblem(f"cannot be read ({error.strerror})") from error
        raise FileProblem(f"damaged or unsupported image ({why(error)})") from error


@cache
def image_suffixes() -> frozenset[str]:
    """Return the file name endings of images, in lower case with their dot."""
    from PIL import Image

    known = set(_formats())
    return frozenset(suffix for suffix, name in Image.registered_extensions().items() if name in known)


@cache
def _formats() -> tuple[str, ...]:
    """Return Pillow's formats, the common ones first, since they are tried in this order.

    Those that start other programs (Ghostscript) or only stand for a plug-in are left out.
    """
    from PIL import Image

    Image.init()
    allowed = [name for name in Image.OPEN if name not in UNSAFE_FORMATS]
    return tuple(sorted(allowed, key=lambda name: name not in COMMON_FORMATS))


def _may_be_turned(image: Image) -> bool:
    """Return whether a file may say that it is to be turned; Pillow decodes a whole PNG to find out."""
    return image.format != "PNG" or jpeg.occurrences(image.fp, *TURNING) > 0  # type: ignore[attr-defined]


def _pixels(image: Image, channels: int, size: tuple[int, int] | None, fit: Fit) -> np.ndarray:
    from PIL import ImageOps

    ImageOps.exif_transpose(image, in_place=True)
    converted = to_mode(image, "L" if channels == 1 else "RGB")
    if size is not None:
        converted = _resize(converted, size, fit)
    pixels = np.asarray(converted, np.uint8)
    return pixels[np.newaxis] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _pixels_of_array(values: np.ndarray, channels: int, size: tuple[int, int] | None, fit: Fit) -> np.ndarray:
    """Return the pixels of an upright image, uint8[rows, columns, 1 or 3]."""
    from PIL import Image as pillow

    if size not in (None, values.shape[:2]) or values.shape[2] != channels:
        return _pixels(pillow.fromarray(values[..., 0] if values.shape[2] == 1 else values), channels, size, fit)
    return np.ascontiguousarray(values.transpose(2, 0, 1))


def to_mode(image: Image, mode: str) -> Image:
    """Return the image in 8 bits a channel, transparency laid over the background."""
    from PIL import Image as pillow

    if image.mode in SIXTEEN_BITS:
        return pillow.fromarray(LEVELS[np.clip(np.asarray(image), 0, len(LEVELS) - 1)]).convert(mode)
    if image.mode == "F":
        raise FileProblem("pixels are 32-bit floating point numbers; save it with 8 or 16 bits a channel")
    if image.has_transparency_data:
        shown = image.convert("RGBA")
        paper = pillow.new("RGBA", shown.size, (BACKGROUND,) * 4)
        image = pillow.alpha_composite(paper, shown)
    return image if image.mode == mode else image.convert(mode)


def _resize(image: Image, size: tuple[int, int], fit: Fit, nearest: bool = False) -> Image:
    from PIL import Image as pillow
    from PIL import ImageOps

    target = (size[1], size[0])
    if image.size == target:
        return image
    method = pillow.Resampling.NEAREST if nearest else pillow.Resampling.BILINEAR
    if fit == "crop":
        return ImageOps.fit(image, target, method)
    if fit == "pad":
        return ImageOps.pad(image, target, method)
    return image.resize(target, method, reducing_gap=None if nearest else 3.0)


def _why_unidentified(file: File) -> str:
    empty = isinstance(file, str | Path) and not Path(file).stat().st_size
    return "the file is empty" if empty else "not a supported image format"
