"""Fast augmentation: pixels are moved by a kernel, values changed by NumPy."""

from __future__ import annotations

import ctypes
import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.data.augmentation import Augmentation, Mixup
from striate.data.augmentation.counter import Draw
from striate.data.augmentation.values import Valued

BORDERS = {"constant": 0, "edge": 1, "reflect": 2}
_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
_UNUSED = np.zeros(8, np.int64)


@dataclass(frozen=True, eq=False)
class Augmenter:
    """The augmentation of one training.

    The result is that of ``Augmentation.apply`` to float32 precision, a pure function of
    (seed, epoch, sample).

    Parameters
    ----------
    augmentation : Augmentation
    seed : int
    """

    augmentation: Augmentation
    seed: int

    def matrices(self, index: np.ndarray, epoch: int, space: tuple[int, ...]) -> np.ndarray | None:
        """Return where the pixels of the samples ``index`` come from, float32[n, 2, 3]; None if none moves."""
        return self.augmentation.affine(self.seed, epoch, index, space) if self.augmentation.moves else None

    def apply(
        self, block: np.ndarray, places: np.ndarray, index: np.ndarray, epoch: int, matrices: np.ndarray | None
    ) -> np.ndarray:
        """Return samples changed, float32[n, C, *space].

        Parameters
        ----------
        block : uint8 or float32 [*, C, *space], contiguous
        places : int64[n]
            Where the samples stand in it.
        index : int64[n]
            Their numbers in the data set, on which the random numbers depend.
        epoch : int
        matrices : float32[n, 2, 3] or None
            As ``matrices`` returns them.
        """
        if matrices is None:
            x = block[places].astype(np.float32)
        else:
            x = warp(block, places, matrices, self.augmentation.border, self.augmentation.fill)
        full = 255.0 if block.dtype == np.uint8 else 1.0
        for number, transform in enumerate(self.augmentation.transforms):
            if isinstance(transform, Valued):
                x = transform.change(x, Draw(self.seed, epoch, index, number), full)
                x = np.clip(x, 0.0, full) if block.dtype == np.uint8 else x
        weights = self.mix(index, epoch)
        x = x if weights is None else Mixup.blend(x, weights)
        return np.ascontiguousarray(x, np.float32)

    def mix(self, index: np.ndarray, epoch: int) -> np.ndarray | None:
        """Return the share of itself that each sample keeps, or None without mixup."""
        return self.augmentation.mix_weights(self.seed, epoch, index)


def warp(x: np.ndarray, index: np.ndarray, affine: np.ndarray, border: str, fill: float) -> np.ndarray:
    """Return samples read at affinely moved places, float32[n, C, *space].

    Parameters
    ----------
    x : uint8 or float32 [N, C, *space], contiguous
        Signals are images of one row; of volumes every slice is an image.
    index : int64[n]
    affine : float32[n, 2, 3]
        Rows, columns and 1 of the result to rows and columns of the source, from 0.
    border : {"constant", "edge", "reflect"}
    fill : float
    """
    from striate.kernels.library import float_bits

    out = np.empty((len(index), *x.shape[1:]), np.float32)
    rows, columns = (x.shape[-2] if x.ndim > 3 else 1), x.shape[-1]
    planes = math.prod(x.shape[1:]) // (rows * columns)
    index, affine = np.ascontiguousarray(index, np.int64), np.ascontiguousarray(affine, np.float32)
    places = [array.ctypes.data for array in (x, index, affine, out)]
    sizes = [planes, rows, columns, len(index), BORDERS[border], float_bits(fill)]
    table = np.array([*places, *sizes], np.int64)
    _kernel("warp_bytes" if x.dtype == np.uint8 else "warp_floats")(
        _UNUSED.ctypes.data, _UNUSED.ctypes.data, table.ctypes.data
    )
    return out


@functools.cache
def _kernel(name: str) -> Any:
    """Return a kernel of ``striate.kernels.warp`` as a function of addresses that runs without the GIL."""
    from striate.kernels.library import Request, load

    request = Request("warp", name, 8)
    return _ENTRY(load([request])[request].address)
