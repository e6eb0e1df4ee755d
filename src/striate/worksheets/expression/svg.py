"""The computation graph with forward values and error signals as an SVG picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.drawing.html import Markup, element
from striate.drawing.svg import document
from striate.expression.graph import Graph
from striate.numbers import format_array
from striate.worksheets.expression.board import error_formula
from striate.worksheets.expression.layered import Box, layered_layout
from striate.worksheets.expression.steps import Step

_CHARACTER, _LINE, _PAD = 7.4, 17.0, 9.0  # pixels of a 12-pixel monospaced font
_LONGEST = 46
_STYLE = """
text { font: 12px 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1a1a1a }
.value { fill: #0b5394 } .error { fill: #b3261e }
.box { fill: #f5f7fa; stroke: #5b6b7b; stroke-width: 1 }
.given { fill: #fff8e1 } .result { fill: #e6f4ea; stroke-width: 2 }
.edge { fill: none; stroke: #8a98a6; stroke-width: 1.4 }
""".strip()


_TIP = element(
    "marker",
    element("path", d="M0 0 L8 4 L0 8 z", fill="#8a98a6"),
    id="tip",
    viewBox="0 0 8 8",
    refX=7,
    refY=4,
    markerWidth=7,
    markerHeight=7,
    orient="auto",
)


def graph_svg(steps: Sequence[Step], graph: Graph) -> str:
    """Return a graph as SVG text: formulas, values and error signals of its steps."""
    lines = {step.node.name: _lines(step, graph.output) for step in steps}
    sizes = {
        name: (max(len(text) for _, text in rows) * _CHARACTER + 2 * _PAD, len(rows) * _LINE + 2 * _PAD - 4)
        for name, rows in lines.items()
    }
    edges = list(
        dict.fromkeys(
            (operand, step.node.name)
            for step in steps
            for operand in step.node.operands
            if isinstance(operand, str)
        )
    )
    layout = layered_layout(sizes, edges)
    by_name = {step.node.name: step for step in steps}
    parts = [element("style", Markup(_STYLE)), element("defs", _TIP)]
    parts += [_edge(by_name[edge[0]], edge[1], points) for edge, points in layout.paths.items()]
    parts += [_box(step, layout.boxes[step.node.name], lines[step.node.name], graph.output) for step in steps]
    return document(round(layout.width), round(layout.height), f"Computation graph of {graph.text}", *parts)


def _lines(step: Step, output: str) -> list[tuple[str, str]]:
    name, node = step.node.name, step.node
    heading = f"{name} = {node.formula}" if node.formula else f"{name} (given)"
    error = error_formula(step, output)
    number = _short(step.error)
    rows = [("", heading), ("value", _short(step.value)), ("error", f"{name}_bar = {error}")]
    if error != number and step.terms:
        rows.append(("error", f"{' ' * len(name)}     = {number}"))
    return [(kind, _cut(text)) for kind, text in rows]


def _short(values: np.ndarray) -> str:
    if values.size > 8:
        return " x ".join(map(str, values.shape)) + " values"
    return format_array(values)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _edge(source: Step, user: str, points: list[tuple[float, float]]) -> Markup:
    (x, y), *rest = points
    path = f"M{x:.1f} {y:.1f}"
    for a, b in rest:
        bend = (x + a) / 2
        path += f" C{bend:.1f} {y:.1f} {bend:.1f} {b:.1f} {a:.1f} {b:.1f}" if b != y else f" H{a:.1f}"
        x, y = a, b
    sent = [f"{term.text} = {format_array(term.value)}" for term in source.terms if term.user == user]
    title = element("title", f"adds to {source.node.name}_bar: " + "; ".join(sent))
    return element("path", title, class_="edge", d=path, marker_end="url(#tip)")


def _box(step: Step, box: Box, lines: list[tuple[str, str]], output: str) -> Markup:
    kind = "given" if step.node.operation is None else ""
    if step.node.name == output:
        kind = "result"
    texts = [_text(box, i, name, text) for i, (name, text) in enumerate(lines)]
    whole = (
        f"{step.node.name} = {format_array(step.value)}\n"
        f"{step.node.name}_bar = {error_formula(step, output)} = {format_array(step.error)}"
    )
    place = {"x": box.x, "y": box.y, "width": box.width, "height": box.height}
    sides = {name: f"{value:.1f}" for name, value in place.items()}
    return element("g", element("title", whole), element("rect", class_=f"box {kind}", **sides, rx=5), *texts)


def _text(box: Box, line: int, kind: str, text: str) -> Markup:
    x, y = f"{box.x + _PAD:.1f}", f"{box.y + _PAD + _LINE * (line + 0.62):.1f}"
    return element("text", text, class_=kind, x=x, y=y, **{"xml:space": "preserve"})
