"""Bodies of requests as samples: files (images, recordings, texts, tables), one or several, and numbers as JSON."""

from __future__ import annotations

import asyncio
import io
import json
import math
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from striate.data.problems import FileProblem
from striate.errors import DataError, ShapeError, UsageError
from striate.layers.base import format_shape
from striate.model import Model
from striate.model.reading import read_inputs, read_picture

if TYPE_CHECKING:
    from starlette.requests import Request

    from striate.server.limits import Limits

DEPTH = 12  # of nested lists
NUMBERS = re.compile(rb'\s*\{\s*"samples"')  # the beginning of JSON


async def samples_of(
    request: Request, model: Model, limits: Limits, decoding: asyncio.Semaphore
) -> tuple[np.ndarray, list[str]]:
    """Return the samples of a request, [n, *input_shape], and their names; ``decoding`` bounds the memory it takes.

    Raises
    ------
    DataError
        If the body is damaged, or no sample for the model.
    UsageError, ShapeError
        If it holds nothing, too many, or numbers of another shape.
    """
    from starlette.concurrency import run_in_threadpool

    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        files = await _files(request, limits)
    else:
        files = [("body", await request.body())]
    async with decoding:
        if kind != "application/json":
            return await run_in_threadpool(read_files, model, files, limits.samples)
        found = await run_in_threadpool(read_numbers, model, files[0][1], limits.samples)
    return found, [str(number) for number in range(1, len(found) + 1)]


async def _files(request: Request, limits: Limits) -> list[tuple[str, bytes]]:
    """Return names and contents of the files of a form."""
    from python_multipart.exceptions import FormParserError
    from starlette.exceptions import HTTPException
    from starlette.formparsers import MultiPartException

    try:
        form = await request.form(max_files=limits.samples, max_fields=8, max_part_size=2**20)
    except (HTTPException, MultiPartException, FormParserError) as error:
        if isinstance(error, HTTPException) and error.status_code != 400:
            raise
        text = (getattr(error, "detail", None) or str(error) or "it is damaged").rstrip(".")
        raise DataError(f"body: must be a whole form; {text}. Send multipart/form-data.") from None
    try:
        parts = [value for _, value in form.multi_items() if not isinstance(value, str)]
        return [(Path(part.filename or "file").name, await part.read()) for part in parts]
    finally:
        await form.close()


def read_files(model: Model, files: list[tuple[str, bytes]], most: int) -> tuple[np.ndarray, list[str]]:
    """Return the samples of files, which are decoded under the limits of training images.

    Raises UsageError if there are none or more than ``most``, or one cannot be read.
    """
    if not files:
        raise UsageError("body: must contain a file; got none. Send an image, a form with files, or JSON.")
    found = [_read_file(model, name, data) for name, data in files]
    samples = np.concatenate(found)
    if len(samples) > most:
        raise UsageError(f"body: may hold at most {most} samples; got {len(samples)}. Send several requests.")
    names = [
        name if len(rows) == 1 else f"{name}:{number}"
        for (name, _), rows in zip(files, found, strict=True)
        for number in range(1, len(rows) + 1)
    ]
    return samples, names


def _read_file(model: Model, name: str, data: bytes) -> np.ndarray:
    if NUMBERS.match(data):
        raise DataError(f"{name}: numbers need the header Content-Type: application/json. Add it.")
    if not data:
        raise DataError(f"{name}: must be {_kind(model)[1]}; got 0 bytes. Send the contents of a file.")
    if len(model.input_shape) == 3:
        try:
            return read_picture(model, io.BytesIO(data))
        except FileProblem as problem:
            raise DataError(f"{name}: {problem}. Send an image.") from None
    with tempfile.TemporaryDirectory(prefix="striate-") as folder:
        path = Path(folder) / f"sample{_kind(model)[0]}"
        path.write_bytes(data)
        try:
            found = read_inputs(model, path).inputs
        except (DataError, UsageError) as error:
            raise DataError(str(error).replace(str(path), name)) from None
    if found.shape[1:] != model.input_shape:
        raise DataError(
            f"{name}: must become {format_shape(model.input_shape)}; got {format_shape(found.shape[1:])}."
        )
    return np.asarray(found)


def _kind(model: Model) -> tuple[str, str]:
    """Return the extension of the files that a model takes (decoders look inside), and what they are called."""
    preparation = model.metadata.get("preparation") or {}
    if preparation.get("text"):
        return ".txt", "a text"
    if preparation.get("table"):
        return ".csv", "a table with a header"
    if preparation.get("series"):
        return ".csv", "a series, as a table"
    return (".wav", "a recording") if len(model.input_shape) == 2 else (".png", "an image")


def read_numbers(model: Model, body: bytes, most: int) -> np.ndarray:
    """Return samples from JSON: ``{"samples": numbers}`` for one sample or a list of them."""
    _check_extent(body, model.input_shape, most)
    try:
        asked = json.loads(body, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise DataError(f"body: must be JSON; {error}.") from None
    except UnicodeDecodeError:
        raise DataError("body: must be JSON in UTF-8.") from None
    except (ValueError, RecursionError):
        raise DataError("body: must be JSON; its lists are too deep, or a number has too many digits.") from None
    if not isinstance(asked, dict) or set(asked) != {"samples"}:
        raise DataError('body: must be {"samples": [...]}; got other JSON. Send nested lists of numbers.')
    shape, values = model.input_shape, _array(asked["samples"])
    if values.shape == shape or (values.ndim == 1 and values.size == math.prod(shape)):
        return values.reshape(1, *shape)
    if values.shape[1:] != shape or not len(values):
        raise ShapeError(
            f"samples: must be {format_shape(shape)}, or several of these; got {format_shape(values.shape)}."
        )
    if len(values) > most:
        raise UsageError(f"samples: may be at most {most}; got {len(values)}. Send several requests.")
    return values


def _check_extent(body: bytes, shape: tuple[int, ...], most: int) -> None:
    """Raise UsageError for more lists or numbers than ``most`` samples have: parsed, they would fill the memory."""
    lists, numbers = most * (math.prod(shape[:-1]) + len(shape)) + 2, most * math.prod(shape)
    if body.count(b"[") + body.count(b"{") > lists or body.count(b",") >= numbers:
        raise UsageError(
            f"body: may hold at most {most} samples of {math.prod(shape):,} numbers; it holds more numbers or "
            "lists. Send several requests."
        )


def _array(numbers: Any) -> np.ndarray:
    try:
        _check_kind(numbers)
        with np.errstate(over="ignore"):
            values = np.asarray(numbers, np.float64).astype(np.float32)
    except (ValueError, TypeError, OverflowError):
        raise DataError("samples: must be nested lists of numbers, all of one length.") from None
    if not np.isfinite(values).all():
        raise DataError("samples: must be finite float32 numbers; got larger ones. Scale them down.")
    return values


def _check_kind(numbers: Any, depth: int = DEPTH) -> None:
    """Raise TypeError for anything but numbers, of which the first of each list stands for all."""
    if isinstance(numbers, list) and depth:
        for value in numbers if numbers and not isinstance(numbers[0], list) else numbers[:1]:
            _check_kind(value, depth - 1)
    elif isinstance(numbers, bool) or not isinstance(numbers, int | float):
        raise TypeError


def _refuse_constant(name: str) -> NoReturn:
    raise DataError(f"body: must be JSON; {name} is not a JSON number.")
