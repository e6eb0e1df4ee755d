"""The meaning of texts such as ``step:10:0.5``, on the command line and in configuration files."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from striate.errors import UsageError

Tables = dict[str, Any]
MONITORS = ("loss", "accuracy", "val_loss", "val_accuracy")
"""The metrics of an epoch that a callback can watch."""
_OPTIONS = {
    "huber": ("delta",),
    "hinge": ("margin",),
    "cross_entropy": ("label_smoothing",),
    "binary_cross_entropy": ("pos_weight",),
    "step": ("every_epochs", "factor"),
    "exponential": ("every_epochs", "factor"),
}
"""The arguments of losses and schedules that may follow their names after colons."""


def named(text: str) -> Tables:
    """Return a loss or schedule by name, with what some take after colons: numbers, or an expression.

    Examples
    --------
    >>> named("hinge"), named("huber:0.5")
    ({'name': 'hinge'}, {'name': 'huber', 'delta': 0.5})
    >>> named("expression:(output - target)**4")
    {'name': 'expression', 'expression': '(output - target)**4'}
    >>> named("step:10:0.5")
    {'name': 'step', 'every_epochs': 10.0, 'factor': 0.5}

    Raises
    ------
    UsageError
        For other text.
    """
    name, *values = text.split(":")
    if name == "expression" and values:
        return {"name": name, "expression": text.partition(":")[2]}
    keys = _OPTIONS.get(name, ())
    if len(values) > len(keys):
        allowed = f"at most {len(keys)} number{'s' * (len(keys) > 1)} after its name" if keys else "no number"
        raise UsageError(f"{name} takes {allowed}; got {text!r}.")
    example = ":".join([name, *["0.5"] * max(1, len(values))])
    return {"name": name, **dict(zip(keys, numbers(values, example, text), strict=False))}


def watcher(text: str, keys: Sequence[str]) -> Tables:
    """Return the arguments of a callback that watches a metric: epochs, then numbers, and the metric anywhere.

    Examples
    --------
    >>> watcher("4:0.01:val_accuracy", ("patience", "min_delta"))
    {'monitor': 'val_accuracy', 'patience': 4, 'min_delta': 0.01}

    Raises
    ------
    UsageError
        For other text.
    """
    parts = text.split(":")
    metrics = [part for part in parts if part in MONITORS]
    values = [part for part in parts if part not in MONITORS]
    if len(metrics) > 1 or not 1 <= len(values) <= len(keys) or not values[0].isdecimal() or len(values[0]) > 9:
        rest = "".join(f"[:{key.upper()}]" for key in keys[1:])
        raise UsageError(f"must be EPOCHS{rest}[:METRIC], METRIC one of {', '.join(MONITORS)}; got {text!r}.")
    example = ":".join(["4", *["0.1"] * (len(keys) - 1)])
    found = dict(zip(keys[1:], numbers(values[1:], example, text), strict=False))
    return {**({"monitor": metrics[0]} if metrics else {}), keys[0]: int(values[0]), **found}


def early_stopping(value: Any) -> Tables:
    """Return the settings of early stopping from ``5``, ``"5"`` or ``"5:0.01:val_accuracy"``."""
    return watcher(_text(value), ("patience", "min_delta"))


def reduce_on_plateau(value: Any) -> Tables:
    """Return the settings of the reduction on a plateau from ``3``, ``"3"`` or ``"3:0.5:1e-5:loss"``."""
    return watcher(_text(value), ("patience", "factor", "floor"))


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UsageError(f"must be a table, a number of epochs, or text such as '5:0.01'; got {value!r}.")
    return str(value)


def class_weights(text: str) -> str | dict[str, float]:
    """Return "balanced" or another name as it is, or a weight for each class that is named.

    Examples
    --------
    >>> class_weights("crack=3 sound=1")
    {'crack': 3.0, 'sound': 1.0}
    """
    return pairs(text.split(), "'crack=3 sound=1', or balanced") if "=" in text else text


def rates(words: str | Sequence[str]) -> dict[str, float]:
    """Return the factor of the learning rate for patterns of parameters.

    Examples
    --------
    >>> rates(["conv*=0.1"])
    {'conv*': 0.1}
    """
    return pairs(words.split() if isinstance(words, str) else words, "'conv*=0.1'")


def model_options(words: str | Sequence[str]) -> Tables:
    """Return the options of a network from words such as ``dropout=true`` and ``hidden=256,100``.

    Examples
    --------
    >>> model_options(["dropout=true", "hidden=256,100", "activation=tanh"])
    {'dropout': True, 'hidden': (256, 100), 'activation': 'tanh'}

    Raises
    ------
    UsageError
        For other text.
    """
    options: Tables = {}
    for word in words.split() if isinstance(words, str) else words:
        name, sign, text = word.partition("=")
        if not sign or not name or not text:
            raise UsageError(f"must be NAME=VALUE, such as dropout=true; got {word!r}.")
        values = [_value(part) for part in text.split(",")]
        options[name] = values[0] if len(values) == 1 else tuple(values)
    return options


def _value(text: str) -> bool | int | float | str:
    """Return a truth value or a number where the text is one, else the text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def pairs(words: Sequence[str], example: str) -> dict[str, float]:
    """Return a number for each name from words such as ``name=0.5``; raises UsageError for other text."""
    found = {}
    for word in words:
        name, sign, text = word.rpartition("=")
        if not sign or not name:
            raise UsageError(f"must be NAME=NUMBER, such as {example}; got {word!r}.")
        try:
            found[name] = float(text)
        except ValueError:
            raise UsageError(f"the = must be followed by a number, as in {example}; got {word!r}.") from None
    return found


def numbers(values: Sequence[str], example: str, text: str) -> list[float]:
    """Return the numbers that were between colons; raises UsageError if there are others."""
    try:
        return [float(value) for value in values]
    except ValueError:
        raise UsageError(f"each colon must be followed by a number, as in {example}; got {text!r}.") from None
