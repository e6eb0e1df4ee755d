"""HTML for notebooks, which bring their own rules for tables and text, light or dark."""

from __future__ import annotations

from typing import Any

from striate.drawing.html import Markup, element

# two classes in the rules of tables: JupyterLab sets theirs by :not(.jp-RenderedMarkdown).jp-RenderedHTMLCommon
STYLE = Markup("""
.striate .wide { overflow-x: auto; }
.striate .wide td, .striate .wide th { text-align: left; vertical-align: middle; white-space: nowrap; }
.striate .wide td.number { text-align: right; font-variant-numeric: tabular-nums; }
.striate .wide .confusion td { text-align: center; }
.striate td img, .striate td svg { margin-right: 3px; vertical-align: middle; }
.striate pre { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 12px; line-height: 1.35; }
.striate svg text { font-size: 11px; fill: currentColor; }
.striate svg .title { font-size: 13px; font-weight: 600; }
.striate svg .grid { stroke: currentColor; stroke-opacity: .2; }
.striate svg .equal { stroke: currentColor; stroke-dasharray: 4 3; opacity: .6; }
.striate figure { display: inline-block; margin: 4px; font-size: 12px; }
""")


def shown(*pieces: Any) -> Markup:
    """Return pieces as one output of a notebook, in the colours of its theme."""
    return element("div", element("style", STYLE), *pieces, class_="striate")
