"""Attribution by gradients: which pixels would change the score, and which made it."""

from __future__ import annotations

import numpy as np

from striate.explain.attribution.scores import Score
from striate.layers.arguments import integer, real

MOST_STEPS = 2048


def gradient(score: Score) -> np.ndarray:
    """Return ``d score / d x``, float64[*input_shape].

    References
    ----------
    Simonyan, Vedaldi and Zisserman (2014), "Deep inside convolutional networks", section 3.
    """
    return np.asarray(score.gradients(score.run(score.raw[None]))[0])


def gradient_times_input(score: Score) -> np.ndarray:
    """Return ``(x - baseline) * d score / d x``, float64[*input_shape].

    References
    ----------
    Shrikumar, Greenside and Kundaje (2017), "Learning important features through propagating activation
    differences", section 2.
    """
    return (score.raw - score.baseline) * gradient(score)


def smooth_grad(score: Score, *, samples: int = 24, noise: float = 0.15, seed: int = 0) -> np.ndarray:
    """Return the mean gradient over noisy copies of the picture, float64[*input_shape].

    Parameters
    ----------
    score : Score
    samples : int
    noise : float
        Standard deviation of the noise as a share of the range of the picture's values.
    seed : int

    References
    ----------
    Smilkov, Thorat, Kim, Viegas and Wattenberg (2017), "SmoothGrad: removing noise by adding noise".
    """
    samples, noise = integer(samples, "samples"), real(noise, "noise", above=0, closed=True)
    spread = noise * float(np.ptp(score.raw))
    drawn = np.random.default_rng(seed).normal(0.0, 1.0, (samples, *score.raw.shape))
    return np.asarray(score.gradients(score.run(score.raw + spread * drawn)).mean(axis=0))


def integrated_gradients(score: Score, *, steps: int = 24, tolerance: float = 1e-3) -> np.ndarray:
    """Return ``(x - baseline) * integral of d score / d x`` from the baseline to x, float64[*input_shape].

    The integral is a sum over pieces of the way, each with the gradient at its middle. Since the scores at
    the ends of a piece say what its attributions must add up to, the pieces that miss it most are halved
    until the sum over all pixels is the difference of the scores to within ``tolerance`` of it (or of a
    twentieth of the sum of all absolute attributions, where the difference happens to be smaller).

    Parameters
    ----------
    score : Score
    steps : int
        Pieces to begin with.
    tolerance : float

    References
    ----------
    Sundararajan, Taly and Yan (2017), "Axiomatic attribution for deep networks", sections 3 and 5.
    """
    steps, tolerance = integer(steps, "steps"), real(tolerance, "tolerance", above=0)
    way, edges = score.raw - score.baseline, np.linspace(0.0, 1.0, steps + 1)
    ends = score.scores(score.baseline + _along(np.array([0.0, 1.0]), way))
    wanted = float(ends[1] - ends[0])
    starts, lengths = edges[:-1], np.diff(edges)
    pieces, used = _Pieces(score, way), 0
    while True:
        pieces.add(starts, lengths)
        used += len(starts)
        found = pieces.attribution
        allowed = tolerance * max(abs(wanted), 0.05 * float(np.abs(found).sum()))
        if abs(float(found.sum()) - wanted) <= 0.9 * allowed or used >= MOST_STEPS:
            return found
        starts, lengths = pieces.halve_worst()


class _Pieces:
    """The pieces of the way from the baseline to the picture, and what each attributes."""

    def __init__(self, score: Score, way: np.ndarray) -> None:
        self.score, self.way = score, way
        self.starts, self.lengths, self.misses = np.zeros(0), np.zeros(0), np.zeros(0)
        self.gradients = np.zeros((0, *way.shape))

    def add(self, starts: np.ndarray, lengths: np.ndarray) -> None:
        """Compute the gradient in the middle of new pieces, and how far each is from its difference of scores."""
        edges = np.unique(np.concatenate([starts, starts + lengths]))
        middles = starts + 0.5 * lengths
        gradients = self.score.gradients(self.score.run(self.score.baseline + _along(middles, self.way)))
        at_edge = self.score.scores(self.score.baseline + _along(edges, self.way))
        rises = at_edge[np.searchsorted(edges, starts + lengths)] - at_edge[np.searchsorted(edges, starts)]
        given = lengths * (gradients * self.way).reshape(len(starts), -1).sum(axis=1)
        self.starts, self.lengths = np.append(self.starts, starts), np.append(self.lengths, lengths)
        self.misses = np.append(self.misses, given - rises)
        self.gradients = np.concatenate([self.gradients, gradients])

    @property
    def attribution(self) -> np.ndarray:
        return self.way * np.tensordot(self.lengths, self.gradients, axes=1)

    def halve_worst(self) -> tuple[np.ndarray, np.ndarray]:
        """Take away the pieces with the largest misses; return their halves."""
        order = np.argsort(-np.abs(self.misses), kind="stable")
        worst, rest = order[: max(8, len(order) // 4)], order[max(8, len(order) // 4) :]
        starts = np.concatenate([self.starts[worst], self.starts[worst] + 0.5 * self.lengths[worst]])
        lengths = np.tile(0.5 * self.lengths[worst], 2)
        self.starts, self.lengths = self.starts[rest], self.lengths[rest]
        self.misses, self.gradients = self.misses[rest], self.gradients[rest]
        return starts, lengths


def _along(shares: np.ndarray, way: np.ndarray) -> np.ndarray:
    return shares.reshape(-1, *(1,) * way.ndim) * way
