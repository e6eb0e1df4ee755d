"""Put the sections of a report together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from striate.drawing.html import Markup, element, join, section
from striate.report import evaluation_sections, model_sections, sections
from striate.report.budget import Budget
from striate.report.document import document, origin
from striate.settings.toml import to_toml
from striate.storage import write_atomically

if TYPE_CHECKING:
    from striate.training.run import Run


Progress = Callable[[str], None]


def write_report(run: Run, path: str | Path, progress: Progress | None = None) -> Path:
    """Write the report of a run as one HTML file, atomically; return the path.

    Parameters
    ----------
    run : Run
    path : path
    progress : function of a text, optional
        Told what is being drawn.

    Raises
    ------
    ModelFileError
        If the file cannot be written.
    """
    return write_atomically(path, report(run, progress).encode("utf-8", "backslashreplace"))


def report(run: Run, progress: Progress | None = None) -> str:
    """Return the report of a run: HTML with its pictures inside, without scripts.

    Pictures that need gradients are drawn last, until the report has taken about five seconds; a note says how many
    were left out.
    """
    budget = Budget()
    title = f"{run.model.network.name} on {run.splits.train.name}"
    before = [
        element("h1", title),
        element("p", origin()),
        sections.key_metrics(run),
        sections.learning(run),
        sections.advice(run),
        _results(run),
        sections.filters(run),
    ]
    after = [
        sections.network(run),
        sections.data(run),
        section("Configuration", element("pre", to_toml(run.config, comments=False))),
    ]
    insides = _insides(run, budget, progress or (lambda text: None))
    return document(title, [*before, *insides, *after])


def _insides(run: Run, budget: Budget, progress: Progress) -> list[Markup]:
    """Return the sections that show what the model makes of samples."""
    progress("feature maps")
    found = model_sections.first_trace(run)
    maps = model_sections.feature_maps(found)
    progress("what decided in mistakes")
    budget.begin()
    decided = model_sections.what_decided(run, budget)
    progress("receptive fields")
    fields = Markup() if run.splits.train.symbols else model_sections.receptive_fields(found, budget)
    return [maps, decided, fields]


def _results(run: Run) -> Markup:
    evaluation, data = run.evaluation, sections.evaluated_split(run)
    if evaluation is None or data is None:
        return Markup()
    if evaluation.kind != "classes":
        return (evaluation_sections.regression if evaluation.kind == "numbers" else evaluation_sections.labels)(
            run, evaluation
        )
    maps = evaluation.is_map
    shown = (
        evaluation_sections.class_maps(evaluation, data)
        if maps
        else evaluation_sections.mistakes(evaluation, data, run.model)
    )
    return join([evaluation_sections.classes(run, evaluation), shown])
