"""Texts as rows of symbols: words become their numbers in a vocabulary, which is kept with the model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from striate.data.encoding import text_of_file
from striate.data.problems import FileProblem, why
from striate.errors import DataError, ModelFileError

SUFFIXES = frozenset({".txt", ".text", ".md"})
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
PADDING, UNKNOWN = 0, 1
"""The symbols behind the end of a text, and of words that are not in the vocabulary; words follow."""
MOST_WORDS = 20_000
RARE = 2  # words that occur in fewer texts are unknown
LONGEST = 1000
COVERED = 0.95  # of the texts are not cut
MOST_BYTES = 1 << 22


@dataclass(frozen=True)
class Vocabulary:
    """The words a model knows, and how many of a text it reads.

    Parameters
    ----------
    words : tuple of str
        In lower case; the first has the symbol 2.
    length : int
        Texts are cut to it, or padded with the symbol 0.
    """

    words: tuple[str, ...]
    length: int

    @classmethod
    def fit(cls, texts: Iterable[str], length: int | None = None) -> Vocabulary:
        """Return the words that occur in at least two texts, the most common first, and then by alphabet.

        Without ``length`` 95 % of the texts are read whole, up to 1000 words.

        Raises
        ------
        DataError
            If the texts hold no words.
        """
        counts: Counter[str] = Counter()
        lengths = []
        for text in texts:
            words = split_words(text)
            lengths.append(len(words))
            counts.update(set(words))
        common = (word for word, count in counts.items() if count >= RARE)
        kept = sorted(common, key=lambda word: (-counts[word], word))[:MOST_WORDS]
        if not kept:
            raise DataError("texts: at least one word must occur in two of them; none does. Give more texts.")
        found = length or max(1, min(LONGEST, int(np.quantile(lengths, COVERED))))
        return cls(tuple(kept), found)

    @property
    def symbols(self) -> int:
        """How many symbols there are."""
        return len(self.words) + 2

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Return the symbols of texts, float32[N, 1, length]."""
        numbers = self._numbers
        room = np.full((len(texts), 1, self.length), PADDING, np.float32)
        for row, text in zip(room, texts, strict=True):
            found = [numbers.get(word, UNKNOWN) for word in split_words(text)[: self.length]]
            row[0, : len(found)] = found
        return room

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words, UNKNOWN + 1)}

    def decode(self, symbols: np.ndarray) -> list[str]:
        """Return the word at each position of a text (numbers [length]); "" for padding, "?" for unknown words."""
        names = ["", "?", *self.words]
        return [names[int(symbol)] for symbol in np.ravel(symbols)]

    def to_dict(self) -> dict[str, Any]:
        """Return the vocabulary in values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, description: Mapping[str, Any]) -> Vocabulary:
        """Return the vocabulary that ``to_dict`` described; raises ModelFileError for anything else."""
        try:
            words, length = tuple(map(str, description["words"])), int(description["length"])
            if length < 1:
                raise ValueError(length)
        except (KeyError, TypeError, ValueError) as error:
            raise ModelFileError(f"text: the record of its words is damaged ({error!r}). Train again.") from None
        return cls(words, length)


@dataclass(frozen=True)
class TextReader:
    """Brings texts to rows of symbols of one length."""

    vocabulary: Vocabulary
    dtype = np.dtype(np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a sample, (1, length)."""
        return (1, self.vocabulary.length)

    @property
    def preparation(self) -> dict[str, Any]:
        """The arguments, other than the shape, with which `read_unlabelled` makes inputs in the same way."""
        return {"text": self.vocabulary.to_dict()}

    def read(self, path: Path) -> np.ndarray:
        """Return the symbols of a file, or raise FileProblem."""
        return np.asarray(self.vocabulary.encode([read_text(path)])[0])


def split_words(text: str) -> list[str]:
    """Return the words of a text in lower case.

    Examples
    --------
    >>> split_words("Don't panic: it's 42!")
    ["don't", 'panic', "it's", '42']
    """
    return WORD.findall(text.lower())


def read_text(path: Path) -> str:
    """Return the text of a file, in UTF-8 or Windows-1252.

    Raises
    ------
    FileProblem
        If it cannot be read, is empty or too large, or is not text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise FileProblem(f"cannot be read ({why(error)})") from error
    if len(content) > MOST_BYTES:
        raise FileProblem(f"texts of more than {MOST_BYTES:,} bytes are not read")
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileProblem("binary data, not text", foreign=True)
    text = text_of_file(content)
    if not split_words(text):
        raise FileProblem("it holds no words")
    return text
