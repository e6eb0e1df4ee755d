"""Augmentations as text: ``rotation:10 zoom:0.9:1.1 shift:0.1 horizontal_flip``."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from striate.data.augmentation.pipeline import KINDS, Augmentation
from striate.errors import UsageError, unknown_name


def augmentation(text: str) -> Augmentation:
    """Return the augmentation that a text describes: words, each a kind with its numbers after colons.

    A number that is left out has its usual value; a shift with one number is the same along rows and columns.

    Raises
    ------
    UsageError
        If a kind is not known, or a number is none or too many.

    Examples
    --------
    >>> augmentation("rotation:10 shift:0.2").to_dict()["transforms"][1]
    {'kind': 'shift', 'rows': 0.2, 'columns': 0.2}
    """
    words = text.replace(",", " ").split()
    return Augmentation.from_dict({"transforms": [_settings(word) for word in words]})


def describe(augmentation: Augmentation) -> str:
    """Return an augmentation as the text that describes it.

    Examples
    --------
    >>> describe(augmentation("horizontal_flip zoom:0.9:1.1"))
    'horizontal_flip:0.5 zoom:0.9:1.1'
    """
    words = [":".join(map(str, transform.values())) for transform in augmentation.to_dict()["transforms"]]
    return " ".join(words)


def _settings(word: str) -> dict[str, Any]:
    kind, *numbers = word.split(":")
    if kind not in KINDS:
        raise unknown_name("transform", kind, KINDS)
    names = [field.name for field in fields(KINDS[kind])]
    if kind == "shift" and len(numbers) == 1:
        numbers = numbers * 2
    if len(numbers) > len(names):
        raise UsageError(f"{kind} takes {':'.join([kind, *names])}; got {word!r}.")
    return {"kind": kind, **{name: _number(number, word) for name, number in zip(names, numbers, strict=False)}}


def _number(text: str, word: str) -> float | int:
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        raise UsageError(f"{text!r} in {word!r} must be a number, as in rotation:10.") from None
