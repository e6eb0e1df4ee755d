"""Options about learning whose text holds several values: names and numbers after colons, names = numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate.errors import UsageError
from striate.training.callbacks.monitor import MONITORS

Tables = dict[str, Any]
NONE = "none"


def loss(text: str) -> str | Tables:
    """Return a loss by name, with the number that some take after a colon.

    Examples
    --------
    >>> loss("hinge"), loss("huber:0.5")
    ('hinge', {'name': 'huber', 'delta': 0.5})
    """
    name, *values = text.split(":")
    keys = {"huber": ("delta",), "hinge": ("margin",), "cross_entropy": ("label_smoothing",)}.get(name, ())
    if len(values) > len(keys):
        what = f"at most the {keys[0].replace('_', ' ')}" if keys else "no number"
        raise UsageError(f"--loss: {name} takes {what}; got {text!r}.")
    options = dict(zip(keys, numbers(values, "--loss", "huber:0.5", text), strict=False))
    return {"name": name, **options} if options else name


def schedule(text: str) -> Tables:
    """Return a schedule by name, with the numbers that some take after colons.

    Examples
    --------
    >>> schedule("step:10:0.5")
    {'name': 'step', 'every_epochs': 10.0, 'factor': 0.5}
    """
    name, *values = text.split(":")
    keys = {"step": ("every_epochs", "factor"), "exponential": ("every_epochs", "factor")}.get(name, ())
    found = numbers(values, "--schedule", "step:10:0.5", text)
    if len(found) > len(keys):
        raise UsageError(f"--schedule: {name} takes at most {len(keys)} numbers; got {text!r}.")
    return {"name": name, **dict(zip(keys, found, strict=False))}


def watcher(text: str, option: str, keys: Sequence[str]) -> Tables | None:
    """Return the arguments of a callback that watches a figure: epochs, then numbers, and the figure anywhere.

    Examples
    --------
    >>> watcher("4:0.01:val_accuracy", "--early-stopping", ("patience", "min_delta"))
    {'monitor': 'val_accuracy', 'patience': 4, 'min_delta': 0.01}
    """
    if text == NONE:
        return None
    parts = text.split(":")
    figures = [part for part in parts if part in MONITORS]
    values = [part for part in parts if part not in MONITORS]
    if len(figures) > 1 or not 1 <= len(values) <= len(keys) or not values[0].isdigit():
        rest = "".join(f"[:{key.upper()}]" for key in keys[1:])
        raise UsageError(
            f"{option}: must be EPOCHS{rest}[:FIGURE], the figure one of {', '.join(MONITORS)}; got {text!r}."
        )
    example = ":".join(["4", *["0.1"] * (len(keys) - 1)])
    named = dict(zip(keys[1:], numbers(values[1:], option, example, text), strict=False))
    return {**({"monitor": figures[0]} if figures else {}), keys[0]: int(values[0]), **named}


def early_stopping(text: str) -> Tables | None:
    """Return the arguments of ``EarlyStopping``."""
    return watcher(text, "--early-stopping", ("patience", "min_delta"))


def reduce_on_plateau(text: str) -> Tables | None:
    """Return the arguments of ``ReduceOnPlateau``."""
    return watcher(text, "--reduce-on-plateau", ("patience", "factor", "floor"))


def class_weights(text: str) -> str | dict[str, float] | None:
    """Return "balanced", or a weight for each class that is named.

    Examples
    --------
    >>> class_weights("crack=3 sound=1")
    {'crack': 3.0, 'sound': 1.0}
    """
    if text == NONE:
        return None
    return pairs(text.split(), "--class-weights", "'crack=3 sound=1', or balanced") if "=" in text else text


def rates(words: list[str]) -> dict[str, float]:
    """Return the factor of the learning rate for patterns of parameters.

    Examples
    --------
    >>> rates(["conv*=0.1"])
    {'conv*': 0.1}
    """
    return pairs(words, "--rate", "'conv*=0.1'")


def pairs(words: Sequence[str], option: str, example: str) -> dict[str, float]:
    """Return a number for each name from words such as ``name=0.5``."""
    found = {}
    for word in words:
        name, sign, text = word.rpartition("=")
        if not sign or not name:
            raise UsageError(f"{option}: must be NAME=NUMBER, such as {example}; got {word!r}.")
        try:
            found[name] = float(text)
        except ValueError:
            raise UsageError(f"{option}: a number follows the =, such as {example}; got {word!r}.") from None
    return found


def numbers(values: Sequence[str], option: str, example: str, text: str) -> list[float]:
    """Return the numbers that were between colons."""
    try:
        return [float(value) for value in values]
    except ValueError:
        what = "a number follows the colon" if example.count(":") == 1 else "numbers follow the colons"
        raise UsageError(f"{option}: {what}, such as {example}; got {text!r}.") from None
