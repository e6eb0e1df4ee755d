"""Put a comparison of runs together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from striate.drawing.html import element
from striate.report.comparison import sections
from striate.report.comparison.disagreement import disagreements
from striate.report.comparison.entries import Entry, load_entries
from striate.report.comparison.results import pairs
from striate.report.document import document, origin
from striate.storage import write_atomically


def write_comparison(
    runs: Sequence[str | Path] | Sequence[Entry], path: str | Path, *, tested: bool = True, title: str | None = None
) -> Path:
    """Write a comparison of runs as one HTML file, atomically; return the path.

    It shows the settings that differ, the learning curves over each other, metrics with confidence intervals, which
    run is better, and the samples on which the runs disagree.

    Parameters
    ----------
    runs : sequence of paths, or of Entry
        Folders of runs that have ended, or what `load_entries` returned.
    path : path
    tested : bool
        Test the models again, which needs their data; otherwise only what the folders say is compared.
    title : str, optional
        Of the page.

    Raises
    ------
    UsageError
        If fewer than two runs are given, or one has no model yet.
    DataError
        If the data of a run cannot be read, or are not those it was trained on.
    """
    path = Path(path)
    found = [run for run in runs if isinstance(run, Entry)] or load_entries(
        [run for run in runs if not isinstance(run, Entry)], tested=tested
    )
    return write_atomically(path, comparison(found, path, title).encode("utf-8", "backslashreplace"))


def comparison(entries: Sequence[Entry], path: Path, title: str | None = None) -> str:
    """Return the comparison as HTML whose links are relative to ``path``."""
    title = title or f"Comparison of {len(entries)} runs"
    body = [
        element("h1", title),
        element("p", origin()),
        sections.overview(entries, path),
        sections.settings(entries),
        sections.learning(entries),
        sections.tested(entries),
    ]
    if all(entry.evaluation is not None for entry in entries):
        body += [sections.comparison(pairs(entries)), disagreements(entries)]
    return document(title, body)
