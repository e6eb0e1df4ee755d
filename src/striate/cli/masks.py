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


def write_masks(folder: Path, names: Sequence[str], maps: np.ndarray, count: int) -> None:
    """Write a class map for each sample: a PNG with a colour for each class, or NPY unless it has two axes.

    Parameters
    ----------
    folder : Path
        Created if it does not exist.
    names : sequence of str
        Of the samples: ``photos/cat.jpg`` gives ``cat.png``, ``x.npz:3`` gives ``x-3.png``.
    maps : int64[N, *space]
    count : int
        How many classes there are.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, one in zip(names, maps, strict=True):
        _write(folder, _stem(name), one, count)


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
