"""Kinds of settings that are objects: optimizer, schedule, loss, augmentation and others.

Each is written as a name, as text such as ``huber:0.5``, or as a table of a name and arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from striate.checks import integer, real
from striate.errors import UsageError, unknown_name
from striate.settings import Place, choice, mapping, number, value_of
from striate.training.settings import words


def _arguments(value: Any, example: str) -> dict[str, Any]:
    """Return a table with text keys and the name, if it has one, as text."""
    if not isinstance(value, Mapping):
        raise UsageError(f"must be a name such as {example}, or a table with a name; got {value!r}.")
    name = value.get("name", "")
    if not isinstance(name, str):
        raise UsageError(f"name: must be text, such as {example}; got {name!r}.")
    return {str(key): item for key, item in value.items()}


def _optimizer(value: Any) -> Any:
    from striate.training.optimizers import Optimizer
    from striate.training.optimizers.registry import from_description

    if isinstance(value, Optimizer):
        return value
    return from_description(_arguments({"name": value} if isinstance(value, str) else value, '"adam"'))


def _optimizer_plain(value: Any) -> Any:
    """Return an optimizer as a table; a user-defined one, which only Python can create, by its class."""
    from striate.training.optimizers.registry import OPTIMIZERS, describe

    known = type(value) in OPTIMIZERS.values()
    return describe(value) if known else {"name": type(value).__name__, **value.config()}


def _learning_rate(value: Any) -> Any:
    return value if callable(value) else real(value, "learning_rate", above=0, closed=True)


def _schedule(value: Any) -> dict[str, Any]:
    """Return a schedule with all its arguments; without a name, those given, for the schedule that is chosen."""
    from striate.training.schedules import ARGUMENTS, WARM_UP, schedule_arguments

    if callable(value):
        raise UsageError("must be a name or a table; got a function. Give it as learning_rate, of the steps taken.")
    given = _arguments(value, '"cosine"')
    if "name" in given:
        return schedule_arguments(given)
    known = {WARM_UP, *(key for arguments in ARGUMENTS.values() for key in arguments)}
    for key, item in given.items():
        if key not in known:
            raise unknown_name("schedule: argument", key, known)
        given[key] = real(item, key, above=0, closed=True)
    return given


def _loss(value: Any) -> Any:
    from striate.losses import Loss

    if isinstance(value, Loss) or (isinstance(value, type) and issubclass(value, Loss)):
        return Loss.of(value)
    if callable(value):
        raise UsageError(
            f"a function becomes a loss when it is registered; got {getattr(value, '__name__', value)}. Write "
            "@striate.losses.register above it."
        )
    return Loss.from_description(_arguments({"name": value} if isinstance(value, str) else value, '"huber"'))


def _class_weights(value: Any) -> Any:
    weight = number(above=0, closed=True)
    if isinstance(value, str):
        return choice("balanced").check(value, Place("class_weights"))
    if isinstance(value, Mapping):
        return mapping(weight, "").check(value, Place("class_weights"))
    if not isinstance(value, Sequence) and not hasattr(value, "tolist"):
        raise UsageError(f'must be "balanced", a table of classes and weights, or a list; got {value!r}.')
    return tuple(weight.check(item, Place("class_weights")) for item in value)


def _seed(value: Any) -> int:
    seed = integer(value, "seed", minimum=0)
    if seed >= 2**64:
        raise UsageError(f"seed: must be below 2^64; got {seed}.")
    return seed


def _augmentation(value: Any) -> Any:
    from striate.data.augmentation import Augmentation
    from striate.data.augmentation.words import augmentation

    if isinstance(value, Augmentation):
        return value
    if isinstance(value, str):
        return augmentation("" if value == "none" else value)
    if not isinstance(value, Mapping):
        raise UsageError(f"must be text such as 'rotation:10 zoom:0.9:1.1', or a table; got {value!r}.")
    return Augmentation.from_dict(value)


def _model_options(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise UsageError(f"must be a table of options and values; got {value!r}.")
    return {str(key): _frozen(item) for key, item in value.items()}


def _frozen(value: Any) -> Any:
    """Return a value with tuples in place of lists, at every depth."""
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    return {key: _frozen(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _plain(value: Any) -> Any:
    """Return a value with lists in place of tuples, at every depth."""
    if isinstance(value, list | tuple):
        return list(map(_plain, value))
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value


OPTIMIZER = value_of("name, or table of a name and arguments", _optimizer, plain=_optimizer_plain)
LEARNING_RATE = value_of(
    "number, at least 0", _learning_rate, plain=lambda value: None if callable(value) else value, option=float
)
SCHEDULE = value_of("name, or table of a name and arguments", _schedule, words.named)
LOSS = value_of("name, or table of a name and arguments", _loss, words.named, lambda value: value.describe())
CLASS_WEIGHTS = value_of(
    '"balanced", a table of classes and weights, or a list',
    _class_weights,
    words.class_weights,
    _plain,
)
SEED = value_of("whole number from 0 to 2^64 - 1", _seed, option=int)
AUGMENTATION = value_of(
    "text such as 'rotation:10 shift:0.1', or a table",
    _augmentation,
    plain=lambda value: value.to_dict(),
    has_none=True,
)
MODEL_OPTIONS = value_of(
    "table of the network's options", _model_options, words.model_options, _plain, option=list[str]
)
