"""How files were turned into the inputs of a model, as its file records it."""

from __future__ import annotations

from textwrap import shorten
from typing import Any, get_args

from striate.data.logs import LogReader
from striate.data.pixels import Fit
from striate.data.tables.schema import Schema
from striate.data.text import Vocabulary
from striate.errors import ModelFileError

KEYS = ("fit", "labels", "rate", "series", "table", "text")
SHOWN = 200  # characters of a bad record
HIGHEST_RATE = 2**24  # Hz


def check_preparation(preparation: Any) -> None:
    """Raise ModelFileError unless ``preparation`` holds valid arguments of `read_unlabelled`."""
    if not isinstance(preparation, dict) or set(preparation) - set(KEYS):
        raise ModelFileError(
            f"preparation: must be an object of {', '.join(KEYS)}; got {shorten(repr(preparation), SHOWN)}."
        )
    if preparation.get("fit", "stretch") not in get_args(Fit):
        raise ModelFileError(f"preparation: fit must be one of {get_args(Fit)}; got {preparation['fit']!r}.")
    rate = preparation.get("rate", 1)
    if type(rate) is not int or not 1 <= rate <= HIGHEST_RATE:
        raise ModelFileError(f"preparation: rate must be a whole number of hertz; got {rate!r}.")
    labels = preparation.get("labels", [])
    if not isinstance(labels, list) or not all(isinstance(name, str) for name in labels):
        raise ModelFileError(f"preparation: labels must be names of columns; got {shorten(repr(labels), SHOWN)}.")
    if preparation.get("series") is not None:
        LogReader.from_dict(preparation["series"], 1)
    if preparation.get("table") is not None:
        Schema.from_dict(preparation["table"])
    if preparation.get("text") is not None:
        Vocabulary.from_dict(preparation["text"])
