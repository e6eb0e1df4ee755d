"""Write models for other programs, in the format given by the suffix of the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from striate.errors import UsageError, unknown_name
from striate.interop.formats import by_ending
from striate.model import Model

FORMATS = {"onnx": ".onnx", "page": ".html", "module": ".js", "pytorch": ".py", "weights": ".safetensors"}
"""The ending of the files of every format that can be written, by the name users type."""
LIBRARY = "library"
"""The format that is a folder: see ``write_library``."""


def write(model: Model, path: Path, *, preprocessing: bool = True, samples: str | None = None) -> list[Path]:
    """Write ``model`` in the format given by the suffix of ``path``; return the files.

    Parameters
    ----------
    model : Model
    path : Path
    preprocessing : bool
        Whether the model's normalisation goes into the file.
    samples : str, optional
        The data set, by name or path, whose samples a page offers.

    Raises
    ------
    UsageError
        If no format has this ending, or the model is quantised.
    ModelFileError
        If the model cannot be written in this format.
    """
    if model.network.is_quantised:
        raise UsageError(
            f"{path}: a quantised model can only be exported as a C library. Use --to library, or export the "
            "float32 model it came from."
        )
    if path.suffix.lower() == ".html":
        return _write_page(model, path, preprocessing, samples)
    if samples is not None:
        raise UsageError(f"{path}: only pages can hold samples. Leave --samples out, or write to a .html file.")
    fix = "PyTorch runs the .py file; most other programs read .onnx."
    return by_ending(path, WRITERS, fix)(model, path, preprocessing)


def write_library(model: Model, folder: Path, target: str, name: str) -> list[Path]:
    """Write ``model`` as a C library; return the files. See ``striate.targets.library.write``."""
    from striate.targets import library

    return library.write(model, folder, target, name)


def ending_of(name: str) -> str:
    """Return the ending of files of a format; raises UsageError with the names there are."""
    if name not in FORMATS:
        raise unknown_name("--to", name, [*FORMATS, LIBRARY])
    return FORMATS[name]


def _write_onnx(model: Model, path: Path, preprocessing: bool) -> list[Path]:
    from striate.interop import onnx

    return [onnx.save(model, path, preprocessing=preprocessing)]


def _write_javascript(model: Model, path: Path, preprocessing: bool) -> list[Path]:
    from striate.targets import javascript

    if not preprocessing:
        raise UsageError(f"{path}: a module always normalises its samples. Leave --without-preprocessing out.")
    return javascript.write(model, path)


def _write_page(model: Model, path: Path, preprocessing: bool, samples: str | None = None) -> list[Path]:
    from striate.pages import explorer

    if not preprocessing:
        raise UsageError(f"{path}: a page always normalises its samples. Leave --without-preprocessing out.")
    return [explorer.write(model, path, samples)]


def _write_weights(model: Model, path: Path, preprocessing: bool) -> list[Path]:
    from striate.interop.pytorch.weights import save_weights

    return [save_weights(model, path)]


def _write_source(model: Model, path: Path, preprocessing: bool) -> list[Path]:
    from striate.interop.pytorch import source

    if not preprocessing:
        model = Model(model.network, model.theta, model.states, model.classes, metadata=model.metadata)
    return source.save(model, path)


WRITERS: dict[str, Callable[[Model, Path, bool], list[Path]]] = {
    ".onnx": _write_onnx,
    ".html": _write_page,
    ".js": _write_javascript,
    ".mjs": _write_javascript,
    ".py": _write_source,
    ".safetensors": _write_weights,
}
