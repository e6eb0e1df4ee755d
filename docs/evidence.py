"""Find numbers in the sentences of a page that nothing on the page computes and no source explains.

Rules of a page
---------------
- A number in a sentence, a table or a caption must stand in the code of its section (between two ``##`` headings),
  or in what that code prints; before the first heading, in any code of the page. Blocks inside HTML comments count,
  so an ``assert`` in one of them explains a number.
- It may be rounded: 2.41 for 2.41048, 3.5 million for 3,504,872, 12 % for 0.1234.
- Numbers quoted from elsewhere, and years, stand in ``lessons/sources.md``, in a row with the page and the source.
- Arithmetic in backticks, such as ``(7 - 3)/2 + 1 = 3``, is computed. Formulas with letters are not numbers.

``python docs/evidence.py PAGE...`` lists what is left.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).with_name("lessons") / "sources.md"
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.M | re.S)
EXECUTED = ("python", "console", "text")
NUMBER = re.compile(r"(?<![\w.])(?<![A-Za-z]-)\d+(?:[,_]\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])")
IN_CODE = re.compile(r"(?<![A-Za-z_.])(?:(?<=\dx)|(?<!x))\d+(?:[,_]\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?")
SPAN = re.compile(r"`([^`\n]+)`")
NOT_SENTENCES = re.compile(
    r"<!--.*?-->|<[^>]+>|\]\([^)]*\)|\{ ?[#:.\w][^}]*\}|^\*\*\d+\.\*\*|^\d+\. |https?://\S+", re.M | re.S
)
SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "%": 0.01, "‰": 0.001}


@dataclass(frozen=True)
class Unexplained:
    """A number in a sentence without evidence, or arithmetic that is wrong.

    Parameters
    ----------
    line : int
        From 1.
    number : str
        As it is written.
    sentence : str
        Some words around it.
    """

    line: int
    number: str
    sentence: str

    def __str__(self) -> str:
        """Return line, number and words around it."""
        return f"{self.line}: {self.number}  ({self.sentence})"


def unexplained(text: str, quoted: str = "") -> list[Unexplained]:
    """Return the numbers in the sentences of a page that neither its code nor ``quoted`` explains."""
    known = _values(quoted, NUMBER)
    found: list[Unexplained] = []
    line = 1
    for number, section in enumerate(re.split(r"(?m)^(?=## )", text)):
        found += _missing(_sentences(section), known | _computed(section if number else text), line)
        line += section.count("\n")
    return found


def quotations(page: str) -> str:
    """Return the rows of the table of sources that name a page."""
    rows = SOURCES.read_text(encoding="utf-8").splitlines()
    return "\n".join(row for row in rows if re.search(rf"\]\((\.\./)?{re.escape(page)}\)", row))


def _computed(text: str) -> set[float]:
    """Return the numbers in executed code and in what it prints."""
    return {value for kind, body in FENCED.findall(text) if kind in EXECUTED for value in _values(body, IN_CODE)}


def _sentences(section: str) -> str:
    """Blank out what is no sentence, and keep every number in its line."""
    for pattern in (FENCED, NOT_SENTENCES):
        section = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), section)
    return section


def _missing(text: str, evidence: set[float], first_line: int) -> Iterator[Unexplained]:
    def place(at: int, number: str) -> Unexplained:
        words = " ".join(text[max(0, at - 40) : at + 40].split())
        return Unexplained(first_line + text.count("\n", 0, at), number, words)

    formulas = []
    for span in SPAN.finditer(text):
        if re.search(r"[A-Za-z]", span[1]):
            formulas.append(span.span())
        elif "=" in span[1] and re.fullmatch(r"[\d\s,.+*/()=-]+", span[1]):
            formulas.append(span.span())
            if not _is_right(span[1]):
                yield place(span.start(), span[1])
    for match in NUMBER.finditer(text):
        in_formula = any(start <= match.start() < stop for start, stop in formulas)
        if not in_formula and not _is_explained(match[0], text[match.end() :], evidence):
            yield place(match.start(), match[0])


def _is_explained(number: str, rest: str, evidence: set[float]) -> bool:
    """Whether a known value is the number, or rounds to it."""
    value, digits = float(number.replace(",", "")), len(number.partition(".")[2])
    unit = re.match(r"[\s*-]*(thousand|million|billion|%|‰)", rest)
    scale = SCALES[unit[1]] if unit else 1.0
    if value in evidence or (unit and any(round(known / scale, digits) == value for known in evidence)):
        return True
    return digits > 0 and any(round(known, digits) == value for known in evidence)


def _is_right(equation: str) -> bool:
    """Whether all sides of pure arithmetic are equal."""
    sides = [eval(side.replace(",", ""), {"__builtins__": {}}) for side in equation.split("=")]  # digits alone
    return all(abs(side - sides[0]) <= 1e-9 * max(1.0, abs(side)) for side in sides)


def _values(text: str, pattern: re.Pattern[str]) -> set[float]:
    return {float(number.replace(",", "").replace("_", "")) for number in pattern.findall(text)}


def main(pages: list[str]) -> int:
    """Print what is unexplained on each page, and return how many pages have some."""
    failed = 0
    for path in map(Path, pages):
        found = unexplained(path.read_text(encoding="utf-8"), quotations(path.name))
        print("\n".join([f"{path}: {len(found)} numbers without evidence", *map(str, found)]))
        failed += bool(found)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
