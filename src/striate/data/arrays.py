"""Arrays in NPY and NPZ files, without ever unpickling; headers are checked before memory is taken."""

from __future__ import annotations

import math
import struct
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.layout import make_inputs, stream_inputs
from striate.data.options import Task
from striate.data.problems import printable, why
from striate.data.streaming.choice import AUTO, is_streamed
from striate.data.streaming.spool import spooled_bytes
from striate.data.streaming.stored import Stored
from striate.data.targets import align_classes, make_targets
from striate.errors import DataError
from striate.machine import available_memory

INPUT_NAMES = ("x", "images", "inputs", "data", "features", "signals", "volumes", "arr_0")
TARGET_NAMES = ("y", "labels", "targets", "target", "label", "arr_1")
CLASS_NAMES = ("classes", "class_names", "label_names", "target_names")
SPLIT_NAMES = {"train": ("train",), "validation": ("val", "valid", "validation"), "test": ("test",)}
NAME_LENGTH, LOCAL_HEADER = 26, 30  # offsets in the header of a ZIP member (APPNOTE, section 4.3.7)
MAX_RATIO = 1032  # deflate cannot compress better than 1032 to 1


@dataclass(frozen=True)
class ArrayFile:
    """An array in a file, read when this object is called.

    Parameters
    ----------
    path : path
        An NPY or NPZ file.
    member : ZipInfo, optional
        Which array of the NPZ file.
    """

    path: Path
    member: zipfile.ZipInfo | None = None

    def __call__(self) -> np.ndarray:
        """Return the array in memory."""
        return read_npy(self.path) if self.member is None else _read_member(self.path, self.member)

    def streamed(self, read: str, where: str) -> Stored | None:
        """Return a stream of its rows if they should be read one by one; None to read it into memory.

        A compressed array is unpacked into a temporary file first.

        Raises
        ------
        DataError
            If that file cannot be written.
        """
        try:
            with self._opened() as file:
                start = file.tell()
                _check_header(file, start + self._size(), str(self.path))
                file.seek(start)
                shape, by_column, dtype = _header(file)
                held = Stored(self.path, file.tell(), shape, dtype)
        except Exception:  # damaged archives make zipfile raise nearly anything; reading them reports what is wrong
            return None
        if len(shape) < 2 or not shape[0] or by_column:
            return None
        if not is_streamed(read, math.prod(shape) * dtype.itemsize):
            return None
        return self._unpacked(held, where) if self._is_compressed() else held

    def _unpacked(self, held: Stored, where: str) -> Stored:
        with self._opened() as file:
            file.read(held.offset)
            return spooled_bytes(file, held.shape, held.dtype, where)

    def _is_compressed(self) -> bool:
        return self.member is not None and self.member.compress_type != zipfile.ZIP_STORED

    def _size(self) -> int:
        """Return the bytes of the array with its header."""
        return self.path.stat().st_size if self.member is None else self.member.file_size

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        """Open the file where the array begins."""
        with ExitStack() as opened:
            if self.member is not None and self._is_compressed():
                archive = opened.enter_context(zipfile.ZipFile(self.path))
                _check_ratio(self.member, f"{self.path}: {printable(self.member.filename)}")
                yield opened.enter_context(archive.open(self.member))
                return
            file = opened.enter_context(self.path.open("rb"))
            if self.member is not None:
                file.seek(self.member.header_offset + NAME_LENGTH)
                file.seek(self.member.header_offset + LOCAL_HEADER + sum(struct.unpack("<HH", file.read(4))))
            yield file


Arrays = dict[str, ArrayFile]


def read_npy(path: str | Path) -> np.ndarray:
    """Return the array of an NPY file, mapped from disk if it would take more than half of the free memory.

    Raises
    ------
    DataError
        If the file is missing, not NPY, truncated, or holds Python objects.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            _check_header(file, size, str(path))
        mapped = np.load(path, mmap_mode="r" if size > available_memory() // 2 else None, allow_pickle=False)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({why(error)}). Check the path.") from error
    except ValueError as error:
        raise DataError(f"{path}: not an NPY array ({why(error)}). Copy the file again.") from error
    return np.asarray(mapped)


def open_arrays(path: str | Path) -> Arrays:
    """Return the arrays of an NPZ file, or of a folder of NPY files, by lower-case name, each read when called.

    Raises DataError if they cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        return {file.stem.lower(): ArrayFile(file) for file in sorted(path.glob("*.npy"))}
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except Exception as error:  # damaged archives make zipfile raise nearly anything
        raise DataError(f"{path}: cannot be read as NPZ ({why(error)}). Copy the file again.") from error
    return {
        printable(member.filename).removesuffix(".npy").lower(): ArrayFile(path, member)
        for member in members
        if member.filename.endswith(".npy")
    }


def array_splits(
    path: str | Path, shape: tuple[int, ...] | None = None, task: Task | None = None, read: str = AUTO
) -> dict[str, Dataset]:
    """Return the data sets of an NPZ file or a folder of NPY files: "train", "validation", "test", or "all".

    Names are ``x_train, y_train, x_val, y_val, x_test, y_test`` (also ``train_images`` and the like), or
    ``x, y`` (images, labels; data, target); ``classes`` may hold the names of the classes.

    Raises
    ------
    DataError
        If inputs or labels are missing, disagree in number, or cannot be read.
    """
    path = Path(path)
    arrays = open_arrays(path)
    classes = _class_names(arrays, path)
    splits = {}
    for split, words in SPLIT_NAMES.items():
        inputs = _first(arrays, [name for word in words for name in _with_split(INPUT_NAMES, word)])
        targets = _first(arrays, [name for word in words for name in _with_split(TARGET_NAMES, word)])
        if inputs and targets:
            splits[split] = _make(arrays, inputs, targets, path, shape, classes, task, read)
            task = task or ("regression" if splits[split].targets.dtype.kind == "f" else "classification")
    if "train" in splits:
        names = splits["train"].classes
        return {split: align_classes(data, names, f"{path}: {split}") for split, data in splits.items()}
    inputs, targets = _first(arrays, INPUT_NAMES), _first(arrays, TARGET_NAMES)
    if not inputs or not targets:
        raise DataError(
            f"{path}: needs arrays x and y, or x_train, y_train, x_test, y_test; "
            f"got {', '.join(sorted(arrays)[:8]) or 'none'}. Rename them."
        )
    return {"all": _make(arrays, inputs, targets, path, shape, classes, task, read)}


def _make(
    arrays: Arrays,
    inputs: str,
    targets: str,
    path: Path,
    shape: tuple[int, ...] | None,
    classes: tuple[str, ...],
    task: Task | None,
    read: str,
) -> Dataset:
    x = _inputs(arrays[inputs], f"{path}: {inputs}", shape, read)
    y, names = make_targets(arrays[targets](), f"{path}: {targets}", classes, task)
    if len(x) != len(y):
        raise DataError(
            f"{path}: every sample needs one label; got {len(x):,} in {inputs} and {len(y):,} in {targets}. "
            "Use arrays that belong together."
        )
    return Dataset(x, y, names, path.stem)


def _inputs(array: ArrayFile, where: str, shape: tuple[int, ...] | None, read: str) -> Any:
    """Return the inputs in memory, or as a stream if they are large or streaming was asked for."""
    stored = array.streamed(read, where)
    return make_inputs(array(), where, shape) if stored is None else stream_inputs(stored, where, shape)


def _class_names(arrays: Arrays, path: Path) -> tuple[str, ...]:
    name = _first(arrays, CLASS_NAMES)
    if name is None:
        return ()
    values = arrays[name]()
    if values.ndim != 1 or values.dtype.kind not in "US":
        raise DataError(f"{path}: {name} must be a list of text; got {values.dtype}. Convert it.")
    return tuple(values.astype(str).tolist())


def _with_split(names: tuple[str, ...], split: str) -> list[str]:
    return [pattern for name in names for pattern in (f"{name}_{split}", f"{split}_{name}", f"{name}{split}")]


def _first(arrays: Arrays, names: tuple[str, ...] | list[str]) -> str | None:
    return next((name for name in names if name in arrays), None)


def _read_member(path: Path, member: zipfile.ZipInfo) -> np.ndarray:
    where = f"{path}: {printable(member.filename)}"
    _check_ratio(member, where)
    try:
        with zipfile.ZipFile(path) as archive:
            with archive.open(member) as stream:
                _check_header(stream, member.file_size, where, available_memory())
            with archive.open(member) as stream:
                return np.lib.format.read_array(stream, allow_pickle=False)
    except DataError:
        raise
    except Exception as error:  # damaged archives make zipfile raise nearly anything
        raise DataError(f"{where}: damaged ({why(error)}). Copy the file again.") from error


def _check_ratio(member: zipfile.ZipInfo, where: str) -> None:
    if member.file_size > MAX_RATIO * max(1, member.compress_size):
        raise DataError(f"{where}: claims {member.file_size:,} bytes, more than it can hold. Copy the file again.")


def _check_header(stream: IO[bytes], size: int, where: str, max_bytes: float = math.inf) -> None:
    """Raise DataError if the NPY header claims more than ``size`` bytes can hold or memory can take."""
    try:
        shape, _, dtype = _header(stream)
    except Exception as error:  # the header is Python text, and NumPy's parser of it raises nearly anything
        raise DataError(f"{where}: not an NPY array ({why(error)}). Copy the file again.") from error
    if any(not isinstance(size, int) or size < 0 for size in shape):
        raise DataError(f"{where}: not an NPY array (its shape is {shape}). Copy the file again.")
    if dtype.hasobject:
        raise DataError(
            f"{where}: holds Python objects, which may run code and are not read. Save it as numbers or text."
        )
    claimed = math.prod(shape) * dtype.itemsize
    if claimed > max_bytes:
        raise DataError(
            f"{where}: needs {claimed:,} bytes; this machine has {max_bytes:,} to spare. Use a smaller array."
        )
    held = size - stream.tell()
    if claimed > held:
        raise DataError(
            f"{where}: the header claims {claimed:,} bytes; the file holds {held:,}. Copy the file again."
        )


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order (True: columns first) and type of an NPY array; leaves the stream at its data."""
    version = np.lib.format.read_magic(stream)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_column, dtype = reader(stream)
    return shape, by_column, dtype
