"""A self-contained page that explains a model's prediction for one sample."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

from striate.drawing.axes import as_image
from striate.errors import UsageError
from striate.explain.attribution import attribute_all
from striate.explain.attribution.scores import usual_baseline
from striate.explain.board import layer_text
from striate.explain.class_maps import with_mean_scores
from striate.explain.diagram import draw_network
from striate.explain.positions import axis_names
from striate.explain.samples import class_number, feature_names
from striate.explain.tracing import Trace, trace
from striate.explain.words import words_of
from striate.losses import LABELS, NUMBERS
from striate.model import Model
from striate.network import Step
from striate.pages.packing import pack
from striate.receptive_field import AxisField, receptive_fields, seen_text
from striate.report.explanation.rules import Rules
from striate.web.bundle import bundle

MOST_WIDE = 150_000
"""Values of a network up to which the page holds them in float64."""


def explain_page(
    model: Model,
    sample: Any,
    *,
    target: int | str | None = None,
    name: str = "sample",
    methods: Sequence[str] | None = None,
) -> str:
    """Return the page as HTML text: layers with feature maps, class scores, attribution maps.

    Pointing at a cell of a feature map shows its window, kernel and sum, computed in the page from the
    numbers that it holds. Nothing is fetched: data, style and script are inside.

    Parameters
    ----------
    model : Model
    sample : array or path
        One raw sample, see ``trace``.
    target : int or str, optional
        The class that the attribution maps ask about; the one that the model chooses by default.
    name : str
        What the page calls the sample.
    methods : sequence of str, optional
        Of attribution; all that fit the model by default.

    Raises
    ------
    UsageError
        If the sample, the class or a method does not fit the model, or its outputs are not finite.
    """
    return page_of(trace(with_mean_scores(model), sample), target=target, name=name, methods=methods)


def page_of(
    found: Trace, *, target: int | str | None = None, name: str = "sample", methods: Sequence[str] | None = None
) -> str:
    """Return the page of a trace; the arguments are those of ``explain_page``.

    Raises
    ------
    UsageError
        If the class or a method does not fit the model, or its outputs are not finite.
    """
    model = found.model
    if not np.isfinite(found.output).all():
        raise UsageError(
            f"{model.network.name}: outputs must be finite to be explained; got {found.output.flat[0]} for {name}. "
            "Train it again with a smaller learning rate."
        )
    data = page_data(found, target=target, name=name, methods=methods)
    text = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("</", "<\\/")
    parts = {"title": html.escape(f"{model.network.name}: {name}"), "data": text}
    parts |= {"network": str(as_image(draw_network(found.network), "the network"))}
    parts |= {"style": _resource("page.css"), "script": bundle("explanation.js")}
    page = _resource("page.html")
    for key in ("title", "style", "network", "data", "script"):  # in the order of the page
        before, _, after = page.partition(f"@@{key}@@")
        page = before + parts[key] + after
    return page


def page_data(
    found: Trace, *, target: int | str | None = None, name: str = "sample", methods: Sequence[str] | None = None
) -> dict[str, Any]:
    """Return the data of the page, as JSON types."""
    model = found.model
    chosen = class_number(model, target, found.scores)
    rules, fields = Rules(found), receptive_fields(found.network)
    wide = sum(found[layer].size for layer in found) <= MOST_WIDE
    meaning = model.interpret(found.output[np.newaxis])
    shares = [] if meaning.kind == NUMBERS else meaning.probabilities[0].ravel().tolist()
    return {
        "network": found.network.name,
        "sample": name,
        "classes": list(model.output_names),
        "classifier": bool(shares),
        "noun": "label" if meaning.kind == LABELS else "class",
        "scores": (meaning.values[0].ravel() if meaning.kind == NUMBERS else found.scores).tolist(),
        "probabilities": shares,
        "target": chosen,
        "shown": chosen if not shares or len(shares) == len(found.scores) else int(np.argmax(shares)),
        "layers": [_layer(found, step, rules, fields[step.name], wide) for step in found.network.steps],
        "scored": list(found.scored),
        "features": list(feature_names(model)),
        "words": words_of(model, found.raw),
        "attributions": _attributions(found, chosen, methods),
    }


def _layer(found: Trace, step: Step, rules: Rules, field: tuple[AxisField, ...], wide: bool) -> dict[str, Any]:
    return {
        "name": step.name,
        "layer": "the network's input" if not step.inputs else layer_text(step),
        "inputs": list(step.inputs),
        "shape": list(step.shape),
        "axes": list(axis_names(step.shape)),
        "parameters": sum(slot.spec.size for slot in step.parameters),
        "field": seen_text(field, found.network.input_shape) if step.inputs else "",
        "values": pack(found[step.name], "f8" if wide else "f4"),
        **rules.of(step),
    }


def _attributions(found: Trace, target: int, methods: Sequence[str] | None) -> list[dict[str, Any]]:
    rank = len(found.network.input_shape) - 1
    units = found.model.output_units
    scale = 1.0 if units is None else float(units[0][target])
    start = "the mean of the training data" if usual_baseline(found.model).any() else "a blank sample"
    maps = []
    for attribution in attribute_all(found.model, found.raw, target, methods).values():
        values = attribution.map(rank) * scale
        maps.append(
            {
                "method": attribution.method,
                "shape": list(values.shape),
                "values": pack(values),
                "sum": float(np.sum(values)),
                "start": start,
                "rise": (attribution.score - attribution.baseline_score) * scale,
            }
        )
    return maps


def _resource(name: str) -> str:
    return resources.files("striate.report.explanation").joinpath(name).read_text(encoding="utf-8")
