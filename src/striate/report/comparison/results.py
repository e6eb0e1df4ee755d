"""The numbers of a comparison: settings that differ, metrics with intervals, and which run is better."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from striate.model import Evaluation
from striate.report.comparison.entries import Entry, aligned
from striate.training.uncertainty import (
    Difference,
    Interval,
    class_intervals,
    compare_scores,
    holm,
    mean_interval,
    sample_scores,
)

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Pair:
    """Two runs on the same samples; ``adjusted`` is the p-value after Holm, for all pairs of the comparison."""

    first: str
    second: str
    samples: int
    difference: Difference
    adjusted: float

    @property
    def better(self) -> str | None:
        """The run that is better; None if the difference is not significant."""
        if self.adjusted >= SIGNIFICANT:
            return None
        return self.first if self.difference.mean.value > 0 else self.second

    @property
    def verdict(self) -> str:
        """One sentence."""
        p_value = f"p = {self.adjusted:.2g}"
        if self.better is None:
            both = f"{self.first} and {self.second}"
            return f"{both} do not differ significantly on {self.samples:,} samples ({p_value})"
        worse = self.second if self.better == self.first else self.first
        return f"{self.better} is better than {worse} on {self.samples:,} samples ({p_value})"


def differing_settings(entries: Sequence[Entry]) -> dict[str, list[Any]]:
    """Return the settings that are not the same in all runs, with the value of each; None where a run has none."""
    settings = [entry.record.settings for entry in entries]
    names = list(dict.fromkeys(name for each in settings for name in each))
    rows = {name: [each.get(name) for each in settings] for name in names}
    return {name: row for name, row in rows.items() if any(value != row[0] for value in row)}


def metrics(evaluation: Evaluation) -> dict[str, Interval]:
    """Return the metrics of an evaluation with their intervals, the most important first."""
    loss = {evaluation.loss_name.replace("_", " "): mean_interval(evaluation.losses)}
    if evaluation.confusion is not None:
        return class_intervals(evaluation.confusion) | loss
    scores = sample_scores(evaluation)[1]
    if evaluation.accuracy is not None:
        return {"accuracy of labels": mean_interval(scores), **loss}
    truth = np.asarray(evaluation.targets, np.float64).reshape(len(scores), -1)
    squares = np.square(evaluation.outputs.reshape(truth.shape) - truth).mean(axis=1)
    return {
        "mean absolute error": mean_interval(-scores),
        "root mean squared error": mean_interval(squares, np.sqrt),
        **loss,
    }


def pairs(entries: Sequence[Entry]) -> list[Pair]:
    """Return how each two runs compare; none if they were not tested on the same samples."""
    places = aligned(entries)
    if places is None:
        return []
    scores = [scores_at(entry, place) for entry, place in zip(entries, places, strict=True)]
    found = [compare_scores(scores[a], scores[b]) for a, b in combinations(range(len(entries)), 2)]
    adjusted = holm([difference.p_value for difference in found])
    names = combinations([entry.name for entry in entries], 2)
    return [
        Pair(first, second, len(places[0]), difference, p_value)
        for (first, second), difference, p_value in zip(names, found, adjusted, strict=True)
    ]


def of_the_best(found: Sequence[Pair]) -> list[Pair]:
    """Return the pairs that hold the run that is better than most others."""
    wins = Counter(pair.better for pair in found if pair.better is not None)
    best = wins.most_common(1)[0][0] if wins else found[0].first
    return [pair for pair in found if best in (pair.first, pair.second)]


def scores_at(entry: Entry, places: np.ndarray) -> np.ndarray:
    """Return the scores of some samples of the data set of a run, float64[M]."""
    assert entry.evaluation is not None
    samples, scores = sample_scores(entry.evaluation)
    return np.asarray(scores[np.searchsorted(samples, places)])


def _metrics(entry: Entry) -> dict[str, Interval]:
    return {} if entry.evaluation is None else metrics(entry.evaluation)


def facts(entries: Sequence[Entry]) -> dict[str, Any]:
    """Return the comparison as JSON types."""
    return {
        "runs": [
            {
                "name": entry.name,
                **entry.record.as_dict(),
                "metrics": {name: found._asdict() for name, found in _metrics(entry).items()},
            }
            for entry in entries
        ],
        "settings": differing_settings(entries),
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "samples": pair.samples,
                "only_first_right": pair.difference.only_first,
                "only_second_right": pair.difference.only_second,
                "difference": pair.difference.mean._asdict(),
                "p_value": pair.difference.p_value,
                "adjusted_p_value": pair.adjusted,
                "better": pair.better,
            }
            for pair in pairs(entries)
        ],
    }
