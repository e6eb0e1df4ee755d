"""Put the sections of a report together."""

from __future__ import annotations

import platform
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from striate import __version__
from striate.report import model_sections, sections
from striate.report.html import Markup, element, join, section
from striate.storage import write_atomically
from striate.training.run.toml import dumps

if TYPE_CHECKING:
    from striate.training.run import Run


def write_report(run: Run, path: str | Path) -> Path:
    """Write the report of a run as one HTML file, atomically; return the path.

    Parameters
    ----------
    run : Run
    path : path

    Raises
    ------
    ModelFileError
        If the file cannot be written.
    """
    return write_atomically(path, report(run).encode("utf-8", "backslashreplace"))


def report(run: Run) -> str:
    """Return the report of a run: HTML with its pictures inside, without scripts."""
    title = f"{run.model.network.name} on {run.splits.train.name}"
    style = resources.files("striate.report").joinpath("style.css").read_text("utf-8")
    head = element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        element("title", title),
        element("style", Markup(style)),
    )
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    origin = f"striate {__version__}, {now}, {platform.processor() or platform.machine()}, Python"
    body = [
        element("h1", title),
        element("p", f"{origin} {platform.python_version()}"),
        sections.key_figures(run),
        sections.learning(run),
        _figures(run),
        sections.filters(run),
        model_sections.feature_maps(run),
        model_sections.receptive_fields(run),
        model_sections.what_decided(run),
        sections.network(run),
        sections.data(run),
        section("Configuration", element("pre", dumps(run.config.to_dict()))),
    ]
    return "<!DOCTYPE html>\n" + element("html", head, element("body", *body), lang="en")


def _figures(run: Run) -> Markup:
    evaluation, data = run.evaluation, sections.evaluated_part(run)
    if evaluation is None or data is None:
        return Markup()
    if evaluation.kind != "classes":
        return (sections.regression if evaluation.kind == "numbers" else sections.labels)(run, evaluation)
    return join([sections.classes(run, evaluation), sections.mistakes(evaluation, data)])
