"""Which arrays of a Keras file belong to which layer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from striate.interop.keras.graph import KerasLayer, KerasModel

Arrays = list[np.ndarray]
PARTS = ("query_dense/", "key_dense/", "value_dense/", "output_dense/", "forward_layer/", "backward_layer/")
"""Folders of an attention and of two directions, which are sorted by name, in the order of weights."""


@dataclass(frozen=True)
class Weights:
    """Arrays by their paths in the file, from the place of one model or layer on.

    Parameters
    ----------
    arrays : dict of arrays
        In the order of the layer's own list of weights.
    filed : bool
        Whether layers are folders, as in ``.keras`` files; otherwise, names of arrays contain those of layers.
    """

    arrays: dict[str, np.ndarray]
    filed: bool

    def of(self, model: KerasModel) -> dict[str, Weights]:
        """Return the weights of every layer of ``model`` by its name."""
        if self.filed:
            return self._filed(model.layers)
        names = {layer.name for layer in model.layers}
        found: dict[str, dict[str, np.ndarray]] = {name: {} for name in names}
        for path, array in self.arrays.items():
            parts = path.split("/")
            owner = next((i for i, part in enumerate(parts[:-1]) if part in names), None)
            if owner is None:  # within a model whose own name is not part of the path
                inner = (layer for layer in model.layers if layer.inner is not None)
                name = next((layer.name for layer in inner if _has(layer.inner, parts)), None)
                if name is not None:
                    found[name][path] = array
            else:
                found[parts[owner]]["/".join(parts[owner + 1 :])] = array
        return {name: Weights(arrays, False) for name, arrays in found.items()}

    def _filed(self, layers: list[KerasLayer]) -> dict[str, Weights]:
        """Return the weights from folders, named after class and number or, by some versions, after the layer.

        A name that Keras made up, such as conv2d_1, may be the folder of another layer: numbers go first.
        """
        folders: dict[str, dict[str, np.ndarray]] = {}
        for path, array in self.arrays.items():
            _, folder, *rest = path.split("/")
            folders.setdefault(folder, {})["/".join(rest)] = array
        names, keys = [layer.name for layer in layers], _numbered(layer.kind for layer in layers)
        if not folders.keys() <= set(keys) and folders.keys() <= set(names):
            keys = names
        pairs = zip(layers, keys, strict=True)
        return {layer.name: Weights(folders.get(key, {}), True) for layer, key in pairs}

    def list(self) -> Arrays:
        """Return the arrays in the order of the layer's own list of weights."""
        if not self.filed:
            return list(self.arrays.values())
        parts = [path for part in PARTS for path in self.arrays if path.startswith(part)]
        return [self.arrays[path] for path in (*(p for p in self.arrays if p not in parts), *parts)]


def _has(model: KerasModel | None, parts: list[str]) -> bool:
    return model is not None and any(layer.name in parts[:-1] for layer in model.everything())


def _numbered(kinds: Iterable[str]) -> list[str]:
    """Return the names that Keras gives to folders.

    Examples
    --------
    >>> _numbered(["Conv2D", "Dense", "Conv2D"])
    ['conv2d', 'dense', 'conv2d_1']
    """
    counts: dict[str, int] = {}
    found = []
    for stem in map(_snake, kinds):
        number = counts.get(stem, 0)
        counts[stem] = number + 1
        found.append(stem if number == 0 else f"{stem}_{number}")
    return found


def _snake(name: str) -> str:
    """Return the name that Keras makes of a class.

    Examples
    --------
    >>> [_snake(name) for name in ("Conv2D", "MaxPooling2D", "BatchNormalization")]
    ['conv2d', 'max_pooling2d', 'batch_normalization']
    """
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
