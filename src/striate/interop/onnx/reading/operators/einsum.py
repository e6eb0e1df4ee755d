"""Einstein's summation: sums, transpositions, and products of matrices."""

from __future__ import annotations

import math
import string
from dataclasses import dataclass

import numpy as np

from striate.interop.onnx.reading.importer import Importer, Operator, operator
from striate.interop.onnx.reading.operators.arithmetic import as_value
from striate.interop.onnx.reading.operators.dense import product
from striate.interop.onnx.reading.operators.reductions import reduced
from striate.interop.onnx.reading.values import Unsupported, Value


@dataclass(frozen=True)
class Term:
    """An operand and a letter for each of its axes."""

    operand: Value | np.ndarray
    letters: str

    @property
    def sizes(self) -> dict[str, int]:
        """The size of every letter's axis."""
        return dict(zip(self.letters, self.operand.shape, strict=True))

    @property
    def samples(self) -> str:
        """The letter of the axis of samples; none for constants."""
        place = self.operand.batch if isinstance(self.operand, Value) else None
        return "" if place is None else self.letters[place]

    def arranged(self, letters: str) -> Term:
        """Return the term with its axes in another order."""
        order = [self.letters.index(letter) for letter in letters]
        operand = self.operand
        turned = operand.transposed(order) if isinstance(operand, Value) else operand.transpose(order)
        return Term(turned, letters)

    def shaped(self, groups: list[str]) -> Value | np.ndarray:
        """Return the operand with one axis for each group of letters."""
        sizes, arranged = self.sizes, self.arranged("".join(groups))
        return arranged.operand.reshape([math.prod(sizes[letter] for letter in group) for group in groups])


def _terms(node: Operator) -> tuple[list[Term], str]:
    """Return the operands with their letters, and the letters of the result; an ellipsis becomes letters."""
    equation = str(node.get("equation", "")).replace(" ", "")
    left, arrow, result = equation.partition("->")
    spare = [letter for letter in string.ascii_letters if letter not in equation]
    terms, most = [], ""
    names = left.split(",")
    if len(names) != len(node.inputs):
        raise Unsupported(f"{equation!r} is not about {len(node.inputs)} operands")
    for name, operand in zip(names, node.inputs, strict=True):
        assert operand is not None
        hidden = "".join(spare[max(0, len(name.replace("...", "")) + len(spare) - len(operand.shape)) :])
        letters = name.replace("...", hidden)
        most = max(most, hidden if "..." in name else "", key=len)
        if len(set(letters)) != len(letters) or len(letters) != len(operand.shape):
            raise Unsupported(f"{name!r} does not name {len(operand.shape)} axes once each")
        terms.append(Term(operand, letters))
    once = sorted(letter for letter in set(left) if left.count(letter) == 1 and letter.isalpha())
    return terms, result.replace("...", most) if arrow else most + "".join(once)


@operator("Einsum", since=12)
def einsum(graph: Importer, node: Operator) -> Value | np.ndarray:
    """Products of two operands at a time, from left to right."""
    terms, result = _terms(node)
    term, *others = terms
    for number, other in enumerate(others, start=1):
        later = result + "".join(item.letters for item in terms[number + 1 :])
        term = _product(graph, _summed(graph, term, later + other.letters), other, later)
    return _summed(graph, term, result).arranged(result).operand


def _summed(graph: Importer, term: Term, kept: str) -> Term:
    """Return the sum over the letters that nothing else has."""
    axes = [place for place, letter in enumerate(term.letters) if letter not in kept]
    letters = "".join(letter for letter in term.letters if letter in kept)
    if not axes:
        return term
    if isinstance(term.operand, Value):
        return Term(reduced(graph, term.operand, axes, keep=False, how="sum"), letters)
    return Term(term.operand.sum(axis=tuple(axes)), letters)


def _product(graph: Importer, a: Term, b: Term, later: str) -> Term:
    """Return the product of two operands, summed over the letters that both have and nothing ``later`` has."""
    b = _summed(graph, b, later + a.letters)
    if isinstance(a.operand, np.ndarray):
        a, b = b, a
    if not isinstance(a.operand, Value):
        letters = "".join(dict.fromkeys(letter for letter in a.letters + b.letters if letter in later))
        found = np.einsum(f"{a.letters},{b.letters}->{letters}", a.operand, np.asarray(b.operand))
        return Term(found, letters)
    samples = a.samples
    shared = [letter for letter in a.letters if letter in b.letters and letter != samples]
    alike = "".join(letter for letter in shared if letter in later)
    inner = "".join(letter for letter in shared if letter not in later)
    first = "".join(letter for letter in a.letters if letter not in b.letters and letter != samples)
    second = "".join(letter for letter in b.letters if letter not in a.letters and letter != samples)
    if isinstance(b.operand, np.ndarray) and samples in b.letters and samples:
        raise Unsupported("a constant differs from sample to sample")
    if isinstance(b.operand, Value) and b.samples != samples:
        raise Unsupported("its operands have their samples along different axes")
    lead = [samples] if samples else []
    left = a.shaped([*lead, alike, first, inner])
    if isinstance(b.operand, np.ndarray) and not alike:
        right: Value | np.ndarray = b.shaped([inner, second])
    elif isinstance(b.operand, np.ndarray):
        assert isinstance(left, Value)
        right = as_value(graph, np.asarray(b.shaped([*[""] * len(lead), alike, inner, second])), left)
    else:
        right = b.shaped([*lead, alike, inner, second])
    value = product(graph, left, right)
    sizes = a.sizes | b.sizes
    letters = samples + alike + first + second
    return Term(value.reshape([sizes[letter] for letter in letters]), letters)
