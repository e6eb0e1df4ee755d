"""Learning without a teacher: planes compete, and new planes arise where no cell responds."""

from __future__ import annotations

import numpy as np

MOST_PLANES = 700
FAINT = 0.3  # of the strongest V-cell of a picture: places with less are not learnt from


def patches(maps: np.ndarray, kernel_size: int, padding: int) -> np.ndarray:
    """Return what every place of ``float[C, rows, columns]`` sees, float[places, C * k * k], in reading order."""
    padded = np.pad(maps, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel_size, kernel_size), axis=(1, 2))
    return windows.transpose(1, 2, 0, 3, 4).reshape(windows.shape[1] * windows.shape[2], -1)


def learn_planes(maps: np.ndarray, spread: np.ndarray, threshold: float, area: int) -> np.ndarray:
    """Return the templates that the planes of an S-layer learn from C-cells, without a teacher.

    One picture after the other: the cell that is most similar to what it sees becomes a seed cell, and its plane
    adds that to its template; around it, and in its plane, no other cell does. Where no cell's similarity
    exceeds the threshold, the place with the strongest V-cell founds a new plane.

    Parameters
    ----------
    maps : float32[N, C, rows, columns]
        What the C-cells before gave for N pictures.
    spread : float[k, k]
        c, the connections of the V-cells.
    threshold : float
        theta while learning; above that of recognition, so that planes are many and answer generously later.
    area : int
        Seed cells are further than this many cells apart.

    Returns
    -------
    float32[planes, C * k * k]
        Sums of patches times ``sqrt(c)``.

    References
    ----------
    Fukushima (2003), "Neocognitron for handwritten digit recognition", Neurocomputing 51, section 3.
    """
    kernel_size = len(spread)
    root = np.tile(np.sqrt(spread).ravel(), maps.shape[1]).astype(np.float32)
    planes = _Planes(root.size, maps.shape[2:], area, threshold)
    for picture in maps:
        planes.see(patches(picture, kernel_size, kernel_size // 2) * root)
    return planes.templates[: planes.count]


class _Planes:
    def __init__(self, size: int, space: tuple[int, ...], area: int, threshold: float) -> None:
        self.templates = np.zeros((MOST_PLANES, size), np.float32)
        self.count, self.threshold = 0, threshold
        rows, columns = np.divmod(np.arange(space[0] * space[1]), space[1])
        apart = np.maximum(np.abs(rows[:, None] - rows), np.abs(columns[:, None] - columns))
        self.near = apart <= area

    def see(self, seen: np.ndarray) -> None:
        """Learn from one picture, float32[places, C * k * k]."""
        v = np.linalg.norm(seen, axis=1)
        bright = v > FAINT * v.max(initial=1e-9)
        unit = seen / np.maximum(v, 1e-12)[:, None]
        known = self.templates[: self.count]
        similar = unit @ (known / np.linalg.norm(known, axis=1, keepdims=True)).T
        similar[~bright] = -1.0
        silent = bright & ~(similar > self.threshold).any(axis=1)
        taken = self._reinforce(seen, similar)
        self._found(seen, unit, np.where(silent & ~taken, v, -1.0))

    def _reinforce(self, seen: np.ndarray, similar: np.ndarray) -> np.ndarray:
        """Let the most similar cells learn; return the places around them."""
        taken = np.zeros(len(seen), dtype=bool)
        while similar.size and similar.max() > self.threshold:
            place, plane = np.unravel_index(int(similar.argmax()), similar.shape)
            self.templates[plane] += seen[place]
            similar[self.near[place]] = -1.0
            similar[:, plane] = -1.0
            taken |= self.near[place]
        return taken

    def _found(self, seen: np.ndarray, unit: np.ndarray, v: np.ndarray) -> None:
        """Add planes where all cells are silent, starting at the strongest V-cell."""
        while v.max() > 0 and self.count < MOST_PLANES:
            place = int(v.argmax())
            self.templates[self.count] = seen[place]
            self.count += 1
            v[self.near[place] | (unit @ unit[place] > self.threshold)] = -1.0
