"""A self-contained HTML file: style, scripts and data inside; nothing is fetched."""

from __future__ import annotations

import base64
import html
import json
import zlib
from collections.abc import Sequence
from typing import Any

from striate.web.bundle import bundle, hash_of, read

POLICY = (
    "default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; style-src {styles}; worker-src blob:; "
    "img-src data: blob:; media-src blob:; base-uri 'none'; form-action 'none'"
)


def document(
    title: str,
    entry: str,
    worker: str,
    data: dict[str, Any],
    binary: bytes,
    styles: Sequence[str] = ("page.css",),
    libraries: Sequence[str] = (),
) -> str:
    """Return a page.

    Parameters
    ----------
    title : str
    entry : str
        The module of ``striate/web`` that draws the page.
    worker : str
        The one that computes, in a thread of its own.
    data : dict
        JSON types: ``data.json`` of the page.
    binary : bytes
        What the worker gets beside them.
    styles : sequence of str
        Style sheets of ``striate/web``.
    libraries : sequence of str
        Scripts of others there, which run before the page's own.
    """
    script, style = "\n".join([*map(_with_licence, libraries), bundle(entry)]), "\n".join(map(read, styles))
    parts = {
        "policy": POLICY.format(scripts=hash_of(script), styles=hash_of(style)),
        "title": html.escape(title),
        "style": style,
        "data": _packed(json.dumps(data, separators=(",", ":"), allow_nan=False).encode()),
        "binary": _packed(binary),
        "worker": _inside(bundle(worker)),
        "script": script,
    }
    page = read("page.html")
    for key, value in parts.items():
        before, _, after = page.partition(f"@@{key}@@")
        page = before + value + after
    return page


def _with_licence(name: str) -> str:
    """Return a script of others below the text of its licence."""
    return f"/*\n{read(name.split('.', maxsplit=1)[0] + '.LICENSE')}*/\n{read(name)}"


def _packed(data: bytes) -> str:
    """Return bytes compressed, as base64."""
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _inside(text: str) -> str:
    """Return text that cannot end the script element it stands in."""
    return text.replace("</", "<\\/").replace("<!--", "<\\!--")
