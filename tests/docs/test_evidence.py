"""The program that looks for numbers without evidence finds them, and only them."""

from __future__ import annotations

from types import ModuleType

import pytest

CODE = "\n```python\nprint(f'{3504872:,}')\n```\n\n```text\n3,504,872 0.1534\n```\n"


def numbers(evidence: ModuleType, text: str, quoted: str = "") -> list[str]:
    return [found.number for found in evidence.unexplained(text, quoted)]


@pytest.mark.parametrize(
    "sentence",
    [
        "It has 3,504,872 parameters.",
        "It has 3.5 million, or 3.5 *million*.",
        "About 15 % of them, or 15.3 %, or 0.15.",
        "LeNet-5 and conv2 are names, `x[7]` is a formula, ![a picture](a8.png){ width=400 } is a file.",
        "**9.** An exercise. `(7 - 3)/2 + 1 = 3` is right.",
    ],
)
def test_numbers_with_evidence(evidence: ModuleType, sentence: str) -> None:
    assert numbers(evidence, f"# Page\n\n## Section\n{CODE}\n{sentence}\n") == []


@pytest.mark.parametrize(
    ("sentence", "number"),
    [
        ("It has 3,504,871 parameters.", "3,504,871"),
        ("It has 3.4 million.", "3.4"),
        ("About 16 % of them.", "16"),
        ("See `(7 - 3)/2 + 1 = 4`.", "(7 - 3)/2 + 1 = 4"),
        ("| a table | 12 |", "12"),
        ("Somebody (1999) said so.", "1999"),
    ],
)
def test_numbers_without_evidence(evidence: ModuleType, sentence: str, number: str) -> None:
    assert numbers(evidence, f"# Page\n\n## Section\n{CODE}\n{sentence}\n") == [number]


def test_evidence_belongs_to_its_section(evidence: ModuleType) -> None:
    page = f"# Page\n\n3,504,872 of them.\n\n## First\n{CODE}\n## Second\n\n3,504,872 of them.\n"
    (found,) = evidence.unexplained(page)
    assert (found.line, found.number) == (17, "3,504,872")
    assert str(found) == "17: 3,504,872  (## Second 3,504,872 of them.)"


def test_quoted_numbers(evidence: ModuleType) -> None:
    assert numbers(evidence, "In 1998 it had 60,000.", "| 60,000 parameters | LeCun (1998) |") == []
    assert "340,908" in evidence.quotations("lenet.md")
    assert "340,908" not in evidence.quotations("sizes.md")


def test_code_that_is_not_run_is_no_evidence(evidence: ModuleType) -> None:
    assert numbers(evidence, "```sh\nseq 42\n```\n\nIt counts to 42.\n") == ["42"]
