"""The frame of every report: one self-contained HTML file without scripts."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import datetime
from importlib import resources

from striate import __version__
from striate.drawing.html import Markup, element


def document(title: str, body: Sequence[Markup]) -> str:
    """Return a page with this title and body."""
    return Markup("<!DOCTYPE html>\n") + element("html", _head(title), element("body", *body), lang="en")


def _head(title: str) -> Markup:
    style = resources.files("striate.report").joinpath("style.css").read_text("utf-8")
    return element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", title),
        element("style", Markup(style)),
    )


def origin() -> str:
    """Return the version, the time and the machine in one line."""
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    machine = platform.processor() or platform.machine()
    return f"striate {__version__}, {now}, {machine}, Python {platform.python_version()}"
