"""The terms of a value as text, written as on a blackboard."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from striate.explain.positions import axis_names
from striate.layers.shape import InputLayer
from striate.network import Step
from striate.numbers import format_number

if TYPE_CHECKING:
    from striate.explain.reasons import Why

MOST_TERMS = 12
MOST_CHANNELS = 4
WIDEST = 7  # columns of a window that is written as a grid


def write(why: Why) -> str:
    """Return the text of ``str(why)``."""
    lines = [f"{why.place} = {format_number(why.value)}", f"  {_layer(why)}: {why.decomposition.rule}"]
    lines += [f"  {name} = {format_number(value)}" for name, value in why.statistics.items()]
    lines += _grids(why) if _has_grid(why) else _list(why)
    lines += _ending(why)
    return "\n".join(lines)


def _layer(why: Why) -> str:
    return "input" if isinstance(why.step.layer, InputLayer) else layer_text(why.step)


def layer_text(step: Step) -> str:
    """Write a layer with its arguments, without its name."""
    return repr(dataclasses.replace(step.layer, name=None))


def _has_grid(why: Why) -> bool:
    window = why.window
    return window is not None and window.ndim in (2, 3) and window.shape[-1] <= WIDEST and window.size > 1


def _grids(why: Why) -> list[str]:
    """Write the window beside its kernel and the products, channel by channel, the largest sums first."""
    window, kernel = why.window, why.kernel
    assert window is not None
    sums = np.nansum(np.abs(why.products.reshape(window.shape)), axis=tuple(range(1, window.ndim)))
    shown = np.sort(np.argsort(-sums, kind="stable")[:MOST_CHANNELS])
    lines = []
    for c in shown:
        products = why.products.reshape(window.shape)[c]
        lines.append(f"  {_where(why, int(c))}")
        if kernel is None:
            lines += _beside([("", window[c])])
        else:
            lines += _beside([("x", window[c]), ("weight", kernel[c]), ("product", products)])
            lines.append(f"  sum of the channel: {format_number(products.sum())}")
    if len(window) > len(shown):
        rest = why.products.sum() - why.products.reshape(window.shape)[shown].sum()
        lines.append(f"  {len(window) - len(shown)} more channels add {format_number(rest)}")
    return lines


def _where(why: Why, channel: int) -> str:
    """Describe the part of the source that a window covers."""
    assert why.window is not None
    taps = np.arange(why.window[0].size) + channel * why.window[0].size
    inside = [why.origin(int(t)) for t in taps if why.terms.places[t] >= 0]
    source = why.sources[0]
    if not inside:
        return f"{source}: entirely beyond the edge"
    names = axis_names(why.trace[source].shape)
    spans = [f"{name} {_span([at[i] for at in inside])}" for i, name in enumerate(names)]
    beyond = len(taps) - len(inside)
    return f"{source}: {', '.join(spans)}" + (f" ({beyond} beyond the edge)" if beyond else "")


def _span(numbers: list[int]) -> str:
    return str(numbers[0]) if min(numbers) == max(numbers) else f"{min(numbers)}..{max(numbers)}"


def _beside(parts: list[tuple[str, np.ndarray]]) -> list[str]:
    blocks = [_block(title, np.atleast_2d(values)) for title, values in parts]
    return ["    " + "   |   ".join(row).rstrip() for row in zip(*blocks, strict=True)]


def _block(title: str, values: np.ndarray) -> list[str]:
    texts = [[f"{value + 0.0:.4g}" for value in row] for row in values]
    width = max(len(text) for row in texts for text in row)
    rows = ["  ".join(text.rjust(width) for text in row) for row in texts]
    return [title.center(len(rows[0])), *rows] if title else rows


def _list(why: Why) -> list[str]:
    order = why.terms.order[:MOST_TERMS]
    lines = [f"  {_term(why, int(t))}" for t in order]
    rest = len(why.terms) - len(order)
    if rest > 0:
        added = why.products.sum() - why.products[order].sum()
        lines.append(f"  {rest} smaller terms add {format_number(added)}")
    return lines


def _term(why: Why, term: int) -> str:
    terms, origin = why.terms, why.origin(term)
    value, product = format_number(terms.values[term]), format_number(terms.products[term])
    source = why.sources[int(terms.inputs[term])] if why.sources else "raw"
    place = f"{source}[{', '.join(map(str, origin))}]" if origin else f"{source} beyond the edge"
    if terms.factors is None:
        return f"{place} = {value}" + (f" gives {product}" if product != value else "")
    return f"{place} = {value} * {why.decomposition.factor_name} {format_number(terms.factors[term])} = {product}"


def _ending(why: Why) -> list[str]:
    decomposition, lines = why.decomposition, []
    if decomposition.winner is not None:
        lines.append(f"  winner: {list(why.winner or ())}, ahead of {_runner_up(why)}")
    elif len(why.terms) + len(decomposition.constants) > 1:
        kind = "product" if decomposition.product else "sum"
        if decomposition.constants:
            lines.append(f"  {kind} of {len(why.terms)} terms: {format_number(why.products.sum())}")
        lines += [f"  {name}: {format_number(value)}" for name, value in decomposition.constants.items()]
        lines.append(f"  {kind}: {format_number(why.sum)}")
    if decomposition.finish is not None:
        lines.append(f"  {decomposition.finish_rule} = {format_number(decomposition.result)}")
    after = why.activation
    if after is not None and len(after.terms) == 1:
        lines.append(f"  then {after.step.name}: {after.decomposition.rule} = {format_number(after.value)}")
    return lines


def _runner_up(why: Why) -> str:
    rivals = why.rivals
    return f"{list(rivals[0][0])} with {format_number(rivals[0][1])}" if rivals else "no rival"
