"""The errors a user can meet: one line each, *where: rule; got value. fix.*"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST = 1500  # characters of a message; hostile files put endless ones into it


def visible(text: str) -> str:
    """Return ``text`` as one line that a terminal can show: unprintable characters become escapes.

    Examples
    --------
    >>> visible("a\\x1b[2J\\n")
    'a\\\\x1b[2J\\\\n'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


class StriateError(Exception):
    """An error that the user can fix; the command line prints it as one line and exits with status 1."""

    exit_status = 1

    def __str__(self) -> str:
        text = visible(" ".join(line.strip() for line in super().__str__().splitlines()))
        return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 3 :]}"


class UsageError(StriateError, ValueError):
    """An argument that is not valid (exit status 2)."""

    exit_status = 2


class ShapeError(UsageError):
    """Shapes in a network that do not fit together."""


class DataError(StriateError):
    """A data set, or a file of one, that cannot be used."""


class ModelFileError(StriateError):
    """A model file that is damaged, of another program, or inconsistent."""


class DivergenceError(StriateError):
    """A loss or gradient that became NaN or infinite."""


class CapacityError(StriateError):
    """A network or batch that does not fit into memory."""


class ProgramError(StriateError):
    """A program of the engine that would read or write where it must not, or that belongs to this process alone."""


CLEARLY_LESS = 0.25  # of the ratio of difflib
MOST_LISTED = 50
"""Up to this many names are always listed, even if some are close."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Return the error for a name that is not known, with the nearest names that are.

    Examples
    --------
    >>> print(unknown_name("model", "lenet", ["lenet5", "mlp"]))
    model: unknown name 'lenet'; did you mean 'lenet5'? Known: lenet5, mlp.
    """
    known = sorted(known)
    hint = suggestion(name, known)
    names = f" Known: {', '.join(known)}." if len(known) <= MOST_LISTED or not hint else ""
    return UsageError(f"{kind}: unknown name {name!r}{f'; {hint}' if hint else '.'}{names}")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a question that suggests the names of ``known`` closest to ``name``; empty if none is close.

    Examples
    --------
    >>> suggestion("mse", ["huber", "mean_squared_error"])
    "did you mean 'mean_squared_error'?"
    """
    name, known = str(name).lower(), sorted(known)
    near = [other for other in known if "".join(word[:1] for word in other.split("_")) == name]
    near = near or _near(name, known)
    return f"did you mean {' or '.join(map(repr, near))}?" if near else ""


def _near(name: str, known: list[str]) -> list[str]:
    """Return up to three names of ``known`` like ``name``, the most alike first, and none that is much less so."""
    found = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    alike = [difflib.SequenceMatcher(None, other, name).ratio() for other in found]
    return [other for other, ratio in zip(found, alike, strict=True) if ratio > alike[0] - CLEARLY_LESS]
