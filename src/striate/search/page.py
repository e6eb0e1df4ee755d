"""The result of a search: the winner, the smallest network that is nearly as good, and the report."""

from __future__ import annotations

import os
import statistics
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from striate.drawing.html import Markup, element, number, section, table
from striate.report.document import document, origin
from striate.search.charts import parallel, scatter
from striate.search.search import Search
from striate.search.space import changed
from striate.search.study import optuna
from striate.storage import write_atomically
from striate.training.run.record import read_record
from striate.wording import shell_command

NEARLY = 0.005  # of accuracy: half a point
MOST_LISTED = 20


class Findings:
    """The outcome of a search.

    Parameters
    ----------
    search : Search

    Attributes
    ----------
    ranked : list of trials
        Those that ran to their end; those trained again come first, by the mean over their seeds.
    """

    def __init__(self, search: Search) -> None:
        self.search, self.metric = search, "validation accuracy" if search.maximise else "validation loss"
        done, again = search.study.completed(), search.settings.best
        sign = -1 if search.maximise else 1
        self.ranked = sorted(done[:again], key=lambda t: sign * statistics.fmean(search.scores(t))) + done[again:]

    @property
    def smallest(self) -> Any:
        """The trial with the fewest parameters among those within half a point of the best; None for numbers."""
        if not self.search.maximise:
            return None
        best = max(trial.value for trial in self.ranked)
        near = [trial for trial in self.ranked if trial.value >= best - NEARLY]
        return min(near, key=lambda trial: trial.user_attrs["parameters"])

    def front(self, attribute: str) -> list[Any]:
        """Return the trials than which none is both better and smaller (or faster), the smallest first."""
        found: list[Any] = []
        for trial in sorted(self.ranked, key=lambda t: (t.user_attrs[attribute], -t.value * self._sign)):
            if not found or trial.value * self._sign > found[-1].value * self._sign:
                found.append(trial)
        return found

    @property
    def _sign(self) -> int:
        return 1 if self.search.maximise else -1

    def command(self, name: str = "best") -> str:
        """Return the command that repeats the trial whose configuration `save` wrote."""
        return shell_command("train", "--config", self.search.folder / f"{name}.toml")

    def save(self, trial: Any, name: str = "best") -> None:
        """Write the configuration of a trial."""
        changed(self.search.config, trial.params).save(self.search.folder / f"{name}.toml")

    def test(self, trial: Any) -> list[float]:
        """Return the test accuracy (or loss) of every run with the settings of a trial."""
        places = [self.search.folder_of(trial, seed) for seed in range(self.search.settings.seeds)]
        records = [read_record(place) for place in places if (place / "config.toml").is_file()]
        scores = [record.accuracy if self.search.maximise else record.loss for record in records]
        return [value for value in scores if value is not None]


def write_search_report(found: Findings) -> Path:
    """Write the report and the best configurations of a search; return the page."""
    title = f"Search on {found.search.splits.train.name}"
    body = [
        element("h1", title),
        element("p", origin()),
        _winner(found),
        _again(found),
        _history(found),
        _importance(found),
        section("Settings and results", parallel(*_coordinates(found))),
        _fronts(found),
        _trials(found),
    ]
    path = found.search.folder / "report.html"
    return write_atomically(path, document(title, body).encode("utf-8", "backslashreplace"))


def _winner(found: Findings) -> Markup:
    best, small = found.ranked[0], found.smallest
    found.save(best)
    pieces = [element("p", _said(found, best)), element("pre", found.command())]
    if small is not None and small.number != best.number:
        found.save(small, "smallest")
        pieces += [
            element("p", f"Smallest network within half a point: {_said(found, small)}"),
            element("pre", found.command("smallest")),
        ]
    return section("Best", *pieces)


def _said(found: Findings, trial: Any) -> str:
    scores = f"{found.metric} {number(trial.value)}, {trial.user_attrs['parameters']:,} parameters"
    return f"trial {trial.number}: {scores}, {trial.user_attrs['milliseconds']:.3g} ms for one sample"


def _again(found: Findings) -> Markup:
    """Return the best trials with other seeds."""
    rows = []
    for trial in found.ranked[: found.search.settings.best]:
        scores, tested = found.search.scores(trial), found.test(trial)
        rows.append((f"trial {trial.number}", len(scores), _spread(scores), _spread(tested)))
    test = "test accuracy" if found.search.maximise else "test loss"
    note = "The test split played no part in the choice."
    return section("With other seeds", element("p", note), table(("", "seeds", found.metric, test), rows))


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    deviation = f" ± {statistics.stdev(values):.2g}" if len(values) > 1 else ""
    return f"{number(statistics.fmean(values))}{deviation}"


def _history(found: Findings) -> Markup:
    points, best, front = {}, None, []
    for trial in sorted(found.ranked, key=lambda trial: trial.number):
        name = f"trial {trial.number}"
        points[name] = (float(trial.number), float(trial.value))
        if best is None or trial.value * found._sign > best:
            best = trial.value * found._sign
            front.append(name)
    return section("History", scatter(found.metric, "trial", points, front))


def _importance(found: Findings) -> Markup:
    """Return how much each setting matters, where there are enough trials."""
    importance = optuna().importance
    with warnings.catch_warnings(action="ignore"):
        try:
            method = importance.PedAnovaImportanceEvaluator()
            shares = importance.get_param_importances(found.search.study.study, evaluator=method)
        except (ValueError, RuntimeError, ZeroDivisionError):
            shares = {}
    if not any(shares.values()):
        return section("Importance", element("p", "Too few different trials for an estimate."))
    rows = [
        (name, element("div", class_="share", style=f"width: {200 * share:.0f}px"), f"{share:.0%}")
        for name, share in shares.items()
    ]
    note = "How much each setting decides whether a trial is in the best 10 % (PED-ANOVA; Watanabe et al., 2023)."
    return section("Importance", element("p", note), table(("setting", "", "share"), rows))


def _coordinates(found: Findings) -> tuple[list[tuple[dict[str, Any], float]], list[str], str]:
    rows = [(dict(trial.params), float(trial.value)) for trial in found.ranked]
    return rows, [known.name for known in found.search.ranges if known.log], found.metric


def _fronts(found: Findings) -> Markup:
    """Return the metric against size and speed, with the Pareto fronts."""
    charts = []
    for attribute, title in (("parameters", "parameters"), ("milliseconds", "milliseconds for one sample")):
        points = {f"trial {t.number}": (float(t.user_attrs[attribute]), float(t.value)) for t in found.ranked}
        front = [f"trial {trial.number}" for trial in found.front(attribute)]
        charts.append(scatter(found.metric, title, points, front, log=True))
    note = "On the line: no other trial is both better and smaller, or faster."
    return section("Size and speed", element("p", note), element("div", *charts, class_="gallery"))


def _trials(found: Findings) -> Markup:
    """Return the best trials with their settings, and the number of the others."""
    names = list(dict.fromkeys(name for trial in found.ranked for name in trial.params))
    rows = []
    for trial in found.ranked[:MOST_LISTED]:
        place = Path(os.path.relpath(found.search.folder_of(trial), found.search.folder)).as_posix()
        attributes = trial.user_attrs
        size, taken = attributes["parameters"], attributes["milliseconds"]
        rows.append((place, trial.value, size, taken, *(trial.params.get(name) for name in names)))
    trials = found.search.study.trials()
    misfit = sum("misfit" in trial.user_attrs for trial in trials)
    pruned = sum(trial.state.name == "PRUNED" for trial in trials) - misfit
    counts = f"{len(found.ranked)} trials ran to their end, {pruned} were stopped early"
    note = f"{counts}, {misfit} did not fit the limits."
    head = ("run", found.metric, "parameters", "milliseconds", *names)
    return section("Trials", element("p", note), table(head, rows))
