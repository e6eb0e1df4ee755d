"""Inputs without labels, to predict on."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from striate.data.arrays import INPUT_NAMES, open_arrays, read_npy
from striate.data.audio import RecordingReader
from striate.data.clips import ClipReader, clips_among
from striate.data.decoding import Reader, decode_files, scan_files
from striate.data.file_kinds import CLIPS, IMAGES, LOGS, RECORDINGS
from striate.data.gathering import listed_files, matches, may_list, unpacked
from striate.data.idx import read_idx
from striate.data.images import ImageReader
from striate.data.layout import make_inputs
from striate.data.logs import LogReader
from striate.data.pixels import Fit
from striate.data.problems import BadFile, FileProblem, printable
from striate.data.series import SUFFIX as SERIES_SUFFIX
from striate.data.series import read_ts
from striate.data.tables import Schema, read_table
from striate.data.tables.encoders import texts_of
from striate.data.tables.files import is_table
from striate.data.tables.roles import inputs_without_schema
from striate.data.text import SUFFIXES, UNKNOWN, TextReader, Vocabulary, read_text
from striate.data.walk import files_below
from striate.data.windows import Beginnings, in_windows
from striate.errors import DataError, UsageError
from striate.wording import counted

ARRAYS = (".npy", ".npz", SERIES_SUFFIX)
"""Files that hold samples of one length."""


class Unlabelled(NamedTuple):
    """Inputs (uint8 or float32 [N, C, *space]), their names, files that were left out, and notes for the user."""

    inputs: np.ndarray
    names: list[str]
    bad_files: list[BadFile]
    notes: tuple[str, ...] = ()


def read_unlabelled(
    path: str | Path,
    sample_shape: tuple[int, ...],
    fit: Fit = "stretch",
    invert: bool = False,
    rate: int | None = None,
    table: Mapping[str, Any] | None = None,
    text: Mapping[str, Any] | None = None,
    series: Mapping[str, Any] | None = None,
    labels: Sequence[str] = (),
    step: float | None = None,
) -> Unlabelled:
    """Return the inputs of a file or folder in the shape that a model takes.

    A table (with or without the column of labels), NPY, NPZ or IDX file gives one input for each row,
    called by its number from 1 (an array of the shape of one sample is one, also without the axis of a single
    channel); an image or a recording gives one; a folder gives one for each image, recording, text or log, at any
    depth in it, and so does a ZIP file. Where the model takes clips, a folder of frames, an animation or a video
    gives one input. A pattern such as ``photos/*.jpg`` stands for the files that it matches, a table with a column
    ``file`` for those that it lists (if the model takes pictures, recordings or logs).

    Parameters
    ----------
    path : path
    sample_shape : tuple of int
        (C, *space) of the model's input.
    fit, invert
        For images, see `read_image`.
    rate : int, optional
        To which recordings are resampled, in Hz; without it the most common of these files.
    table : mapping, optional
        The columns of the table that the model was trained on, see `Schema`; those of this one are found by name.
    text : mapping, optional
        The words that the model knows, see `Vocabulary`; files are then texts.
    series : mapping, optional
        The columns of the logs that the model was trained on, see `LogReader`; tables are then logs.
    labels : sequence of str
        The columns that held the labels in training; they are not read.
    step : float, optional
        Read recordings and logs in windows, one every ``step`` seconds or rows; their beginning by default.

    Raises
    ------
    DataError
        If the path is missing, nothing in it can be read, or a sample has another number of values.
    UsageError
        For a ``step`` where the model takes no recordings or logs.
    """
    path = Path(path)
    chosen = matches(path)
    if chosen is None and not path.exists():
        more = "; texts themselves go into a list" if text is not None else ""
        raise DataError(f"{printable(path)}: no such file or folder. Check the path{more}.")
    if chosen is None and path.is_file() and path.suffix.lower() == ".zip":
        with unpacked(path) as folder, _named_after(path, folder):
            found = read_unlabelled(folder, sample_shape, fit, invert, rate, table, text, series, labels, step)
            return _renamed(found, folder, path)
    _check_step(step, path, rate is not None or series is not None)
    if text is not None:
        return _read_texts(path, chosen, text)
    if series is not None and path.suffix.lower() not in ARRAYS:
        return _read_logs(path, chosen, LogReader.from_dict(series, sample_shape[-1]), step)
    chosen = chosen or _listed(path, sample_shape, table)
    if chosen is not None:
        found = _read_files(chosen, sample_shape, fit, invert, rate, every=True, step=step)
    elif path.is_dir():
        found = _read_folder(path, sample_shape, fit, invert, rate, step)
    elif path.suffix.lower() == SERIES_SUFFIX:
        inputs = _series_inputs(path, sample_shape)
        found = Unlabelled(inputs, [str(row) for row in range(1, len(inputs) + 1)], [])
    elif is_table(path):
        found = _read_rows(path, sample_shape, table)
    elif _is_numeric(path):
        numbers = _read_numbers(path)
        one = numbers.ndim > 1 and numbers.shape in _shapes_of_one(sample_shape)
        inputs = make_inputs(numbers[np.newaxis] if one else numbers, str(path), sample_shape)
        found = Unlabelled(inputs, [str(row) for row in range(1, len(inputs) + 1)], [])
    elif table is not None:
        raise DataError(f"{printable(path)}: not a table; the model was trained on one. Give one with its columns.")
    else:
        found = _read_files([path], sample_shape, fit, invert, rate, every=True, step=step)
    if not found.names:
        raise _nothing(path, found.bad_files, "files of a supported format. Give images, recordings or a table")
    return found


def read_each(
    paths: Sequence[str | Path],
    sample_shape: tuple[int, ...],
    fit: Fit = "stretch",
    rate: int | None = None,
    table: Mapping[str, Any] | None = None,
    text: Mapping[str, Any] | None = None,
    series: Mapping[str, Any] | None = None,
    labels: Sequence[str] = (),
) -> np.ndarray:
    """Return the input of each of a list of files, in its order; the arguments are those of `read_unlabelled`.

    Where the model takes texts, a ``str`` is a text itself, and a ``Path`` the file that holds one.

    Raises
    ------
    DataError
        If a file cannot be read, or files are not what the model takes.
    """
    if table is not None:
        raise DataError(f"{paths[0]}: the model takes rows of a table, not a list. Give the path of one table.")
    files = [Path(path) for path in paths]
    if text is not None:
        reader = TextReader(Vocabulary.from_dict(text))
        texts = [item if isinstance(item, str) else _text_in(item) for item in paths]
        return reader.vocabulary.encode(texts)
    if series is not None:
        found = _read_with(LogReader.from_dict(series, sample_shape[-1]), files[0], files, (), "series")
    else:
        found = _read_files(files, sample_shape, fit, invert=False, rate=rate, every=True)
    if found.bad_files:
        bad = found.bad_files[0]
        raise DataError(f"{bad.path}: {bad.reason}. Leave it out of the list, so that each result has its file.")
    return found.inputs


def _text_in(path: Path) -> str:
    try:
        return read_text(path)
    except FileProblem as problem:
        raise DataError(f"{printable(path)}: {problem}. Leave it out of the list.") from None


def read_picture(file: BinaryIO, sample_shape: tuple[int, ...], fit: Fit = "stretch") -> np.ndarray:
    """Return the image of a file in memory in the shape that a model takes, uint8[1, C, H, W].

    Unlike `read_unlabelled` it may be called by several threads at once: it leaves Pillow's warnings as they are.

    Raises
    ------
    FileProblem
        If it is not an image, damaged or too large.
    DataError
        If the model takes no images.
    """
    return _image_reader(sample_shape, fit).read(file)[np.newaxis]


def _shapes_of_one(sample_shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Return the shapes that an array of one sample may have: channels first, last, or left out where it is one."""
    one = [sample_shape, (*sample_shape[1:], sample_shape[0])]
    return [*one, sample_shape[1:]] if sample_shape[0] == 1 else one


def _check_step(step: float | None, path: Path, takes_series: bool) -> None:
    """Raise UsageError for a step where no recordings or logs are read."""
    if step is not None and (not takes_series or path.suffix.lower() in ARRAYS):
        raise UsageError(
            f"{printable(path)}: a step is for recordings and logs, which it cuts into windows. Leave it out."
        )


def _listed(path: Path, sample_shape: tuple[int, ...], table: Mapping[str, Any] | None) -> list[Path] | None:
    """Return the files that a table lists, where the model takes files."""
    takes_files = table is None and len(sample_shape) > 1 and math.prod(sample_shape[1:]) > 1
    return listed_files(path) if takes_files else None


def _read_folder(
    folder: Path, sample_shape: tuple[int, ...], fit: Fit, invert: bool, rate: int | None, step: float | None
) -> Unlabelled:
    bad: list[BadFile] = []
    found = _read_files(files_below(folder, bad), sample_shape, fit, invert, rate, step=step)
    found.bad_files.extend(bad)
    return found


@contextmanager
def _named_after(archive: Path, folder: Path) -> Iterator[None]:
    """Let errors name an archive in place of the folder that holds its content."""
    try:
        yield
    except DataError as error:
        inside = str(error).replace(f"{printable(folder)}{os.sep}", f"{printable(archive)}:")
        raise DataError(inside.replace(printable(folder), printable(archive))) from None


def _renamed(found: Unlabelled, folder: Path, archive: Path) -> Unlabelled:
    """Return inputs whose names say where in an archive they come from."""

    def inside(name: str) -> str:
        return f"{printable(archive)}:{Path(name).relative_to(printable(folder))}"

    bad = [BadFile(inside(file.path), file.reason) for file in found.bad_files]
    return Unlabelled(found.inputs, [inside(name) for name in found.names], bad, found.notes)


def _is_numeric(path: Path) -> bool:
    return path.suffix.lower() in (".npy", ".npz") or "idx3-ubyte" in path.name


def _read_texts(path: Path, chosen: Sequence[Path] | None, text: Mapping[str, Any]) -> Unlabelled:
    """Return the symbols of a text, of all below a folder, or of a column of a table."""
    reader, column = TextReader(Vocabulary.from_dict(text)), text.get("column")
    if chosen is None and is_table(path) and path.suffix.lower() not in SUFFIXES:
        texts = texts_of(read_table(path), column)
        names = [str(row) for row in range(1, len(texts) + 1)]
        found = Unlabelled(reader.vocabulary.encode(texts), names, [])
    else:
        found = _read_with(reader, path, chosen, SUFFIXES, "texts. Give .txt files")
    return found._replace(notes=(*found.notes, *_unknown_texts(found)))


def _unknown_texts(found: Unlabelled) -> tuple[str, ...]:
    """Return a note on texts (symbols [N, 1, length]) of which the model knows no word."""
    unknown = np.flatnonzero((found.inputs <= UNKNOWN).all(axis=(1, 2)))
    if not len(unknown):
        return ()
    some, first = f"{len(unknown):,} of {counted(len(found.names), 'text')}", found.names[unknown[0]]
    return (f"{some}: the model knows none of the words, so the prediction says nothing; first {first}",)


def _read_logs(path: Path, chosen: Sequence[Path] | None, reader: LogReader, step: float | None) -> Unlabelled:
    """Return a log, all below a folder, or those that a table lists."""
    if chosen is None and path.is_file() and may_list(path):
        chosen = listed_files(path)
    return _read_with(reader, path, chosen, LOGS.suffixes(), "series. Give .csv files", step)


def _read_with(
    reader: Reader,
    path: Path,
    chosen: Sequence[Path] | None,
    suffixes: Collection[str],
    wanted: str,
    step: float | None = None,
) -> Unlabelled:
    """Return a file, the chosen ones, or all below a folder that have one of the suffixes."""
    bad: list[BadFile] = []
    paths = list(chosen or [path])
    if chosen is None and path.is_dir():
        paths = [file for file in files_below(path, bad) if file.suffix.lower() in suffixes]
    found = _decoded(paths, reader, step)
    found.bad_files[:0] = bad
    if not found.names:
        raise _nothing(path, found.bad_files, wanted)
    return found


def _nothing(path: Path, bad: Sequence[BadFile], wanted: str) -> DataError:
    """Return the error about a path without readable files: why not the first one, or what it should hold."""
    return DataError(f"{bad[0].path}: {bad[0].reason}." if bad else f"{printable(path)}: it holds no {wanted}.")


def _decoded(paths: Sequence[Path], reader: Reader, step: float | None = None) -> Unlabelled:
    """Return what a reader makes of files; of recordings and logs, in windows or with a note of what is cut."""
    if step is not None and isinstance(reader, RecordingReader | LogReader):
        return Unlabelled(*in_windows(paths, reader, step))
    used: Reader = Beginnings(reader) if isinstance(reader, RecordingReader | LogReader) else reader
    decoded = decode_files(paths, used, np.empty((len(paths), *reader.shape), reader.dtype))
    names = [printable(path) for number, path in enumerate(paths) if number not in decoded.problems]
    bad = [BadFile(printable(paths[number]), str(problem)) for number, problem in decoded.problems.items()]
    return Unlabelled(decoded.rows, names, bad, used.notes(len(names)) if isinstance(used, Beginnings) else ())


def _series_inputs(path: Path, sample_shape: tuple[int, ...]) -> np.ndarray:
    series = read_ts(path)
    if len(sample_shape) != 2 or sample_shape[0] != series.shape[0]:
        raise DataError(
            f"{printable(path)}: the model takes inputs of shape {' x '.join(map(str, sample_shape))}; "
            f"got series of {counted(series.shape[0], 'channel')}. Use series like those it was trained on."
        )
    return series.inputs(sample_shape)


def _read_rows(path: Path, sample_shape: tuple[int, ...], table: Mapping[str, Any] | None) -> Unlabelled:
    found = read_table(path)
    names = [str(row) for row in range(1, len(found) + 1)]
    if table is not None:
        schema = Schema.from_dict(table)
        return Unlabelled(schema.inputs(found), names, [], tuple(schema.notes(found)))
    numbers = inputs_without_schema(found, math.prod(sample_shape))
    return Unlabelled(make_inputs(numbers, str(path), sample_shape), names, [])


def _read_numbers(path: Path) -> np.ndarray:
    """Return the samples of a file of numbers ([N, ...])."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return read_npy(path)
    if suffix == ".npz":
        arrays = open_arrays(path)
        names = [f"{name}{part}" for part in ("", "_test") for name in INPUT_NAMES]
        chosen = next((name for name in names if name in arrays), None)
        if chosen is None:
            raise DataError(f"{path}: needs an array x; got {', '.join(sorted(arrays)[:8]) or 'none'}. Rename one.")
        return arrays[chosen]()
    return read_idx(path, ndim=3)


def _read_files(
    paths: Sequence[Path],
    sample_shape: tuple[int, ...],
    fit: Fit,
    invert: bool,
    rate: int | None,
    every: bool = False,
    step: float | None = None,
) -> Unlabelled:
    """Decode images, clips or recordings, whichever the model takes, into its shape.

    ``every`` file is decoded, or those of which the name tells that they are of this kind.
    """
    recordings = len(sample_shape) == 2
    kind = RECORDINGS if recordings else CLIPS if len(sample_shape) == 4 else IMAGES
    if kind is CLIPS and not every:
        wanted = clips_among(paths)
    else:
        suffixes = kind.suffixes()
        wanted = [path for path in paths if every or len(paths) == 1 or path.suffix.lower() in suffixes]
    with kind.guard():
        found = _decoded(wanted, _reader(wanted, sample_shape, fit, rate), step)
    return found._replace(inputs=255 - found.inputs) if invert and not recordings else found


def _reader(paths: Sequence[Path], sample_shape: tuple[int, ...], fit: Fit, rate: int | None) -> Reader:
    if len(sample_shape) == 2:
        if rate is not None:
            return RecordingReader(rate, *sample_shape)
        return RecordingReader.for_headers(scan_files(paths, RECORDINGS.scan), *sample_shape)
    if len(sample_shape) == 4 and sample_shape[0] in (1, 3):
        return ClipReader(sample_shape[0], sample_shape[1], (sample_shape[2], sample_shape[3]), fit)
    return _image_reader(sample_shape, fit)


def _image_reader(sample_shape: tuple[int, ...], fit: Fit) -> ImageReader:
    if len(sample_shape) == 3 and sample_shape[0] in (1, 3):
        return ImageReader(sample_shape[0], (sample_shape[1], sample_shape[2]), fit)
    raise DataError(
        f"the model takes inputs of shape {' x '.join(map(str, sample_shape))}, which no image has. "
        "Give an array (.npy) or a table."
    )
