"""The figures 0 to 4 in 16 x 16 dots, to teach the Neocognitron of 1980 with."""

from __future__ import annotations

import numpy as np

_DRAWN = """
..###..  ...#...  ..###..  #######  .....#.
.#...#.  ...#...  .#...#.  .....#.  ....##.
.#...#.  ...#...  .....#.  ....#..  ...#.#.
.#...#.  ...#...  .....#.  ...#...  ..#..#.
.#...#.  ...#...  ....#..  ...##..  .#...#.
.#...#.  ...#...  ...#...  .....#.  .#...#.
.#...#.  ...#...  ..#....  .....#.  .######
.#...#.  ...#...  .#.....  .#...#.  .....#.
..###..  ...#...  .#####.  ..###..  .....#.
"""


def figures() -> np.ndarray:
    """Return five figures in the middle of empty pictures, float32[5, 1, 16, 16] of 0 and 1.

    Examples
    --------
    >>> figures().shape, int(figures()[1].sum())
    ((5, 1, 16, 16), 9)
    """
    rows = [line.split() for line in _DRAWN.split("\n") if line]
    pictures = np.zeros((5, 1, 16, 16), np.float32)
    for digit in range(5):
        pictures[digit, 0, 3 : 3 + len(rows), 4:11] = [[dot == "#" for dot in row[digit]] for row in rows]
    return pictures
