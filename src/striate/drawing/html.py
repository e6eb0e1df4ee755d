"""Pieces of HTML, escaped by MarkupSafe: text is escaped, a ``Markup`` is HTML already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

__all__ = ["Markup", "element", "empty_element", "join", "number", "pairs", "section", "table"]


def element(tag: str, *children: Any, **attributes: Any) -> Markup:
    """Return an element; a trailing underscore of an attribute's name is dropped.

    Examples
    --------
    >>> element("td", "a < b", class_="number")
    '<td class="number">a &lt; b</td>'
    """
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(tag), _attributes(attributes), join(children))


def empty_element(tag: str, **attributes: Any) -> Markup:
    """Return a void element, such as ``img``."""
    return Markup("<{}{}>").format(Markup(tag), _attributes(attributes))


def join(pieces: Iterable[Any]) -> Markup:
    """Return the pieces joined together."""
    return Markup("").join(pieces)


def table(header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Markup:
    """Return a table; numbers are set to the right."""
    head = element("tr", *(element("th", cell, scope="col") for cell in header))
    body = [element("tr", *map(_cell, row)) for row in rows]
    content = element("table", element("thead", head), element("tbody", *body))
    return element("div", content, class_="wide")


def pairs(items: Mapping[str, Any]) -> Markup:
    """Return names and values as a list of definitions."""
    rows = [join([element("dt", key), element("dd", number(value))]) for key, value in items.items()]
    return element("dl", *rows)


def section(title: str, *children: Any) -> Markup:
    """Return a section under a heading."""
    return element("section", element("h2", title), *children)


def number(value: Any) -> Any:
    """Return a number as people read it; anything else as it is.

    Examples
    --------
    >>> number(1234567), number(0.98765), number(1e-5), number(None)
    ('1,234,567', '0.9877', '1e-05', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"


def _attributes(attributes: Mapping[str, Any]) -> Markup:
    names = {key: Markup(key.rstrip("_").replace("_", "-")) for key in attributes}
    return join(Markup(' {}="{}"').format(names[key], value) for key, value in attributes.items())


def _cell(value: Any) -> Markup:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    return element("td", number(value), class_="number") if numeric else element("td", number(value))
