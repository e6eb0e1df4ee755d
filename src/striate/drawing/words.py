"""Texts on a page: words, coloured by how they count for a class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.drawing.html import Markup, element, join

MOST_SHOWN = 200


def words_markup(words: Sequence[str], weights: np.ndarray | None = None, most: int = MOST_SHOWN) -> Markup:
    """Return the words of a text: those with positive weights on red, those with negative ones on blue.

    Parameters
    ----------
    words : sequence of str
        Empty ones, behind the end of the text, are left out.
    weights : float[words], optional
    most : int
        Words that are shown; the rest is counted.
    """
    kept = [n for n, word in enumerate(words) if word]
    limit = 1.0 if weights is None else float(np.abs(weights).max()) or 1.0
    pieces: list[Markup | str] = []
    for n in kept[:most]:
        share = 0.0 if weights is None else float(weights[n]) / limit
        red, green, blue = (178, 24, 43) if share > 0 else (33, 102, 172)
        shown = {"style": f"background: rgba({red}, {green}, {blue}, {0.75 * abs(share):.2f})"} if share else {}
        title = {} if weights is None else {"title": f"{weights[n]:.3g}"}
        pieces += [element("span", words[n], **shown, **title), " "]
    more = f"… {len(kept) - most:,} more words" if len(kept) > most else ""
    return element("p", join(pieces), more, class_="text")
