"""The digits 0 to 9 as pictures of 7 x 12 dots, for the output layer of LeNet-5.

The units before that layer are pulled towards these pictures, so that digits that look alike are near each
other (LeCun et al. 1998, section II.B, figure 3, after which they are drawn).
"""

from __future__ import annotations

_DRAWN = """
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
.#####.  ...##..  .#####.  .#####.  ....##.  #######  .#####.  #######  .#####.  .#####.
##...##  ..###..  ##...##  ##...##  ...###.  ##.....  ##...##  ##...##  ##...##  ##...##
##...##  .####..  .....##  .....##  ..####.  ##.....  ##.....  .....##  ##...##  ##...##
##...##  ...##..  .....##  .....##  .##.##.  ##.....  ##.....  ....##.  ##...##  ##...##
##...##  ...##..  ....##.  ..####.  ##..##.  ######.  ######.  ....##.  .#####.  .######
##...##  ...##..  ...##..  .....##  #######  .....##  ##...##  ...##..  ##...##  .....##
##...##  ...##..  ..##...  .....##  ....##.  .....##  ##...##  ...##..  ##...##  .....##
##...##  ...##..  .##....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
##...##  ...##..  ##.....  ##...##  ....##.  ##...##  ##...##  ..##...  ##...##  ##...##
.#####.  .######  #######  .#####.  ....##.  .#####.  .#####.  ..##...  .#####.  .#####.
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
"""


def digit_bitmaps() -> tuple[str, ...]:
    """Return the ten pictures, row by row, "#" for +1 and "." for -1.

    Examples
    --------
    >>> len(digit_bitmaps()), {len(picture) for picture in digit_bitmaps()}
    (10, {84})
    """
    rows = [line.split() for line in _DRAWN.split("\n") if line]
    return tuple("".join(row[digit] for row in rows) for digit in range(10))
