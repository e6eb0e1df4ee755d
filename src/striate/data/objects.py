"""Data sets from objects of other libraries that yield samples with targets, one by one or in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.data.layout import make_inputs, stream_inputs, to_float32
from striate.data.pixels import to_mode
from striate.data.streaming import ObjectStream, is_streamed
from striate.data.streaming.choice import AUTO
from striate.data.streaming.objects import item_at
from striate.data.streaming.spool import gathered
from striate.data.streaming.stored import Stored
from striate.data.targets import make_targets
from striate.errors import DataError

INPUT_KEYS = ("image", "img", "x", "inputs", "input", "data", "features", "audio", "pixel_values")
EMPTY = "{}: a data set needs at least one sample; got none."
TO_COLOURS = ("P", "PA", "LA", "RGBA", "CMYK", "YCbCr")
TARGET_KEYS = ("label", "labels", "y", "target", "targets", "class")


def gives_samples(source: Any) -> bool:
    """Return whether an object can be read sample by sample, or as an iterator of batches."""
    indexed = hasattr(source, "__len__") and hasattr(source, "__getitem__")
    return not isinstance(source, str | bytes | np.ndarray | Mapping) and (indexed or hasattr(source, "__iter__"))


def dataset_from(
    source: Any,
    name: str = "data",
    shape: tuple[int, ...] | None = None,
    classes: tuple[str, ...] = (),
    read: str = AUTO,
) -> Dataset:
    """Return the samples of an object as a data set.

    Parameters
    ----------
    source : object
        With ``__len__`` and ``__getitem__``, such as a PyTorch Dataset or a Hugging Face dataset: every item is a
        pair (sample, target) or a mapping with keys such as "image" and "label". Or an iterator, such as an
        IterableDataset or a DataLoader, of such items or of batches: pairs (samples, targets) or such mappings.
    name : str
        What messages call the set.
    shape : tuple of int, optional
        (C, *space) of a sample; told from the samples by default, see `make_inputs`.
    classes : tuple of str
        The names of the classes; by default those that the object knows (``classes``, or the names of its labels).
    read : {"auto", "memory", "stream"}
        Keep all samples in memory, or ask the object for them again in every epoch; by default if they would take
        half of the free memory. Then an item must be the same each time, and is asked for by one thread at a time.
        What an iterator yields is kept, in memory or in a temporary file in the cache folder.

    Raises
    ------
    DataError
        If items are of another form, samples differ in shape, or there are none.

    Examples
    --------
    >>> found = dataset_from([([0.0, 1.0], "up"), ([1.0, 0.0], "down"), ([0.5, 1.0], "up")])
    >>> found.classes, found.targets.tolist()
    (('down', 'up'), [1, 0, 1])
    """
    if isinstance(source, Mapping):
        keys = ", ".join(map(str, source))
        raise DataError(f"{name}: must be one data set; got a mapping of {keys}. Choose one.")
    batched = not (hasattr(source, "__len__") and hasattr(source, "__getitem__"))
    if not batched and len(source) and is_streamed(read, _size(source, name, shape)):
        return _streamed(source, name, shape, classes)
    if batched:
        return _from_batches(source, name, shape, classes, read)
    pairs = [_pair_at(source, number, name) for number in range(len(source))]
    if not pairs:
        raise DataError(EMPTY.format(name))
    joined = _stacked([_numbers(sample, name) for sample, _ in pairs], "samples", name)
    labels = _stacked([_array(target) for _, target in pairs], "targets", name)
    found, names = make_targets(labels, name, classes or _class_names(source))
    return Dataset(make_inputs(joined, name, shape), found, names, name)


def _from_batches(
    source: Any, name: str, shape: tuple[int, ...] | None, classes: tuple[str, ...], read: str
) -> Dataset:
    """Return the data set of an iterator; what it yields is kept in memory or in a temporary file."""
    targets: list[np.ndarray] = []

    def batches() -> Iterator[np.ndarray]:
        for number, item in enumerate(source):
            where = f"{name}: item {number}"
            values, target = _pair(item, where)
            samples, labels = _numbers(values, where), _array(target)
            samples = to_float32(samples) if samples.dtype.kind == "f" else samples
            if not labels.ndim:  # a single sample
                samples, labels = samples[np.newaxis], labels[np.newaxis]
            if samples.shape[:1] != labels.shape[:1]:
                raise DataError(
                    f"{where}: every sample needs one target; got {samples.shape[0] if samples.ndim else 0} "
                    f"and {len(labels)}. Return one target for each sample."
                )
            if targets and labels.shape[1:] != targets[0].shape[1:]:
                raise DataError(f"{where}: {_one_shape('targets', labels.shape[1:], targets[0].shape[1:])}")
            if len(samples):
                targets.append(labels)
                yield samples

    found = gathered(batches(), name, read)
    if found is None:
        raise DataError(EMPTY.format(name))
    labels, names = make_targets(np.concatenate(targets), name, classes or _class_names(source))
    inputs = stream_inputs(found, name, shape) if isinstance(found, Stored) else make_inputs(found, name, shape)
    return Dataset(inputs, labels, names, name)


def _streamed(source: Any, name: str, shape: tuple[int, ...] | None, classes: tuple[str, ...]) -> Dataset:
    """Return a data set that keeps the targets alone."""
    targets = (_pair_at(source, number, name)[1] for number in range(len(source)))
    labels = _stacked([_array(target) for target in targets], "targets", name)
    found, names = make_targets(labels, name, classes or _class_names(source))
    return Dataset(ObjectStream(source, partial(_sample, shape=shape), name), found, names, name)


def _size(source: Any, name: str, shape: tuple[int, ...] | None) -> int:
    where = f"{name}: sample 0"
    return len(source) * _sample(item_at(source, 0, where), where, shape).nbytes


def _sample(item: Any, where: str, shape: tuple[int, ...] | None) -> np.ndarray:
    """Return the sample of an item; bytes stay bytes, other numbers become float32."""
    values = _numbers(_pair(item, where)[0], where)
    values = values if values.dtype == np.uint8 else to_float32(values)
    return np.ascontiguousarray(make_inputs(values[np.newaxis], where, shape)[0])


def _pair(item: Any, where: str) -> tuple[Any, Any]:
    """Return the sample and the target of an item."""
    if isinstance(item, Mapping):
        lower = {str(key).lower(): key for key in item}
        found = [next((lower[key] for key in keys if key in lower), None) for keys in (INPUT_KEYS, TARGET_KEYS)]
        if found[0] is not None and found[1] is not None:
            return item[found[0]], item[found[1]]
        raise DataError(
            f"{where}: needs keys such as image and label; got {', '.join(map(str, lower))}. Rename them."
        )
    if isinstance(item, tuple | list) and len(item) == 2:
        return item[0], item[1]
    raise DataError(
        f"{where}: must be a pair (sample, target) or a mapping; got {type(item).__name__}. Return both from it."
    )


def _pair_at(source: Any, number: int, name: str) -> tuple[Any, Any]:
    where = f"{name}: sample {number}"
    return _pair(item_at(source, number, where), where)


def _stacked(values: list[np.ndarray], what: str, name: str) -> np.ndarray:
    """Return arrays as one; raises DataError, which names the first that differs, unless all have one shape."""
    for number, value in enumerate(values):
        if value.shape != values[0].shape:
            raise DataError(f"{name}: sample {number}: {_one_shape(what, value.shape, values[0].shape)}")
    return np.stack(values)


def _one_shape(what: str, found: tuple[int, ...], first: tuple[int, ...]) -> str:
    return f"{what} must have one shape; got {list(found)}, the first has {list(first)}. Resize or convert them."


def _numbers(value: Any, where: str) -> np.ndarray:
    """Return a sample as an array of numbers; an image of Pillow in an unusual mode becomes one in colour."""
    if hasattr(value, "has_transparency_data") and value.mode in TO_COLOURS:
        value = to_mode(value, "RGB")
    found = _array(value)
    if found.dtype.kind not in "biuf":
        raise DataError(f"{where}: samples must be numbers; got {found.dtype}. Convert them.")
    return found


def _array(value: Any) -> np.ndarray:
    """Return numbers or text as an array; tensors of other libraries are copied to the CPU."""
    if isinstance(value, Mapping) and "array" in value:  # recordings of Hugging Face
        value = value["array"]
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if "bfloat16" in str(value.dtype) else value
    return np.asarray(value)


def _class_names(source: Any) -> tuple[str, ...]:
    """Return the names that an object gives its classes, if it does."""
    names = getattr(source, "classes", None)
    features = getattr(source, "features", None)
    if names is None and isinstance(features, Mapping):
        label = next((features[key] for key in TARGET_KEYS if key in features), None)
        names = getattr(getattr(label, "feature", label), "names", None)  # in batches, a list of labels
    return tuple(map(str, names)) if isinstance(names, list | tuple) else ()
