"""Settings as a TOML file: read with the line of every key, written with a comment on every key."""

from __future__ import annotations

import contextlib
import re
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from striate.errors import UsageError
from striate.settings.place import Place
from striate.settings.setting import NONE, Setting, Settings, settings_of

HEADER = re.compile(r"\s*\[([^\[].*?)\]\s*(#.*)?$")
KEY = re.compile(r"""\s*((?:[\w-]+|"[^"\n]*"|'[^'\n]*'|\s*\.\s*)+?)\s*=""")
WIDTH = 100


def read_tables(path: str | Path) -> tuple[dict[str, Any], Place]:
    """Return the tables of a TOML file, and the place of its keys for messages.

    Raises
    ------
    UsageError
        If the file cannot be read or is not TOML.
    """
    try:
        text = Path(path).read_text("utf-8")
        return tomllib.loads(text), Place("", str(path), lines_of(text))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}). Check the name.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is not valid TOML: {error}.") from error


def lines_of(text: str) -> dict[str, int]:
    """Return the line of every key and table in the text of a TOML file, from 1.

    Examples
    --------
    >>> lines_of("[training]\\nepochs = 3\\n")
    {'training': 1, 'training.epochs': 2}
    """
    found: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        if match := HEADER.match(line):
            table = _dotted(match[1])
            found.setdefault(table, number)
        elif match := KEY.match(line):
            key = _dotted(match[1])
            found.setdefault(f"{table}.{key}" if table else key, number)
    return found


def _dotted(written: str) -> str:
    """Return a key without quotes, its parts joined with dots."""
    names: list[str] = []
    with contextlib.suppress(ValueError):
        value: Any = tomllib.loads(f"{written} = 0")
        while isinstance(value, dict):
            name, value = next(iter(value.items()))
            names.append(name)
    return ".".join(names)


def to_toml(settings: Settings, *, comments: bool = True) -> str:
    """Return settings as TOML, each key under a comment that says what it does, or without comments."""
    import tomlkit

    document = tomlkit.document()
    _fill(document, settings, settings.to_dict(), comments)
    return tomlkit.dumps(document)


def _fill(container: Any, settings: Any, values: Mapping[str, Any], comments: bool) -> None:
    """Put values into a TOML table; plain ones first, then the tables, as TOML wants it."""
    import tomlkit

    known = settings_of(settings)
    inner = [key for key in values if known[key].kind.settings is not None and values[key] is not None]
    for key, value in values.items():
        if key in inner:
            continue
        for line in comment(known[key]) if comments else ():
            container.add(tomlkit.comment(line))
        container.add(key, _plain(known[key].word if value is None else value))
    for key in inner:
        table = tomlkit.table()
        _fill(table, known[key].kind.settings, values[key], comments)
        if container:
            container.add(tomlkit.nl())
        container.add(key, table)


def comment(setting: Setting) -> Iterator[str]:
    """Yield the lines of the comment on a setting: what it does and what values it takes."""
    unset = setting.off or setting.auto
    values = setting.kind.description + (f'; "{setting.word}": {unset}' if unset else "")
    yield from textwrap.wrap(f"{setting.help} ({values})", WIDTH)


def _plain(value: Any) -> Any:
    """Return a value as TOML has it: "none" for None, at every depth; tables within it on one line."""
    import tomlkit

    if value is None:
        return NONE
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update({str(key): _plain(item) for key, item in value.items()})
        return table
    if isinstance(value, list | tuple):
        array = tomlkit.array()
        array.extend([_plain(item) for item in value])
        return array
    return value
