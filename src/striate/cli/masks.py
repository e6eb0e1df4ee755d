"""Class maps as files: pictures whose pixel values are the numbers of the classes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from striate.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from striate.model import Model


def check_masks(model: Model) -> None:
    """Raise UsageError unless the model predicts a class for each position."""
    if not model.predicts_maps:
        raise UsageError(f"--masks: {model.network.name} predicts no class maps. Leave the option out.")


def write_masks(folder: Path, names: Sequence[str], maps: np.ndarray, count: int, fit: str = "stretch") -> None:
    """Write a class map for each sample: a PNG with a colour for each class, or NPY unless it has two axes.

    The map of a picture gets its size: every pixel takes the class of the nearest position that the network knows.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    names : sequence of str
        Of the samples: ``photos/cat.jpg`` gives ``cat.png``, ``x.npz:3`` gives ``x-3.png``.
    maps : int64[N, *space]
    count : int
        How many classes there are.
    fit : {"stretch", "crop", "pad"}
        How the pictures were fitted. Of a cropped one only the middle is known, and the map keeps its size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, one in zip(names, maps, strict=True):
        size = None if one.ndim != 2 or fit == "crop" else _size_of_picture(Path(name))
        _write(folder, _stem(name), one if size is None else enlarged(one, size, fit), count)


def enlarged(classes: np.ndarray, size: tuple[int, int], fit: str) -> np.ndarray:
    """Return a class map in the size of its picture (rows, columns), without the bars that padding added."""
    import numpy as np

    scale = min(known / wanted for known, wanted in zip(classes.shape, size, strict=True))
    places = []
    for known, wanted in zip(classes.shape, size, strict=True):
        part = max(1, round(wanted * scale)) if fit == "pad" else known
        places.append(round((known - part) / 2) + ((np.arange(wanted) + 0.5) * part / wanted).astype(int))
    return classes.astype(np.int16)[np.ix_(*places)]


def _size_of_picture(path: Path) -> tuple[int, int] | None:
    """Return the rows and columns of a picture; None for anything else."""
    from striate.data.bombs import bombs_refused
    from striate.data.pixels import image_suffixes, scan
    from striate.data.problems import FileProblem

    if path.suffix.lower() not in image_suffixes() or not path.is_file():
        return None
    try:
        with bombs_refused():
            return scan(path).size
    except FileProblem:
        return None


def _stem(name: str) -> str:
    path, colon, number = Path(name).name.rpartition(":")
    return f"{Path(path).stem}-{number}" if colon else Path(number).stem


def _write(folder: Path, stem: str, classes: np.ndarray, count: int) -> None:
    import io

    import numpy as np
    from PIL import Image, ImageColor

    from striate.drawing.pictures import class_palette
    from striate.storage.atomic import write_atomically

    store, suffix = io.BytesIO(), ".png"
    if classes.ndim == 2 and count <= 256:
        image = Image.fromarray(classes.astype(np.uint8), "L")
        image.putpalette([part for colour in class_palette(count) for part in ImageColor.getrgb(colour)])
        image.save(store, "PNG")
    else:
        np.save(store, classes.astype(np.int16))
        suffix = ".npy"
    path, number = folder / f"{stem}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    write_atomically(path, store.getvalue())
