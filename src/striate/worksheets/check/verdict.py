"""Which cells of a claim are wrong, and what may have gone wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.drawing.notebook import Readable
from striate.numbers import format_array, format_number
from striate.worksheets.check.answers import Answer, Place, answers
from striate.worksheets.check.text import Claim, read_claim

MOST_CELLS = 20  # wrong cells that are shown with their terms


@dataclass(frozen=True, eq=False, repr=False)
class Checked(Readable):
    """A sum, checked; ``print`` it to see the verdict.

    Parameters
    ----------
    claim : Claim
    answer : Answer
        What it really gives.
    wrong : tuple of positions
        Cells that are wrong; empty if the sizes differ.
    others : tuple of Answer
        Other meanings of the left side whose results have the size shown.
    """

    claim: Claim
    answer: Answer
    wrong: tuple[Place, ...]
    others: tuple[Answer, ...] = ()

    @property
    def right_reading(self) -> str:
        """Another meaning under which everything shown would be right, "" if there is none."""
        return next((one.reading for one in self.others if not _wrong(self.claim, one)), "") if self.wrong else ""

    @property
    def same_shape(self) -> bool:
        """Whether as many numbers are shown as there should be."""
        return self.claim.shown.shape == self.answer.values.shape

    @property
    def correct(self) -> bool:
        """Whether everything shown is right."""
        return self.same_shape and not self.wrong

    def __str__(self) -> str:
        if self.correct:
            cells = "" if self.claim.shown.size == 1 else f", {self.claim.shown.size} cells"
            return f"right ({self.answer.reading}{cells})"
        if not self.same_shape:
            return (
                f"wrong size ({self.answer.reading}): shown {_shape(self.claim.shown)}, "
                f"but the result is {_shape(self.answer.values)}\nresult {_table(self.answer.values)}"
            )
        lines = [f"wrong in {len(self.wrong)} of {self.claim.shown.size} ({self.answer.reading})"]
        for place in self.wrong[:MOST_CELLS]:
            lines += self._cell(place)
        if len(self.wrong) > MOST_CELLS:
            lines.append(f"  and {len(self.wrong) - MOST_CELLS} more")
        if self.right_reading:
            lines.append(f"What is shown is the {self.right_reading}.")
        return "\n".join(lines)

    def _cell(self, place: Place) -> list[str]:
        shown, right = float(self.claim.shown[place]), float(self.answer.values[place])
        where = f"{_name(place)}: " if place else ""
        lines = [f"  {where}shown {shown:.10g}, right {right + 0.0:.10g}"]
        if work := self.answer.work(place):
            lines.append(f"    {work}")
        if not self.right_reading and (guess := self._guess(place)):
            lines.append(f"    {guess}")
        return lines

    def _guess(self, place: Place) -> str:
        """Return what explains a wrong cell: another meaning of the sum, or a single slip; "" if nothing does."""
        for other in self.others:
            if place not in _wrong(self.claim, other):
                return f"That is the value of the {other.reading}."
        shown, right = float(self.claim.shown[place]), float(self.answer.values[place])
        return _slip(shown, right, self.answer.terms(place))


def check(text: str) -> Checked:
    """Check a written calculation: the terms, an equals sign, and the result.

    Numbers with decimals may be rounded; whole numbers must be exact. The left side is one of

    - ``x * w``: cross-correlation of two arrays, with the padding and stride that give a result of the size shown;
    - ``correlate(x, w, padding=1, stride=2)`` or ``convolve(...)``, see `striate.worksheets.convolve`;
    - ``max_pool(x, 2, stride=1)`` or ``average_pool(...)``, see `striate.worksheets.pool`;
    - ``a @ b``: the matrix product;
    - any arithmetic that `striate.worksheets.backprop` reads, such as ``784*100 + 100`` or ``sigmoid([0, 1])``.

    Raises
    ------
    UsageError, ShapeError
        For text that cannot be read, or sizes that cannot be computed with.

    Examples
    --------
    >>> print(check("[1, 2, 3] * [1, -1, 2] = [-5]"))
    wrong in 1 of 1 (cross-correlation)
      cell 1: shown -5, right 5
        out[0] = 1*1 + 2*(-1) + 3*2 = 1 - 2 + 6 = 5
        The sign is wrong.
    >>> check("28*28*10 + 10 = 7850").correct
    True
    """
    claim = read_claim(text)
    readings = list(answers(claim.task))
    fitting = [one for one in readings if one.values.shape == claim.shown.shape]
    answer = fitting[0] if fitting else readings[0]
    wrong = _wrong(claim, answer) if fitting else ()
    return Checked(claim, answer, wrong, tuple(fitting[1:]))


def _wrong(claim: Claim, answer: Answer) -> tuple[Place, ...]:
    rounding = 1e-9 * np.maximum(np.abs(answer.values), 1.0)
    far = np.abs(claim.shown - answer.values) > claim.half_unit + rounding
    return tuple(tuple(map(int, place)) for place in np.argwhere(far))


def _slip(shown: float, right: float, terms: np.ndarray | None) -> str:
    """Return the single slip that explains a wrong number, "" if there is none."""

    def same(value: float) -> bool:
        return abs(value - shown) <= 1e-9 * max(abs(value), 1.0)

    if right and same(-right):
        return "The sign is wrong."
    for term in dict.fromkeys(() if terms is None else terms.tolist()):
        if term and same(right - term):
            return f"The term {format_number(term)} was left out."
        if term and same(right - 2 * term):
            return f"The term {format_number(term)} has the wrong sign."
        if term and same(right + term):
            return f"The term {format_number(term)} was counted twice."
    return ""


def _name(place: Place) -> str:
    if len(place) == 1:
        return f"cell {place[0] + 1}"
    words = ("channel", "row", "column")[-len(place) :]
    return ", ".join(f"{word} {at + 1}" for word, at in zip(words, place, strict=True))


def _shape(values: np.ndarray) -> str:
    return " x ".join(map(str, values.shape)) or "a single number"


def _table(values: np.ndarray) -> str:
    return format_array(values, largest=64)
