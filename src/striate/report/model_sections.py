"""Sections of a run's report about samples: feature maps, receptive fields, attribution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.dataset import Dataset
from striate.drawing.html import Markup, element, empty_element, join, section
from striate.drawing.images import coloured, limits, picture
from striate.drawing.words import words_markup
from striate.explain.attribution import Attribution, attribute
from striate.explain.attribution.regions import maps
from striate.explain.features.maps import map_pictures
from striate.explain.tracing import Trace, trace
from striate.explain.words import words_of
from striate.losses import is_labelled
from striate.receptive_field import seen_text
from striate.report.budget import Budget
from striate.report.sections import evaluated_split
from striate.summary import summarize

if TYPE_CHECKING:
    from striate.training.run import Run

MOST_LAYERS, MOST_MAPS, MOST_MISTAKES = 12, 16, 6
MOST_TRACED = 3_000_000_000  # multiply-adds of a network up to which the reference computes every value in time
SIDE = 84  # pixels of a picture on the page


def first_trace(run: Run) -> Trace | None:
    """Return the trace of the first evaluated (or trained) sample, if the network has maps and is not too large."""
    if not maps(run.model.network) or summarize(run.model.network).multiply_adds > MOST_TRACED:
        return None
    data = evaluated_split(run) or run.splits.train
    return trace(run.model, data.inputs[0])


def feature_maps(found: Trace | None) -> Markup:
    """The feature maps of a sample, layer by layer."""
    if found is None:
        return Markup()
    rows = []
    for name in maps(found.network)[:MOST_LAYERS]:
        values = found[name]
        low, high = float(values.min()), float(values.max())
        shown = _channels(values)
        images = [picture(one, low, high, SIDE, f"{name}, map {c}") for c, one in enumerate(shown[:MOST_MAPS])]
        more = f", the first {MOST_MAPS} of {len(shown)}" if len(shown) > MOST_MAPS else ""
        scale = f"{low:.3g} to {high:.3g}" if values.ndim == 2 else f"{low:.3g} (black) to {high:.3g} (white)"
        heading = element("h3", f"{name}: {scale}{more}")
        rows.append(join([heading, element("div", *images, class_="gallery")]))
    raw, text = found.raw, words_of(found.model, found.raw)
    sample = words_markup(text) if text else picture(raw, float(raw.min()), float(raw.max()), SIDE, "the sample")
    return section("Feature maps of a sample", element("div", sample, class_="gallery"), *rows)


def _channels(values: np.ndarray) -> list[np.ndarray]:
    """Return every channel of a map as something to draw: [1, length] of a series, [1, rows, columns] otherwise."""
    return [one[None] for one in (values if values.ndim == 2 else map_pictures(values))]


def receptive_fields(found: Trace | None, budget: Budget) -> Markup:
    """The part of the sample that the strongest value of each layer with maps sees."""
    if found is None:
        return Markup()
    figures, wanted = [], maps(found.network)[:MOST_LAYERS]
    for name in wanted:
        if budget.is_over():
            break
        figures.append(_field(found, name))
    note = "How much of the gradient of each layer's largest value each input position carries; white is most. "
    note += budget.note(len(figures), len(wanted))
    return section("Receptive fields", element("p", note), element("div", *figures, class_="gallery"))


def _field(found: Trace, name: str) -> Markup:
    values = np.abs(found[name])
    field = found.field(name, tuple(int(i) for i in np.unravel_index(values.argmax(), values.shape)))
    size = seen_text(field.axes, found.network.input_shape) or "the sample"
    carried = f"{field.effective_size()} positions carry 95 % of its gradient"
    image = picture(field.weight[None], 0.0, float(field.weight.max()), SIDE, f"{name}: {field.place}")
    said = [element("b", name), f" sees {size};", empty_element("br"), carried]
    return element("figure", image, element("figcaption", *said))


def what_decided(run: Run, budget: Budget) -> Markup:
    """What counted for the predicted class, and for the true one, in the most confident mistakes."""
    evaluation, data = run.evaluation, evaluated_split(run)
    if evaluation is None or evaluation.confusion is None or data is None:
        return Markup()
    worst = evaluation.mistakes()[:MOST_MISTAKES].tolist() if is_labelled(data.targets) else []
    rows: list[Markup] = []
    for row in worst:
        if budget.is_over():
            break
        chosen = int(evaluation.outputs[row].argmax())
        rows.append(_decided(run, data, int(evaluation.samples[row]), chosen, budget))
    if not worst:
        return Markup()
    note = "By integrated gradients: red speaks for the class, blue against it. " + budget.note(
        len(rows), len(worst)
    )
    return section("What decided in confident mistakes", element("p", note), *rows)


def _decided(run: Run, data: Dataset, index: int, chosen: int, budget: Budget) -> Markup:
    sample, true = data.inputs[index], int(data.targets[index])
    figures = [_captioned(picture(sample, *limits(data.inputs), SIDE, "the sample"), "sample", index)]
    targets: dict[str, int] = {"chosen": chosen, "true": true}
    text = words_of(run.model, sample)
    if text:
        figures = []
    for word, target in targets.items():
        if word == "true" and budget.is_over():
            break
        found = attribute(run.model, sample, "integrated-gradients", target, tolerance=0.02)
        drawn = words_markup(text, found.map(1)) if text else attribution_picture(found, sample)
        figures.append(_captioned(drawn, word, found.class_name))
    return element("div", *figures, class_="gallery")


def attribution_picture(found: Attribution, sample: np.ndarray, side: int = SIDE) -> Markup:
    """Return an attribution: of pictures in red and blue, of a series as bands behind its curve."""
    return coloured(found.map(sample.ndim - 1), sample, side, f"for {found.class_name}")


def _captioned(image: Markup, word: str, what: Any) -> Markup:
    return element("figure", image, element("figcaption", f"{word} ", element("b", what)))
