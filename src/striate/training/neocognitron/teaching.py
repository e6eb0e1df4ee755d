"""Learning with a teacher, in the last stage: planes belong to classes, and a wrong answer adds a plane."""

from __future__ import annotations

import numpy as np

BATCH = 200


class Taught:
    """Templates of the last S-layer with their classes.

    Parameters
    ----------
    size : int
        Numbers of a template.
    threshold : float
        theta while learning: a picture whose own class is less similar than this founds a plane too.

    References
    ----------
    Fukushima (2003), "Neocognitron for handwritten digit recognition", Neurocomputing 51, section 3.3.
    """

    def __init__(self, size: int, threshold: float) -> None:
        self._sums = np.zeros((1024, size), np.float32)
        self._unit = np.zeros((1024, size), np.float32)
        self._labels = np.zeros(1024, np.int64)
        self.count, self.threshold = 0, threshold

    @property
    def templates(self) -> np.ndarray:
        """Unit templates, float32[planes, size]."""
        return self._unit[: self.count]

    @property
    def labels(self) -> np.ndarray:
        """The class of each plane, int64[planes]."""
        return self._labels[: self.count]

    def teach(self, features: np.ndarray, labels: np.ndarray) -> int:
        """Show pictures one after the other; return how many were answered wrongly.

        Parameters
        ----------
        features : float32[N, size]
            What the last C-layer gave, times ``sqrt(c)``.
        """
        unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
        wrong = 0
        for start in range(0, len(unit), BATCH):
            wrong += self._batch(unit[start : start + BATCH], labels[start : start + BATCH])
        return wrong

    def _batch(self, unit: np.ndarray, labels: np.ndarray) -> int:
        """Teach a few pictures: similarities are computed at once, and again for planes that changed."""
        self._make_room(len(unit))
        similar = np.full((len(unit), self.count + len(unit)), -1.0, np.float32)
        similar[:, : self.count] = unit @ self.templates.T
        wrong = 0
        for at, label in enumerate(labels):
            plane = int(similar[at].argmax())
            right = plane < self.count and self._labels[plane] == label
            wrong += not right
            if not right or similar[at, plane] <= self.threshold:
                plane = self.count
                self._labels[plane] = label
                self.count += 1
            self._sums[plane] += unit[at]
            self._unit[plane] = self._sums[plane] / np.linalg.norm(self._sums[plane])
            similar[at + 1 :, plane] = unit[at + 1 :] @ self._unit[plane]
        return wrong

    def _make_room(self, more: int) -> None:
        while self.count + more > len(self._sums):
            self._sums = np.concatenate([self._sums, np.zeros_like(self._sums)])
            self._unit = np.concatenate([self._unit, np.zeros_like(self._unit)])
            self._labels = np.concatenate([self._labels, np.zeros_like(self._labels)])

    def sorted(self) -> tuple[np.ndarray, np.ndarray]:
        """Return templates and labels, class by class."""
        order = np.argsort(self.labels, kind="stable")
        return self.templates[order], self.labels[order]
