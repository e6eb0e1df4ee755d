"""HTML for notebooks, which bring their own rules for tables and text, light or dark."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING, Any

from striate.drawing.html import Markup, element

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LONGEST_NAME = 80

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


class Readable:
    """A result that prints as text, is named by the first line of it, and shows text and drawing in notebooks."""

    def _drawn(self) -> Axes | None:
        """Return a drawing; None where the text says it all."""
        return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {shorten(str(self).splitlines()[0], LONGEST_NAME, placeholder=' ...')}>"

    def _repr_html_(self) -> str:
        """Return text and drawing, for notebooks."""
        from striate.drawing.axes import as_image

        drawn = self._drawn()
        return shown(element("pre", str(self)), "" if drawn is None else as_image(drawn, repr(self)))
