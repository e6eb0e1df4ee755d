"""Write TOML; reading it is in the standard library."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from striate.errors import UsageError

NONE = "none"
"""How a value that is not set is written, since TOML has no word for it."""


def dumps(tables: Mapping[str, Any]) -> str:
    """Return ``tables`` as TOML: text, numbers, truth values, lists and nested tables.

    None becomes the text "none".

    Examples
    --------
    >>> print(dumps({"a": {"x": 1, "y": [1.5, "z"], "inner": {"on": True}}}))
    [a]
    x = 1
    y = [1.5, "z"]
    <BLANKLINE>
    [a.inner]
    on = true
    <BLANKLINE>
    """
    lines: list[str] = []
    _table(lines, "", tables)
    return "\n".join(lines).strip("\n") + "\n"


def _table(lines: list[str], path: str, table: Mapping[str, Any]) -> None:
    inner = {key: value for key, value in table.items() if isinstance(value, Mapping)}
    if path and (len(inner) < len(table) or not table):
        lines.append(f"[{path}]")
    for key, value in table.items():
        if key not in inner:
            lines.append(f"{_key(key)} = {_value(value)}")
    if not inner or path == "" or len(inner) < len(table):
        lines.append("")
    for key, value in inner.items():
        _table(lines, f"{path}.{_key(key)}".lstrip("."), value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _text(key)


def _value(value: Any) -> str:
    if value is None:
        return _text(NONE)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items()) + "}"
    raise UsageError(f"configuration: cannot be written as TOML; got {value!r}.")


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
