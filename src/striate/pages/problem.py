"""The training problem of a page: samples and targets that fit into it, the loss, and the initial model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.splits import Splits
from striate.errors import UsageError
from striate.layers.base import format_shape
from striate.losses import CLASSES, NUMBERS, CrossEntropy, MeanSquaredError
from striate.model import Model
from striate.network import Network
from striate.pages.choices import choices_for
from striate.pages.training_programs import BATCH
from striate.training.job import Job, plan_job
from striate.training.trainer import Trainer

MOST_BYTES = 6_000_000
"""Of the samples in a page; of larger data sets it holds a part."""
MOST_VALIDATION = 500
LOSSES = {CLASSES: CrossEntropy, NUMBERS: MeanSquaredError}
"""What the page computes of validation samples, by the kind of the targets."""


@dataclass(frozen=True)
class Problem:
    """What one network of a page learns.

    Parameters
    ----------
    model : Model
        With classes, units and metadata of the data.
    job : Job
        Targets as the engine takes them, and the loss.
    """

    model: Model
    job: Job

    @classmethod
    def of(cls, network: Network | Model, train: Dataset, validation: Dataset, preparation: Any) -> Problem:
        """Return what ``network`` learns of some samples, as ``striate train`` would.

        Raises
        ------
        ShapeError
            If samples or targets do not fit the network.
        UsageError
            If the page cannot learn with the loss that they call for.
        """
        state = Trainer(network).state
        job = plan_job(state, train, validation, None, False)
        name = state.network.name
        if job.kind not in LOSSES or type(job.loss) is not LOSSES[job.kind]:
            raise UsageError(
                f"{name}: the page learns with the cross-entropy or the mean squared error; this network and "
                f"{train.name} call for the {job.loss.title}. Use striate train."
            )
        job.begin(state)
        model = state.model
        model.metadata = {"data": train.name, "samples": len(train), "loss_function": job.loss.describe()}
        model.metadata |= {"targets": job.kind} | ({"preparation": dict(preparation)} if preparation else {})
        return cls(model, job)

    @property
    def target_count(self) -> int:
        """How many numbers the target of a sample is."""
        return math.prod(self.job.plan.targets.shape[1:])

    def describe(self, add: Callable[[bytes], Any]) -> dict[str, Any]:
        """Return where samples and targets lie in a parcel, as JSON types; ``add`` puts bytes into it."""
        validation = self.job.validation
        assert validation is not None
        return {
            "kind": self.job.kind,
            "loss": self.job.loss.title,
            "targetCount": self.target_count,
            "bytes": self.job.train.inputs.dtype == np.uint8,
            "train": _described(add, self.job.train.inputs, self.job.plan.targets),
            "validation": _described(add, validation.inputs, validation.targets),
        }


def reduced(splits: Splits, name: str) -> tuple[Dataset, Dataset]:
    """Return the samples to learn from and to validate with, as many as a page holds.

    Raises
    ------
    UsageError
        If the page has no networks for such samples, or they are too few.
    """
    train = splits.train
    shape = train.inputs.shape[1:]
    if choices_for(shape) is None:
        raise UsageError(
            f"{name}: the page learns pictures, series and tables; got samples of {format_shape(shape)}. "
            "Use striate train."
        )
    if len(train) < BATCH:
        raise UsageError(f"{name}: needs at least {BATCH} training samples; got {len(train)}. Add some.")
    train = _converted(train)
    each = math.prod(shape) * train.inputs.dtype.itemsize + 4 * math.prod(train.targets.shape[1:])
    most = max(BATCH, MOST_BYTES // each)
    validation = next((part for part in (splits.validation, splits.test) if part is not None and len(part)), train)
    return _drawn(train, most), _drawn(_converted(validation), min(MOST_VALIDATION, most))


def _converted(data: Dataset) -> Dataset:
    """Return a data set whose samples are bytes or float32."""
    inputs = data.inputs if data.inputs.dtype == np.uint8 else np.asarray(data.inputs, np.float32)
    return replace(data, inputs=inputs)


def _drawn(data: Dataset, most: int) -> Dataset:
    """Return at most so many samples, drawn with a fixed seed."""
    if len(data) <= most:
        return data
    chosen = np.sort(np.random.default_rng(0).choice(len(data), most, replace=False))
    return data.take(chosen)


def _described(add: Callable[[bytes], Any], inputs: np.ndarray, targets: np.ndarray) -> dict[str, Any]:
    return {
        "count": len(inputs),
        "inputs": add(np.ascontiguousarray(inputs).tobytes()),
        "targets": add(np.ascontiguousarray(targets, "<f4").tobytes()),
    }
