"""The sections of a report; each returns HTML, empty where a run has nothing to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from striate.drawing.axes import as_image
from striate.drawing.html import Markup, element, join, section, table
from striate.drawing.images import picture
from striate.drawing.svg import curves
from striate.explain.diagram import draw_network
from striate.losses import NUMBERS
from striate.report.advice import advise
from striate.report.filters import first_filters
from striate.summary import format_bytes, summarize
from striate.training.metrics import regression_metrics

if TYPE_CHECKING:
    from striate.data.dataset import Dataset
    from striate.training.run import Run


VERDICTS = {
    "overfits": "The network overfits",
    "neglects": "The network neglects a rare class",
    "underfits": "The network underfits",
    "fits": "No sign of over- or underfitting",
}
MOST_CLASSES = 60


def key_metrics(run: Run) -> Markup:
    """The most important numbers."""
    records, evaluation = run.history.records, run.evaluation
    speeds = [record.samples_per_second for record in records]
    metrics: dict[str, Any] = {}
    if evaluation is not None:
        if evaluation.kind == NUMBERS:
            metrics[f"{run.split} R2"] = f"{regression_metrics(evaluation).r2:.4f}"
        if evaluation.accuracy is not None:
            metrics[f"{run.split} accuracy"] = f"{evaluation.accuracy:.2%}"
        if evaluation.is_map:
            metrics[f"{run.split} mean IoU"] = f"{evaluation.by_class.mean_iou:.4f}"
        metrics[f"{run.split} loss"] = f"{evaluation.loss:.4g}"
    metrics["epochs"] = len(records)
    metrics["parameters"] = f"{run.model.network.parameter_count:,}"
    if speeds:
        metrics["samples per second"] = f"{np.median(speeds):,.0f}"
        metrics["seconds"] = f"{sum(record.seconds for record in records):,.1f}"
    boxes = [element("div", element("b", value), name) for name, value in metrics.items()]
    reason = run.history.stop_reason
    ending = element("p", f"Ended early: {reason}.") if reason else ""
    return join([element("div", *boxes, class_="figures"), ending])


def learning(run: Run) -> Markup:
    """Loss, accuracy and learning rate over the epochs."""
    history = run.history

    def series(**names: str) -> dict[str, list[tuple[float, float]]]:
        found = {}
        for key, label in names.items():
            rows = zip(history["epoch"], history[key], strict=True)
            found[label] = [(float(x), float(y)) for x, y in rows if y is not None]
        return found

    charts = [
        curves("loss", "epoch", series(loss="training", val_loss="validation")),
        curves("accuracy", "epoch", series(accuracy="training", val_accuracy="validation")),
        curves("learning rate", "epoch", series(learning_rate="at the end of the epoch"), least=0.0),
    ]
    return section("Learning", element("div", *charts, class_="gallery"))


def advice(run: Run) -> Markup:
    """Whether the network under- or overfits, and what to try next."""
    found = advise(run)
    if found is None:
        return Markup()
    items = [
        element("li", f"{tried.reason[0].upper()}{tried.reason[1:]}:", element("pre", tried.command))
        for tried in found.suggestions
    ]
    said = element("p", element("b", VERDICTS[found.verdict]), f": {found.because}.")
    return section("What to try next", said, element("ul", *items))


def filters(run: Run) -> Markup:
    """The filters of the first layer."""
    name, found = first_filters(run.model)
    if not found:
        return Markup()
    images = []
    for place, weight in enumerate(found):
        bound = float(np.abs(weight).max()) or 1.0
        planes = [weight] if len(weight) in (1, 3) else [weight[c : c + 1] for c in range(min(len(weight), 4))]
        images += [picture(plane, -bound, bound, 56, f"{name}, filter {place}") for plane in planes]
    grey = "Grey is zero, white positive, black negative; each" if found[0].ndim > 2 else "Each"
    note = element("p", f"{grey} scaled by its largest weight.")
    return section(f"Filters of {name}", note, element("div", *images, class_="gallery"))


def network(run: Run) -> Markup:
    """The network drawn, and its layers with their sizes and costs."""
    found = summarize(run.model.network)
    header = ("layer", "type", "output", "parameters", "multiply-adds", "receptive field")
    rows: list[tuple[Any, ...]] = [
        (
            row.layer,
            row.type,
            " x ".join(map(str, row.output_shape)),
            row.parameters,
            row.multiply_adds,
            " x ".join(map(str, row.receptive_field)),
        )
        for row in found.rows
    ]
    total = ("total", "", "", found.parameters, found.multiply_adds, "")
    size = f"{format_bytes(found.parameter_bytes)} of parameters, {format_bytes(found.activation_bytes)} of values."
    drawn = as_image(draw_network(run.model), "the network")
    return section("Network", drawn, table(header, [*rows, total]), element("p", size))


def data(run: Run) -> Markup:
    """The training data, and the files that were left out."""
    splits = run.splits
    named = {"training": splits.train, "validation": splits.validation, "test": splits.test}
    header = ("split", "samples", *splits.train.classes[:MOST_CLASSES])
    rows = []
    for name, split in named.items():
        if split is not None:
            rows.append((name, len(split), *_counts(split)[:MOST_CLASSES]))
    pieces = [table(header, rows)]
    if splits.notes:
        pieces.append(element("ul", *(element("li", note) for note in splits.notes)))
    if splits.bad_files:
        pieces.append(element("h3", f"{len(splits.bad_files):,} files left out"))
        pieces.append(table(("file", "reason"), splits.bad_files))
    return section("Data", *pieces)


def _counts(split: Dataset) -> list[int]:
    """Return how many samples, or positions, each class has; or how often each label is on."""
    if not split.classes:
        return []
    if split.targets.dtype.kind == "f":
        return [int(count) for count in split.targets.sum(axis=0)]
    return [int(count) for count in np.bincount(split.targets.ravel(), minlength=len(split.classes))]


def evaluated_split(run: Run) -> Dataset | None:
    """Return the split of the data that was evaluated."""
    return run.splits.test if run.split == "test" else run.splits.validation
