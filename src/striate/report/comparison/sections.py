"""The sections of a comparison; each returns HTML, empty where there is nothing to show."""

from __future__ import annotations

import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from striate.drawing.html import Markup, element, join, number, section, table
from striate.drawing.intervals import intervals
from striate.drawing.svg import COLOURS, curves
from striate.report.comparison.entries import Entry
from striate.report.comparison.results import Pair, differing_settings, metrics
from striate.training.run.folder import RunFolder
from striate.training.uncertainty import Interval
from striate.wording import duration, percent

CURVES = {
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
    "loss": "training loss",
    "accuracy": "training accuracy",
}

NO_TEST = "The runs were not all tested on the same samples, so no test applies."


def overview(entries: Sequence[Entry], page: Path) -> Markup:
    """The runs, with links to their reports."""
    header = ("run", "data", "model", "parameters", "epochs", "time", "seed", "state")
    rows = []
    for place, entry in enumerate(entries):
        record, report = entry.record, RunFolder(entry.record.folder).report
        name = named(entry.name, place)
        if report.is_file():
            name = element("a", name, href=Path(os.path.relpath(report, page.parent)).as_posix())
        cells = (record.data, record.model, record.parameters, record.epochs, duration(record.seconds))
        rows.append((name, *cells, record.seed, record.state))
    return section("Runs", table(header, rows))


def settings(entries: Sequence[Entry]) -> Markup:
    """The settings that are not the same in all runs."""
    found = differing_settings(entries)
    if not found:
        return section("Settings that differ", element("p", "All settings are the same."))
    header = ("setting", *(named(entry.name, place) for place, entry in enumerate(entries)))
    rows = [(name, *map(shown, values)) for name, values in found.items()]
    return section("Settings that differ", table(header, rows))


def learning(entries: Sequence[Entry]) -> Markup:
    """The curves of all runs over each other, by epochs and by time."""
    charts = [curves(title, "epoch", _series(entries, key, "epoch"), named=False) for key, title in CURVES.items()]
    key = "val_accuracy" if any(chart for chart in charts[1:2]) else "val_loss"
    timed = curves(f"{CURVES[key]} over time", "seconds", _series(entries, key, "seconds"), named=False)
    drawn = [chart for chart in (*charts, timed) if chart]
    return section("Learning", legend(entries), element("div", *drawn, class_="gallery")) if drawn else Markup()


def tested(entries: Sequence[Entry]) -> Markup:
    """Metrics on the held-out samples with their intervals."""
    found = [metrics(entry.evaluation) for entry in entries if entry.evaluation is not None]
    if len(found) < len(entries):
        return _recorded(entries)
    names = [name for name in found[0] if all(name in other for other in found)]
    rows = [
        (named(entry.name, place), *(bounds(row[name], name) for name in names))
        for place, (entry, row) in enumerate(zip(entries, found, strict=True))
    ]
    note = "In brackets: 95 % confidence intervals, Wilson's for the accuracy, by bootstrap for the others."
    pieces = [element("p", note), table(("run", *names), rows)]
    if names:
        by_run = {entry.name: row[names[0]] for entry, row in zip(entries, found, strict=True)}
        pieces.append(intervals(names[0], by_run))
    return section("Metrics", *pieces)


def _recorded(entries: Sequence[Entry]) -> Markup:
    """The runs' own metrics with mean and standard deviation, for the folds of a cross-validation."""
    names = [n for n in ("accuracy", "r2", "loss") if all(getattr(e.record, n) is not None for e in entries)]
    rows: list[tuple[Any, ...]] = [
        (named(entry.name, place), *(getattr(entry.record, name) for name in names))
        for place, entry in enumerate(entries)
    ]
    for title, statistic in (("mean", statistics.fmean), ("standard deviation", statistics.stdev)):
        rows.append((element("b", title), *(statistic([getattr(e.record, n) for e in entries]) for n in names)))
    return section("Metrics", table(("run", *(name.replace("r2", "R2") for name in names)), rows))


def comparison(found: Sequence[Pair]) -> Markup:
    """Pairwise comparisons of the runs."""
    title = "Which is better"
    if not found:
        return section(title, element("p", NO_TEST))
    header = (
        "first",
        "second",
        "only first right",
        "only second right",
        "difference",
        "p",
        "adjusted p",
        "better",
    )
    rows = [
        (
            pair.first,
            pair.second,
            pair.difference.only_first,
            pair.difference.only_second,
            bounds(pair.difference.mean, ""),
            pair.difference.p_value,
            pair.adjusted,
            pair.better or "not significant",
        )
        for pair in found
    ]
    note = (
        f"On the same {found[0].samples:,} samples. Difference: mean score of the first minus that of the second, "
        "where the score of a sample is 1 if it is right and 0 if not, or minus its absolute error. p: McNemar's "
        "exact test, or the bootstrap for other scores; adjusted for the number of pairs by Holm's method."
    )
    return section(title, element("p", note), table(header, rows))


def legend(entries: Sequence[Entry]) -> Markup:
    """The colour of each run."""
    return element("p", join([join([named(entry.name, place), " "]) for place, entry in enumerate(entries)]))


def named(name: str, place: int) -> Markup:
    """Return the name of a run with its colour before it."""
    style = f"color: {COLOURS[place % len(COLOURS)]}"
    return element("span", element("span", "● ", style=style), name, class_="run")


def _series(entries: Sequence[Entry], key: str, across: str) -> dict[str, list[tuple[float, float]]]:
    found = {}
    for entry in entries:
        time, points = 0.0, []
        for epoch in entry.epochs:
            time += float(epoch.get("seconds") or 0.0)
            if isinstance(epoch.get(key), int | float):
                points.append((time if across == "seconds" else float(epoch["epoch"]), float(epoch[key])))
        found[entry.name] = points
    return found


def bounds(found: Interval, name: str) -> str:
    """Return a metric and its interval as text; accuracies in per cent."""
    if "accuracy" in name:
        return f"{percent(found.value)} ({100 * found.low:.2f} to {100 * found.high:.2f})"
    return f"{number(found.value)} ({number(found.low)} to {number(found.high)})"


def shown(value: Any) -> str:
    """Return the value of a setting as text."""
    if value is None:
        return "–"
    if isinstance(value, Mapping):
        return ":".join(map(str, value.values()))
    return " ".join(map(shown, value)) or "none" if isinstance(value, list) else str(value)
