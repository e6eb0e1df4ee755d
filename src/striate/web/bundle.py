"""ES modules as one script: a page that is a single file cannot import from another.

The modules keep to what needs no parser: ``import { a, b } from "./x.js";`` on a line of its own, and ``export``
before a function, class or const.
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources

IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w./]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)


def read(name: str) -> str:
    """Return the text of a file of ``striate/web``."""
    return resources.files("striate.web").joinpath(name).read_text("utf-8")


def bundle(entry: str) -> str:
    """Return a module of ``striate/web`` and all that it imports as one script, which needs no other file.

    Examples
    --------
    >>> "import" in bundle("program.js")
    False
    """
    order = list[str]()
    _visit(entry, order, ())
    parts = [_wrapped(name) for name in order[:-1]]
    return "\n".join(['"use strict";', *parts, _body(entry, read(entry))])


def hash_of(text: str) -> str:
    """Return how a Content-Security-Policy names a script or style with this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _visit(name: str, order: list[str], above: tuple[str, ...]) -> None:
    if name in above:
        raise ValueError(f"{name} imports itself by way of {' and '.join(above)}")
    for _, source in IMPORT.findall(read(name)):
        if source not in order:
            _visit(source, order, (*above, name))
    order.append(name)


def _wrapped(name: str) -> str:
    """Return a module as a constant that holds its exports."""
    text = read(name)
    names = ", ".join(EXPORT.findall(text))
    return f"const {_constant(name)} = (() => {{\n{_body(name, text)}\nreturn {{ {names} }};\n}})();"


def _body(name: str, text: str) -> str:
    text = IMPORT.sub(lambda found: f"const {{{found[1].replace(' as ', ': ')}}} = {_constant(found[2])};\n", text)
    return EXPORT.sub("", text).strip()


def _constant(name: str) -> str:
    return "module_" + re.sub(r"\W", "_", name.removesuffix(".js"))
