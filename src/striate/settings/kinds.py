"""The kinds of values that settings take: how each is checked, typed on a command line, and written to a file."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from striate import checks
from striate.errors import UsageError
from striate.settings.place import Place

Check = Callable[[Any, Place], Any]


def _as_it_is(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Kind:
    """The values that a setting takes.

    Parameters
    ----------
    description : str
        For people, such as "a whole number, at least 1".
    check : function of (value, place)
        Returns the value in canonical form; raises UsageError if it is none of this kind.
    parse : function of text, optional
        What a text means, on a command line and in a file alike; None where a text is taken as it is.
    plain : function of a canonical value
        Returns it as types that TOML and JSON have (and None).
    option : type
        What the command line asks for: int, float, bool, str or list[str].
    settings : type, optional
        The settings of a table; see `table`.
    has_none : bool
        The text "none" is a value of this kind rather than the absence of one.
    """

    description: str
    check: Check
    parse: Callable[[Any], Any] | None = None
    plain: Callable[[Any], Any] = _as_it_is
    option: Any = str
    settings: type | None = None
    has_none: bool = False


def whole(minimum: int = 1, *words: str) -> Kind:
    """Return the kind of whole numbers from ``minimum`` on, or one of some words instead."""

    def check(value: Any, place: Place) -> Any:
        if isinstance(value, str) and value in words:
            return value
        try:
            return checks.integer(value, str(place), minimum)
        except UsageError as error:
            raise UsageError(f"{error}{_or(words)}") from None

    described = "".join(f', or "{word}"' for word in words)
    parse = _number_or_word if words else None
    return Kind(f"whole number, at least {minimum}{described}", check, parse, option=str if words else int)


def _or(words: Sequence[str]) -> str:
    return f" Or write {' or '.join(map(repr, words))}." if words else ""


def _number_or_word(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 20 else text


def number(above: float = -math.inf, below: float = math.inf, *, closed: bool = False) -> Kind:
    """Return the kind of finite numbers between two bounds; the arguments are those of `checks.real`."""

    def check(value: Any, place: Place) -> float:
        return checks.real(value, str(place), above, below, closed=closed)

    low = "" if above == -math.inf else f"{'at least' if closed else 'above'} {above:g}"
    high = "" if below == math.inf else f"below {below:g}"
    bounds = " and ".join(filter(None, (low, high)))
    return Kind(f"number{bounds and ', '}{bounds}", check, option=float)


def flag() -> Kind:
    """Return the kind of true and false."""
    return Kind("true or false", lambda value, place: checks.flag(value, str(place)), option=bool)


def choice(*names: Any) -> Kind:
    """Return the kind of one of some names, or of some whole numbers."""

    def check(value: Any, place: Place) -> Any:
        if isinstance(value, bool) or value not in names:
            if isinstance(names[0], str):
                checks.choice(value if isinstance(value, str) else repr(value), str(place), names)
            raise UsageError(f"{place}: must be one of {', '.join(map(str, names))}; got {value!r}.")
        return value

    shown = [f'"{name}"' if isinstance(name, str) else str(name) for name in names]
    described = " or ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))
    return Kind(described, check, option=type(names[0]))


def text(what: str = "text") -> Kind:
    """Return the kind of text, such as a name or a path."""

    def check(value: Any, place: Place) -> str:
        if not isinstance(value, str) or not value:
            raise UsageError(f"{place}: must be text; got {value!r}.")
        if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
            raise UsageError(f"{place}: must be valid Unicode without NUL characters; got {value!r}.")
        return value

    return Kind(what, check)


def texts(what: str = "list of texts") -> Kind:
    """Return the kind of lists of text; one text alone is a list of one."""
    one = text()

    def check(value: Any, place: Place) -> tuple[str, ...]:
        listed = (value,) if isinstance(value, str) else value
        if isinstance(listed, Mapping) or not hasattr(listed, "__iter__"):
            raise UsageError(f"{place}: must be a list of texts; got {value!r}.")
        return tuple(one.check(item, place) for item in listed)

    return Kind(what, check, plain=list, option=list[str])


def sizes(*ranks: int) -> Kind:
    """Return the kind of sizes of so many axes, written ``[64, 64]`` in a file and ``64x64`` as text."""
    counts = " or ".join(filter(None, (", ".join(map(str, ranks[:-1])), str(ranks[-1]))))
    example = "x".join(["64"] * max(ranks))

    def check(value: Any, place: Place) -> tuple[int, ...]:
        listed = [value] if isinstance(value, int) else value
        if isinstance(listed, str) or not isinstance(listed, Sequence) or len(listed) not in ranks:
            raise UsageError(f"{place}: must be {counts} whole numbers, such as {example}; got {value!r}.")
        return tuple(checks.integer(item, str(place)) for item in listed)

    return Kind(f"{counts} whole numbers, such as {example}", check, _sides, _listed)


def _sides(typed: str) -> Any:
    parts = typed.lower().split("x")
    return [int(part) for part in parts] if all(part.isdecimal() and len(part) < 12 for part in parts) else typed


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def mapping(of: Kind, what: str, parse: Callable[[Any], Any] | None = None) -> Kind:
    """Return the kind of tables that hold values of one kind under any names."""

    def check(value: Any, place: Place) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise UsageError(f"{place}: must be a table; got {value!r}.")
        return {str(key): of.check(item, place.at(str(key))) for key, item in value.items()}

    def plain(value: Mapping[str, Any]) -> dict[str, Any]:
        return {key: of.plain(item) for key, item in value.items()}

    return Kind(what, check, parse, plain, list[str])


def value_of(
    what: str,
    canonical: Callable[[Any], Any],
    parse: Callable[[Any], Any] | None = None,
    plain: Callable[[Any], Any] = _as_it_is,
    **more: Any,
) -> Kind:
    """Return the kind of what a function makes canonical; the place is put in front of its errors.

    Further arguments are those of `Kind`.
    """

    def check(value: Any, place: Place) -> Any:
        try:
            return canonical(value)
        except UsageError as error:
            name = place.key.rpartition(".")[2].lstrip("-").replace("-", "_")
            raise type(error)(f"{place}: {str(error).removeprefix(f'{name}: ')}") from None

    return Kind(what, check, parse, plain, **more)


def table(settings: type, shorthand: Callable[[Any], Any] | None = None) -> Kind:
    """Return the kind of tables that hold the settings of a class.

    Parameters
    ----------
    settings : subclass of Settings
    shorthand : function, optional
        What a value that is not a table stands for, as a table.
    """

    def check(value: Any, place: Place) -> Any:
        from striate.settings.setting import build

        if isinstance(value, settings):
            return value
        if shorthand is not None and not isinstance(value, Mapping):
            value = value_of("", shorthand).check(value, place)
        return build(settings, value, place)

    def plain(value: Any) -> dict[str, Any]:
        table: dict[str, Any] = value.to_dict()
        return table

    return Kind("a table", check, plain=plain, settings=settings)
