"""A labelled collection of samples, in memory or streamed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from striate.data.layout import to_float32
from striate.data.streaming.stream import Stream
from striate.errors import DataError

MOST_SHOWN = 8  # numbers of a row, in notebooks


def readable(inputs: Any, what: str) -> Any:
    """Return ``inputs`` in a type that the engine reads, uint8 or float32.

    Raises
    ------
    DataError
        If they are no real numbers.
    """
    if isinstance(inputs, Stream):
        return inputs
    array = _plain(inputs, what)
    if array.dtype in (np.uint8, np.float32):
        return array
    if array.dtype.kind not in "fiub":
        raise DataError(f"{what}: must be real numbers; got {array.dtype}. Convert them.")
    return to_float32(array)


def _plain(values: Any, what: str) -> np.ndarray:
    """Return an array of ``values`` without a mask; raises DataError where there is none."""
    try:
        array = np.asanyarray(values)
    except ValueError as error:  # lists of different lengths
        raise DataError(f"{what}: must be an array of numbers; {error}") from None
    if not array.ndim:
        raise DataError(f"{what}: must be an array of numbers; got {type(values).__name__}. Put it into a list.")
    if np.ma.is_masked(array):
        masked = int(np.ma.getmaskarray(array).sum())
        raise DataError(f"{what}: must have no masked values; got {masked:,}. Fill them with .filled(value).")
    return np.asarray(array)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Samples with their targets, in a fixed order.

    Parameters
    ----------
    inputs : uint8[N, C, *space] or float32[N, C, *space], or Stream of such
        Channels first; ``space`` is (length,), (rows, columns) or (depth, rows, columns).
        Bytes stay bytes: they are normalised when a batch is loaded. Other numbers become float32.
    targets : int64[N] or float32[N, T]
        Class indices (True and False become 1 and 0), or regression targets.
    classes : tuple of str
        The name of each class; empty for regression.
    name : str
        What messages call the set.
    groups : int64[N], optional
        Samples with the same number must stay on one side of a split (photographs of one site).
    files : str[N], optional
        The file each sample came from, where each has one.
    symbols : int
        How many symbols there are, where inputs are symbols, such as words of a vocabulary; 0 for numbers.
    target_names : tuple of str
        What the numbers of a regression are called; empty where nobody knows.

    Raises
    ------
    DataError
        If the set is empty, inputs are not numbers, counts disagree, or a label is outside the classes.
    """

    inputs: Any
    targets: np.ndarray
    classes: tuple[str, ...] = ()
    name: str = "data"
    groups: np.ndarray | None = field(default=None, repr=False)
    files: np.ndarray | None = field(default=None, repr=False)
    symbols: int = field(default=0, repr=False)
    target_names: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", readable(self.inputs, f"{self.name}: inputs"))
        targets = _plain(self.targets, f"{self.name}: targets")
        if targets.dtype.kind not in "biuf":
            raise DataError(
                f"{self.name}: targets must be numbers, class numbers from 0; got {targets.dtype}. "
                "Convert text with np.unique(labels, return_inverse=True)."
            )
        object.__setattr__(self, "targets", targets.astype(np.int64) if targets.dtype == bool else targets)
        if len(self.inputs) == 0:
            raise DataError(f"{self.name}: a data set needs at least one sample; got none.")
        if len(self.inputs) != len(self.targets):
            raise DataError(
                f"{self.name}: every sample needs one target; got {len(self.inputs)} samples "
                f"and {len(self.targets)} targets."
            )
        if self.classes and not (self.targets.min() >= 0 and self.targets.max() < len(self.classes)):
            raise DataError(
                f"{self.name}: labels must be 0 to {len(self.classes) - 1} for {len(self.classes)} classes; "
                f"got {self.targets.min()} to {self.targets.max()}."
            )

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.inputs.shape[1:]))
        classes = f", {len(self.classes)} classes" if self.classes else ""
        return f"<Dataset {self.name!r}, {len(self.inputs):,} samples of {shape}{classes}>"

    def _repr_html_(self) -> str:
        return self.html()

    def html(self, names: Sequence[str] = (), text: Callable[[np.ndarray], str] | None = None) -> str:
        """Return a sample of each class, or the first ones, for notebooks: pictures, texts or rows of numbers.

        Parameters
        ----------
        names : sequence of str
            Of the numbers of a row.
        text : function, optional
            Of the symbols of a sample; returns its words.
        """
        from striate.drawing.html import element, table
        from striate.drawing.images import limits, picture
        from striate.drawing.notebook import shown

        if self.classes and self.targets.ndim == 1:
            chosen = [int(n) for n in np.unique(self.targets, return_index=True)[1][:12]]
        else:
            chosen = list(range(min(8, len(self.inputs))))
        title = element("p", repr(self)[1:-1])
        if text is not None:
            rows = [[self._target_text(n), text(self.inputs[n])] for n in chosen]
            return shown(title, table(["target", "text"], rows))
        if self.symbols or math.prod(self.sample_shape[1:]) == 1:
            rows = [[self._target_text(n), *_first_values(self.inputs[n])] for n in chosen]
            known = len(names) == math.prod(self.sample_shape)
            heads = [*names[:MOST_SHOWN], "..."] if known else ["inputs", *[""] * MOST_SHOWN]
            return shown(title, table(["target", *heads[: len(rows[0]) - 1]], rows))
        figures = []
        for n in chosen:
            image = picture(self.inputs[n], *limits(self.inputs), 84, f"sample {n}")
            caption = element("figcaption", self._target_text(n))
            figures.append(element("figure", image, caption))
        return shown(title, *figures)

    def _target_text(self, n: int) -> str:
        """Return the class or classes of a sample, or its numbers."""
        target = np.asarray(self.targets[n])
        if not self.classes:
            return ", ".join(f"{value:.6g}" for value in target.ravel()[:4]) + (", ..." if target.size > 4 else "")
        numbers = np.unique(target) if self.targets.dtype.kind != "f" else np.flatnonzero(target >= 0.5)
        return ", ".join(self.classes[int(number)] for number in numbers) or "no label"

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """The shape of one sample, (C, *space)."""
        return tuple(self.inputs.shape[1:])

    def take(self, indices: np.ndarray) -> Dataset:
        """Return the samples at ``indices`` (int64[M]), in that order."""
        groups = None if self.groups is None else self.groups[indices]
        files = None if self.files is None else self.files[indices]
        inputs = self.inputs.take(indices) if isinstance(self.inputs, Stream) else self.inputs[indices]
        return replace(self, inputs=inputs, targets=self.targets[indices], groups=groups, files=files)


def _first_values(sample: np.ndarray, most: int = MOST_SHOWN) -> list[Any]:
    values = np.asarray(sample).ravel()
    return [*values[:most].tolist(), *(["..."] if values.size > most else [])]


def joined(parts: Sequence[Dataset]) -> Dataset:
    """Return the samples of several parts of one data set, one part after the other."""
    first = parts[0]
    if len(parts) == 1:
        return first
    files = [part.files for part in parts if part.files is not None]
    return replace(
        first,
        inputs=np.concatenate([part.inputs for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        groups=None,
        files=np.concatenate(files) if len(files) == len(parts) else None,
    )
