"""What a model makes of a sample, as parts of the report of a run: maps, receptive fields, what decided."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.data.dataset import Dataset
from striate.drawing.pictures import as_colours
from striate.explain.attribution import attribute
from striate.explain.attribution.regions import maps
from striate.explain.features.maps import map_pictures
from striate.explain.tracing import Trace, trace
from striate.report.html import Markup, element, empty_element, join, section
from striate.report.images import picture
from striate.report.sections import evaluated_part
from striate.summary import summarize
from striate.training.run import Run

MOST_LAYERS, MOST_MAPS, MOST_MISTAKES = 12, 16, 6
SMALL_NETWORK = 50_000_000  # multiply-adds up to which the way from the baseline is integrated
SIDE = 84  # pixels of a picture on the page


def feature_maps(run: Run) -> Markup:
    """The feature maps of the first evaluated sample, layer by layer."""
    found = _first_trace(run)
    if found is None:
        return Markup()
    rows = []
    for name in maps(found.network)[:MOST_LAYERS]:
        pictures = map_pictures(found[name])
        low, high = float(found[name].min()), float(found[name].max())
        images = [picture(one[None], low, high, SIDE, f"{name}, map {c}") for c, one in _some(pictures)]
        more = f", the first {MOST_MAPS} of {len(pictures)}" if len(pictures) > MOST_MAPS else ""
        heading = element("h3", f"{name}: {low:.3g} (black) to {high:.3g} (white){more}")
        rows.append(join([heading, element("div", *images, class_="gallery")]))
    sample = element("div", _sample(found), class_="gallery")
    return section("Feature maps of a sample", sample, *rows) if rows else Markup()


def receptive_fields(run: Run) -> Markup:
    """What the strongest value of each layer with maps sees of this sample."""
    found = _first_trace(run)
    if found is None:
        return Markup()
    figures = []
    for name in maps(found.network)[:MOST_LAYERS]:
        values = np.abs(found[name])
        field = found.field(name, tuple(int(i) for i in np.unravel_index(values.argmax(), values.shape)))
        size = " x ".join(str(axis.size) for axis in field.axes)
        said = [element("b", name), f" sees {size};", empty_element("br")]
        said.append(f"{field.effective_size()} positions carry 95 % of its gradient")
        caption = element("figcaption", *said)
        figures.append(element("figure", _grey(_flat(field.weight), f"{name}: {field.place}"), caption))
    note = (
        "For the value of largest size in each layer: how much of its gradient each input position carries "
        "(white is most)."
    )
    return section("Receptive fields", element("p", note), element("div", *figures, class_="gallery"))


def what_decided(run: Run) -> Markup:
    """What spoke for the class chosen, and for the true one, in the most confident mistakes."""
    evaluation, data = run.evaluation, evaluated_part(run)
    if evaluation is None or evaluation.confusion is None or data is None:
        return Markup()
    worst = evaluation.mistakes()[:MOST_MISTAKES].tolist()
    if not worst:
        return Markup()
    small = summarize(run.model.network).multiply_adds <= SMALL_NETWORK
    method = "integrated-gradients" if small else "gradient-x-input"
    rows = [_decided(run, data, index, int(evaluation.outputs[index].argmax()), method) for index in worst]
    note = f"By {method.replace('-', ' ')}: red speaks for the class, blue against it."
    return section("What decided in confident mistakes", element("p", note), *rows)


def _decided(run: Run, data: Dataset, index: int, chosen: int, method: str) -> Markup:
    sample, true = data.inputs[index], int(data.targets[index])
    rank = len(run.model.input_shape) - 1
    figures = [_captioned(_sample_picture(data, sample), "sample", index)]
    targets: dict[str, int] = {"chosen": chosen, "true": true}
    for word, target in targets.items():
        found = attribute(run.model, sample, method, target)
        image = _coloured(found.map(rank), f"for {found.class_name}")
        figures.append(_captioned(image, word, found.class_name))
    return element("div", *figures, class_="gallery")


def _captioned(image: Markup, word: str, what: Any) -> Markup:
    return element("figure", image, element("figcaption", f"{word} ", element("b", what)))


def _first_trace(run: Run) -> Trace | None:
    """Return the trace of the first evaluated (or learnt) sample of a network with maps."""
    data = evaluated_part(run) or run.splits.train
    return trace(run.model, data.inputs[0]) if maps(run.model.network) else None


def _some(pictures: list[np.ndarray]) -> list[tuple[int, np.ndarray]]:
    return list(enumerate(pictures[:MOST_MAPS]))


def _sample(found: Trace) -> Markup:
    return picture(found.raw, float(found.raw.min()), float(found.raw.max()), SIDE, "the sample")


def _sample_picture(data: Dataset, sample: np.ndarray) -> Markup:
    whole = data.inputs.dtype == np.uint8
    low, high = (0.0, 255.0) if whole else (float(sample.min()), float(sample.max()))
    return picture(sample, low, high, SIDE, "the sample")


def _flat(values: np.ndarray) -> np.ndarray:
    """Return a map of the input's space as [rows, columns]: of a volume the middle slice."""
    return values[len(values) // 2] if values.ndim == 3 else np.atleast_2d(values)


def _grey(values: np.ndarray, title: str) -> Markup:
    return picture(_tall(values)[None], 0.0, float(values.max()), SIDE, title)


def _coloured(values: np.ndarray, title: str) -> Markup:
    return picture(np.moveaxis(as_colours(_tall(_flat(values))), 2, 0), 0.0, 1.0, SIDE, title)


def _tall(values: np.ndarray) -> np.ndarray:
    """Return a single row, which nobody could see, as a band."""
    return np.repeat(values, 24, axis=0) if len(values) == 1 else values
