"""``striate why``: where one number of a network comes from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from striate.cli import samples as s
from striate.cli.options import Json, ModelArgument
from striate.wording import plain

if TYPE_CHECKING:
    from striate.explain.reasons import Why
    from striate.explain.tracing import Trace
    from striate.model import Model

MOST_NAMED = 12


def why(
    model: ModelArgument,
    image: s.Image,
    layer: s.Layer = None,
    channel: s.Channel = None,
    depth: s.Depth = None,
    row: s.Row = None,
    column: s.Column = None,
    position: s.Position = None,
    feature: s.Feature = None,
    chain: Annotated[bool, typer.Option("--chain", help="Explain every layer down to the pixels.")] = False,
    invert: s.Invert = False,
    fit: s.Fit = None,
    data_dir: s.DataDir = None,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the terms and the receptive field.", show_default=False),
    ] = None,
    json: Json = False,
) -> None:
    """Explain one number of a layer: its window, kernel, products and sum.

    striate why runs/digits-lenet5/model.safetensors digits:7 --layer conv2 --channel 3 --row 1 --column 1

    By default it explains the largest value of the layer or, without --layer, the score of the predicted class.
    """
    import striate
    from striate.cli.output import Output
    from striate.explain.tracing import trace
    from striate.training.neocognitron import is_s_layer, s_cell

    output = Output(json)
    found = trace(loaded := striate.load(model), s.read(loaded, image, fit, invert, data_dir))
    given = {"channel": channel, "depth": depth, "row": row, "column": column}
    given |= {"position": position, "feature": feature}
    asked = found.why_at(*s.place(found, layer, given))
    links = asked.chain()
    output.line(asked)
    predicted = _in_user_units(loaded, found, asked)
    if predicted:
        output.line(f"\nThe network predicts numbers in units of its own; this one means {predicted}.")
    kind, decided = _decisive(loaded, found, asked)
    if decided:
        output.line(f"\nthe {kind} that mattered most, by integrated gradients:")
        output.line("  " + ", ".join(f"{name} {'+' * (value > 0)}{plain(value, 3)}" for name, value in decided))
    if is_s_layer(loaded.network, asked.step.name):
        output.line(f"\n{s_cell(loaded, found.raw, asked.step.name, asked.index)}")
    output.line("\nits largest term, layer by layer, down to the input:")
    for link in links[1:]:
        meant = _name_of_input(loaded, found, link)
        output.line(f"\n{link}{meant}" if chain else f"  {link.place} = {link.value:.6g}{meant}")
    field = asked.field()
    if math.prod(loaded.network.input_shape[1:]) > 1:  # the features of a row have no order
        output.line(f"\n{field}")
    facts: dict[str, Any] = {kind: dict(decided)} if decided else {}
    facts |= {**asked.to_dict(), "chain": [link.to_dict() for link in links[1:]]}
    if picture is not None:
        from striate.cli.files import write_figure

        output.line(f"picture: {write_figure(_drawn(asked), picture)}")
        facts["picture"] = str(picture)
    output.result({**facts, "receptive_field": {"spans": field.spans, "support": field.support}})


def _in_user_units(model: Model, found: Trace, asked: Why) -> str:
    """Return what an output of a regression on standardised targets means, such as "price 312000"."""
    if model.target_normalisation is None or asked.step.name not in found.answers:
        return ""
    values = model.interpret(found.output[None]).values[0].ravel()
    place = asked.index[0]
    return f"{model.output_names[place]} {plain(values[place], 6)}" if place < len(values) else ""


def _name_of_input(model: Model, found: Trace, link: Why) -> str:
    """Return the column, or the word, that a value of the input stands for, in brackets; "" of others."""
    from striate.explain.samples import feature_names
    from striate.explain.words import words_of

    names = words_of(model, found.raw) or feature_names(model)
    if link.step.inputs or len(names) != math.prod(model.input_shape):
        return ""
    return f" ({names[int(np.ravel_multi_index(link.index, model.input_shape))]})"


def _decisive(model: Model, found: Trace, asked: Why) -> tuple[str, list[tuple[str, float]]]:
    """Return "words" or "columns" with those that counted most for or against a score, or a number in its unit."""
    from striate.explain.attribution import attribute
    from striate.explain.samples import feature_names
    from striate.explain.words import words_of

    words, columns = words_of(model, found.raw), feature_names(model)
    if asked.step.name not in found.answers or not (words or columns):
        return "", []
    one = attribute(model, found.raw, target=asked.index[0])
    weights: dict[str, float] = {}
    for name, value in zip(words or columns, (one.map(1) if words else one.values).ravel().tolist(), strict=True):
        if name:
            weights[name] = weights.get(name, 0.0) + value
    unit = 1.0 if model.output_units is None else float(model.output_units[0][asked.index[0]])
    order = sorted(weights.items(), key=lambda item: -abs(item[1]))[:MOST_NAMED]
    order = [(name, unit * value) for name, value in order if value]
    return ("words" if words else "columns"), order


def _drawn(asked: Why) -> Any:
    """Draw the terms beside the receptive field."""
    from striate.drawing.axes import new_axes
    from striate.explain import draw_field, draw_why

    figure: Any = new_axes(None, size=(10.5, 4.8)).figure
    figure.clear()
    left, right = figure.subplots(1, 2)
    draw_why(asked, left)
    return draw_field(asked.field(), asked.trace.raw, right)
