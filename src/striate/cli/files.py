"""Pictures and numbers that commands read and write."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

PLOTS = (".png", ".svg", ".pdf")  # kinds of files that a figure is written to


def is_numbers(text: str) -> bool:
    """Return whether ``text`` is numbers rather than the name of a file."""
    return text.lstrip().startswith("[")


def read_numbers(text: str, column: str | None = None) -> np.ndarray:
    """Return typed numbers, the pixels of a picture, or the numbers of a CSV or NPY file.

    A grey picture becomes [rows, columns], one in colour [3, rows, columns]; a table with a single column
    or row, or one ``column`` of it (its name, or its number from 0), becomes a signal [length].

    Raises
    ------
    DataError
        If the file cannot be read.
    UsageError
        If the numbers are none, or the column does not exist.
    """
    from striate.data.arrays import read_npy
    from striate.data.images import read_image
    from striate.numbers import parse_numbers

    if is_numbers(text):
        return parse_numbers(text, "input")
    path = Path(text)
    if path.suffix.lower() in (".csv", ".tsv"):
        return _signal(path, column)
    if path.suffix.lower() == ".npy":
        return read_npy(path)
    pixels = read_image(path)
    return pixels[0] if (pixels == pixels[:1]).all() else pixels


def write_numbers(values: np.ndarray, path: Path, scale: str = "clip") -> Path:
    """Write numbers as ``.csv`` or ``.npy``, or as a picture of any kind that Pillow knows.

    Raises
    ------
    UsageError
        If the name of the file ends in nothing that is known.
    StriateError
        If it cannot be written.
    """
    import numpy as np

    from striate.storage.atomic import write_atomically

    room = io.BytesIO()
    if path.suffix.lower() == ".npy":
        np.save(room, values)
    elif path.suffix.lower() == ".csv":
        rows = values.reshape(-1, values.shape[-1]) if values.ndim > 1 else values
        np.savetxt(room, rows, fmt="%.9g", delimiter=",")
    else:
        from PIL import Image

        from striate.drawing.pictures import as_picture

        picture = values[None] if values.ndim == 1 else values
        _save_picture(Image.fromarray(as_picture(picture, scale)), path, room)  # type: ignore[arg-type]
    return write_atomically(path, room.getvalue())


def write_picture(picture: Any, path: Path) -> Path:
    """Write a Pillow picture; errors are those of `write_numbers`."""
    from striate.storage.atomic import write_atomically

    room = io.BytesIO()
    _save_picture(picture, path, room)
    return write_atomically(path, room.getvalue())


def write_text(text: str, path: Path) -> Path:
    """Write text as UTF-8, atomically."""
    from striate.storage.atomic import write_atomically

    return write_atomically(path, text.encode())


def write_figure(axes: Any, path: Path, dpi: float = 150) -> Path:
    """Write the figure of matplotlib axes in the format that the file's name says, with ``dpi`` dots per inch."""
    from striate.storage.atomic import write_atomically

    known = axes.figure.canvas.get_supported_filetypes()
    kind = path.suffix.lower().lstrip(".")
    if kind not in known:
        raise UsageError(
            f"{path}: the format must be one of {', '.join(sorted(known))}; got {kind!r}. Rename the file."
        )
    room = io.BytesIO()
    axes.figure.savefig(room, format=kind, dpi=dpi)
    return write_atomically(path, room.getvalue())


def _save_picture(picture: Any, path: Path, room: io.BytesIO) -> None:
    from PIL import Image

    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind is None or kind not in Image.SAVE:
        raise UsageError(f"{path}: the name must end in .png, .jpg or another kind of picture. Rename it.")
    picture.save(room, kind)


def _signal(path: Path, column: str | None) -> np.ndarray:
    import numpy as np

    from striate.data.tables import read_table

    table = read_table(path)
    numbers = table.numbers
    assert isinstance(numbers, np.ndarray)  # tables are read into memory unless streaming is asked for
    if column is None:
        return numbers.ravel() if 1 in numbers.shape else numbers
    known = {str(place): at for place, at in table.places.items()}
    if table.has_names:
        known |= {table.names[place]: at for place, at in table.places.items()}
    if column not in known:
        raise UsageError(f"--column: must be one of {', '.join(known)}, the columns of numbers; got {column}.")
    return numbers[:, known[column]]
