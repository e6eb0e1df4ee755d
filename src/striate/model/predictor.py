"""Fast repeated predictions: everything is prepared once."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.checks import integer
from striate.errors import ShapeError, UsageError
from striate.layers.base import format_shape
from striate.model.samples import READABLE

if TYPE_CHECKING:
    from striate.model.core import Model


class Predictor:
    """Computes the outputs of a model as it was when the predictor was made; later changes have no effect.

    A call checks dtype and shape and nothing else. Several Python threads may call one predictor; they take turns,
    so each thread is faster with a predictor of its own.

    Parameters
    ----------
    model : Model
    batch_size : int
        The largest batch.
    dtype : dtype
        Of the samples: uint8 or float32.

    Raises
    ------
    UsageError
        If the batch size is not positive, or the dtype is another one.

    Examples
    --------
    >>> import numpy as np
    >>> from striate import Model, Sequential, layers
    >>> model = Model(Sequential([layers.Linear(2)], (3,)), np.arange(8, dtype=np.float32))
    >>> predictor = model.predictor()
    >>> predictor(np.ones((1, 3), np.float32))
    array([[ 9., 19.]], dtype=float32)
    """

    def __init__(self, model: Model, batch_size: int = 1, dtype: Any = np.float32) -> None:
        from striate.engine.pool import make_session

        self.batch_size = integer(batch_size, "batch size")
        self._name, self._shape, self._dtype = model.network.name, model.network.input_shape, np.dtype(dtype)
        self._output_shape = model.network.output_shape
        self._session = make_session(model.network, self.batch_size, self._dtype, model.threads, model.winograd)
        model.prepare(self._session)
        self._results = self._session.outputs_view()
        self._lock = threading.Lock()

    def __call__(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Return what the network computes for raw samples, float32[n, *output_shape].

        Parameters
        ----------
        x : dtype[n, *input_shape]
            Contiguous, n <= batch_size.
        out : float32[n, *output_shape], optional
            Where the results go; a new array by default.

        Raises
        ------
        ShapeError
            If samples or ``out`` are of another shape or dtype, or more than ``batch_size``.
        """
        if (
            not isinstance(x, np.ndarray)
            or x.dtype != self._dtype
            or x.shape[1:] != self._shape
            or not x.flags.c_contiguous
        ):
            raise self._refusal(x)
        count = len(x)
        if not 0 < count <= self.batch_size:
            raise ShapeError(
                f"{self._name}: this predictor takes 1 to {self.batch_size} samples at once; got {count}. Make one "
                "with a larger batch_size."
            )
        with self._lock:
            self._session.run_first(x, count)
            if out is None:
                return self._results[:count].copy()
            if out.shape != (count, *self._output_shape) or out.dtype != np.float32:
                raise ShapeError(
                    f"{self._name}: out: must be float32, {format_shape((count, *self._output_shape))}; "
                    f"got {out.dtype}, {format_shape(out.shape)}. Leave it out for a new array."
                )
            out[:] = self._results[:count]
            return out

    def _refusal(self, x: Any) -> ShapeError:
        if not isinstance(x, np.ndarray):
            return ShapeError(
                f"{self._name}: this predictor takes arrays; got {type(x).__name__}. Model.predict reads files."
            )
        got = f"{x.dtype}, {format_shape(x.shape)}{'' if x.flags.c_contiguous else ', not contiguous'}"
        other = f", make one with dtype=np.{x.dtype}" if x.dtype in READABLE and x.dtype != self._dtype else ""
        return ShapeError(
            f"{self._name}: this predictor takes contiguous {self._dtype} samples, N x "
            f"{format_shape(self._shape)}; got {got}. Convert them{other}, or use Model.outputs."
        )

    def __repr__(self) -> str:
        samples = f"{self.batch_size} x {format_shape(self._shape)}"
        return f"<Predictor of {self._name!r}, up to {samples}, {self._dtype}>"

    def __reduce__(self) -> Any:
        raise UsageError(f"{self._name}: a predictor cannot be pickled or copied. Make another from the model.")
