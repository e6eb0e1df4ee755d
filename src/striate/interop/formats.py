"""Which format a file has, by the ending of its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from striate.errors import UsageError
from striate.model import Model


def write(model: Model, path: Path, *, preprocessing: bool = True) -> list[Path]:
    """Write ``model`` in the format that the ending of ``path`` names; return the files.

    Raises
    ------
    UsageError
        If no format has this ending.
    ModelFileError
        If the model cannot be written in this format.
    """
    ending = path.suffix.lower()
    if ending not in WRITERS:
        raise UsageError(f"{path}: the ending must be {' or '.join(WRITERS)}; got {ending or 'none'!r}. Rename it.")
    return WRITERS[ending](model, path, preprocessing)


def _onnx(model: Model, path: Path, preprocessing: bool) -> list[Path]:
    from striate.interop import onnx

    return [onnx.save(model, path, preprocessing=preprocessing)]


WRITERS: dict[str, Callable[[Model, Path, bool], list[Path]]] = {".onnx": _onnx}
