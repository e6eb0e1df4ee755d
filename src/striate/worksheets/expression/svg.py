"""The computation graph with forward values and error signals as an SVG picture."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from striate.worksheets.expression.board import error_formula
from striate.worksheets.expression.graph import Graph
from striate.worksheets.expression.layered import Box, Layout, layered_layout
from striate.worksheets.expression.steps import Step
from striate.worksheets.numbers import format_array

_CHARACTER, _LINE, _PAD = 7.4, 17.0, 9.0  # pixels of a 12-pixel monospaced font
_LONGEST = 46
_STYLE = """
text { font: 12px 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1a1a1a }
.value { fill: #0b5394 } .error { fill: #b3261e }
.box { fill: #f5f7fa; stroke: #5b6b7b; stroke-width: 1 }
.given { fill: #fff8e1 } .result { fill: #e6f4ea; stroke-width: 2 }
.edge { fill: none; stroke: #8a98a6; stroke-width: 1.4 }
""".strip()


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
    parts = [_head(layout, graph)]
    by_name = {step.node.name: step for step in steps}
    parts += [_edge(by_name[edge[0]], edge[1], points) for edge, points in layout.paths.items()]
    parts += [_box(step, layout.boxes[step.node.name], lines[step.node.name], graph.output) for step in steps]
    return "\n".join([*parts, "</svg>", ""])


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


def _head(layout: Layout, graph: Graph) -> str:
    width, height = f"{layout.width:.0f}", f"{layout.height:.0f}"
    marker = (
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" fill="#8a98a6"/></marker>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img">\n'
        f"<title>Computation graph of {escape(graph.text)}</title>\n"
        f'<style>{_STYLE}</style>\n<defs>{marker}</defs>\n<rect width="100%" height="100%" fill="#ffffff"/>'
    )


def _edge(source: Step, user: str, points: list[tuple[float, float]]) -> str:
    (x, y), *rest = points
    path = f"M{x:.1f} {y:.1f}"
    for a, b in rest:
        bend = (x + a) / 2
        path += f" C{bend:.1f} {y:.1f} {bend:.1f} {b:.1f} {a:.1f} {b:.1f}" if b != y else f" H{a:.1f}"
        x, y = a, b
    sent = [f"{term.text} = {format_array(term.value)}" for term in source.terms if term.user == user]
    title = escape(f"adds to {source.node.name}_bar: " + "; ".join(sent))
    return f'<path class="edge" d="{path}" marker-end="url(#tip)"><title>{title}</title></path>'


def _box(step: Step, box: Box, lines: list[tuple[str, str]], output: str) -> str:
    kind = "given" if step.node.operation is None else ""
    if step.node.name == output:
        kind = "result"
    texts = "".join(
        f'<text class="{name}" x="{box.x + _PAD:.1f}" y="{box.y + _PAD + _LINE * (i + 0.62):.1f}" '
        f'xml:space="preserve">{escape(text)}</text>'
        for i, (name, text) in enumerate(lines)
    )
    whole = (
        f"{step.node.name} = {format_array(step.value)}\n"
        f"{step.node.name}_bar = {error_formula(step, output)} = {format_array(step.error)}"
    )
    return (
        f'<g><title>{escape(whole)}</title><rect class="box {kind}" x="{box.x:.1f}" y="{box.y:.1f}" '
        f'width="{box.width:.1f}" height="{box.height:.1f}" rx="5"/>{texts}</g>'
    )
