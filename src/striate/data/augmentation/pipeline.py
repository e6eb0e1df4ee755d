"""Augmentation: a sequence of transforms, drawn anew for every sample of every epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, get_args

import numpy as np

from striate.data.augmentation.checks import check_range
from striate.data.augmentation.counter import Draw
from striate.data.augmentation.geometry import (
    Crop,
    Geometric,
    HorizontalFlip,
    ResizedCrop,
    Rotation,
    Shear,
    Shift,
    VerticalFlip,
    Zoom,
)
from striate.data.augmentation.mixing import Mixup
from striate.data.augmentation.sampling import Border, sample
from striate.data.augmentation.values import Brightness, Contrast, Cutout, Noise, Scale, Valued
from striate.data.splits import check_seed
from striate.errors import ShapeError, UsageError, unknown_name

Transform = Geometric | Valued | Mixup
KINDS: dict[str, type[Transform]] = {
    "rotation": Rotation,
    "horizontal_flip": HorizontalFlip,
    "vertical_flip": VerticalFlip,
    "shift": Shift,
    "crop": Crop,
    "zoom": Zoom,
    "resized_crop": ResizedCrop,
    "shear": Shear,
    "brightness": Brightness,
    "contrast": Contrast,
    "scale": Scale,
    "noise": Noise,
    "cutout": Cutout,
    "mixup": Mixup,
}
NAMES = {kind: name for name, kind in KINDS.items()}


@dataclass(frozen=True)
class Augmentation:
    """Random changes of inputs that keep their meaning: a function of (seed, epoch, sample) alone.

    First the geometric transforms move pixels, all together in one bilinear interpolation; then the others
    change values in their order; then mixup blends neighbours. Signals are moved along their length,
    volumes slice by slice.

    Parameters
    ----------
    transforms : tuple of Transform
    border : {"constant", "edge", "reflect"}
        What is seen beyond the border; see `sample`.
    fill : float
        The value there for "constant", on the scale of the inputs.

    Raises
    ------
    UsageError
        If something is no transform, the border is unknown, or there is more than one mixup.

    Examples
    --------
    >>> augmentation = Augmentation((Rotation(10), Zoom(0.9, 1.1), Shift(0.1, 0.1)))
    >>> x = np.zeros((2, 1, 28, 28), np.uint8)
    >>> augmentation.apply(x, seed=0, epoch=3, indices=np.array([17, 4])).shape
    (2, 1, 28, 28)
    """

    transforms: tuple[Transform, ...] = ()
    border: Border = "constant"
    fill: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "transforms", tuple(self.transforms))
        for transform in self.transforms:
            if type(transform) not in NAMES:
                raise UsageError(
                    f"augmentation: transforms are {', '.join(KINDS)}; got {transform!r}. Use one of these."
                )
        if self.border not in get_args(Border):
            raise UsageError(
                f"augmentation: border must be one of {', '.join(get_args(Border))}; got {self.border!r}. "
                "Use one of these."
            )
        check_range("augmentation", "fill", self.fill, -1e6, 1e6)
        if sum(isinstance(transform, Mixup) for transform in self.transforms) > 1:
            raise UsageError("augmentation: mixup can be used only once; got more. Remove the others.")

    @property
    def moves(self) -> bool:
        """Whether any transform moves pixels."""
        return any(isinstance(transform, Geometric) for transform in self.transforms)

    def check(self, space: tuple[int, ...]) -> None:
        """Raise ShapeError if a transform needs images and samples have one axis, ``space`` (length,)."""
        for transform in self.transforms:
            if isinstance(transform, Geometric) and transform.needs_plane and len(space) == 1:
                raise ShapeError(
                    f"{NAMES[type(transform)]}: needs images; the samples are signals of length {space[0]}. "
                    "Use shift, zoom, scale or noise."
                )

    def affine(self, seed: int, epoch: int, indices: np.ndarray, space: tuple[int, ...]) -> np.ndarray:
        """Return where each pixel of the result is read in the source (float32[N, 2, 3]).

        ``(row, column) in the source = A @ (row, column, 1) in the result``, counted from 0.

        Parameters
        ----------
        seed : int
        epoch : int
        indices : int64[N]
            The samples by their place in the training split.
        space : tuple of int
            (length,), (rows, columns) or (depth, rows, columns) of a sample.

        Raises
        ------
        ShapeError
            If a transform needs images and the samples are signals.
        """
        plane, indices = _plane(space), np.asarray(indices)
        total = np.tile(np.eye(3), (len(indices), 1, 1))
        self.check(space)
        for number, transform in enumerate(self.transforms):
            if not isinstance(transform, Geometric):
                continue
            total = total @ transform.matrix(Draw(check_seed(seed), epoch, indices, number), plane)
        middle = (np.asarray(plane) - 1) / 2
        total[:, :2, 2] += middle - total[:, :2, :2] @ middle
        return total[:, :2].astype(np.float32)

    def apply(self, batch: np.ndarray, seed: int, epoch: int, indices: np.ndarray) -> np.ndarray:
        """Return a batch (uint8 or floating point [N, C, *space]) changed, as float64 on the same scale.

        Everything but mixup depends on (seed, epoch, index) of each sample alone.
        """
        full = 255.0 if batch.dtype == np.uint8 else 1.0
        x = batch.astype(np.float64)
        if self.moves:
            planes = x.reshape(len(x), -1, *_plane(x.shape[2:]))
            affine = self.affine(seed, epoch, indices, x.shape[2:])
            x = sample(planes, affine, self.border, self.fill).reshape(x.shape)
        for number, transform in enumerate(self.transforms):
            if isinstance(transform, Valued):
                x = transform.change(x, Draw(check_seed(seed), epoch, np.asarray(indices), number), full)
                x = np.clip(x, 0, full) if batch.dtype == np.uint8 else x
        weights = self.mix_weights(seed, epoch, indices)
        return x if weights is None else Mixup.blend(x, weights)

    def mix_weights(self, seed: int, epoch: int, indices: np.ndarray) -> np.ndarray | None:
        """Return the share of itself that each sample keeps (float64[N]), or None without mixup.

        ``Mixup.blend(targets, weights)`` gives the targets that belong to the inputs of `apply`.
        """
        for number, transform in enumerate(self.transforms):
            if isinstance(transform, Mixup):
                return transform.weights(Draw(check_seed(seed), epoch, np.asarray(indices), number))
        return None

    def to_dict(self) -> dict[str, Any]:
        """Return a description that JSON and TOML can hold."""
        transforms = [{"kind": NAMES[type(transform)], **asdict(transform)} for transform in self.transforms]
        return {"transforms": transforms, "border": self.border, "fill": self.fill}

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Augmentation:
        """Return the augmentation that `to_dict` described.

        Raises
        ------
        UsageError
            If a kind or one of its settings is not known, or a number is out of its range.
        """
        unknown = set(description) - {"transforms", "border", "fill"}
        if unknown:
            raise unknown_name("augmentation setting", min(unknown), ("transforms", "border", "fill"))
        entries = description.get("transforms", ())
        if not isinstance(entries, list | tuple) or not all(isinstance(entry, Mapping) for entry in entries):
            raise UsageError(
                f"augmentation: transforms must be a list of tables, each with a kind; got {entries!r}."
            )
        transforms = tuple(_transform(dict(entry)) for entry in entries)
        return cls(transforms, description.get("border", "constant"), description.get("fill", 0.0))


def _transform(settings: dict[str, Any]) -> Transform:
    kind = settings.pop("kind", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise unknown_name("transform", str(kind), KINDS)
    try:
        return KINDS[kind](**settings)
    except TypeError as error:
        known = [field.name for field in fields(KINDS[kind])]
        got = ", ".join(settings) or "none"
        fix = "Use these names." if settings else f"Write {':'.join([kind, *map(str.upper, known)])}, with numbers."
        raise UsageError(f"{kind}: its settings are {', '.join(known)}; got {got}. {fix}") from error


def _plane(space: tuple[int, ...]) -> tuple[int, int]:
    """Return (rows, columns) of a sample; a signal is one row."""
    return (space[-2] if len(space) > 1 else 1, space[-1])
