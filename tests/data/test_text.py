"""Texts become symbols of a vocabulary that is learnt from the training split and kept with the model."""

import json
import random

import numpy as np
import pytest

from striate.data.options import Options
from striate.data.problems import FileProblem
from striate.data.registry import load
from striate.data.text import Vocabulary, read_text
from striate.data.unlabelled import read_unlabelled
from striate.errors import DataError, ModelFileError

WORDS = {"sea": "wave ship salt sail fish", "wood": "tree leaf deer moss bark", "sky": "star cloud bird wind moon"}


def sentence(kind, number):
    draw = random.Random(f"{kind}{number}")
    return " ".join(["the", *draw.choices(WORDS[kind].split(), k=6), "and", "so"])


@pytest.fixture
def texts(tmp_path):
    for kind in WORDS:
        (tmp_path / "texts" / kind).mkdir(parents=True)
        for number in range(20):
            (tmp_path / "texts" / kind / f"{number:02}.txt").write_text(sentence(kind, number).title() + ".")
    return tmp_path / "texts"


@pytest.fixture
def table(tmp_path):
    rows = [f'"{sentence(kind, n)}, {n}",{kind}' for kind in WORDS for n in range(20)]
    path = tmp_path / "texts.csv"
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    return path


def test_words_are_numbered_by_how_many_texts_hold_them():
    found = Vocabulary.fit(["A cat. a CAT", "a dog", "the cat", "a bee"])
    assert found.words == ("a", "cat")
    assert found.encode(["cat a zebra", "a"]).tolist() == [[[3, 2]], [[2, 0]]] if found.length == 2 else True
    assert Vocabulary(("a", "cat"), 4).encode(["a zebra cat"])[0, 0].tolist() == [2, 1, 3, 0]
    assert Vocabulary(("a", "cat"), 4).decode(np.array([2, 1, 3, 0])) == ["a", "?", "cat", ""]


def test_equally_common_words_are_numbered_by_alphabet():
    # The order of a set of words differs between processes, and trainings of one seed did, too.
    words = [f"w{number:02}" for number in range(20)]
    found = Vocabulary.fit([" ".join(reversed(words)), " ".join(words), "w07", "w11"])
    assert found.words == ("w07", "w11", *(word for word in words if word not in ("w07", "w11")))


def test_a_folder_of_texts(texts):
    splits = load(texts)
    assert splits.train.classes == ("sea", "sky", "wood")
    assert splits.train.sample_shape == (1, 9)
    record = json.loads(json.dumps(splits.preparation))
    assert splits.train.symbols == len(record["text"]["words"]) + 2 == splits.test.symbols
    found = read_unlabelled(texts, (1, 9), **record)
    assert len(found.inputs) == 60
    one = read_unlabelled(texts / "sea" / "00.txt", (1, 9), **record)
    np.testing.assert_array_equal(found.inputs[0], one.inputs[0])


def test_the_words_of_test_texts_alone_are_unknown(texts):
    splits = load(texts)
    words = set(splits.preparation["text"]["words"])
    for file in splits.test.files[:2]:
        with open(file, "a") as text:
            text.write(" quasar quasar")
    assert set(load(texts).preparation["text"]["words"]) == words


def test_a_column_of_texts(table, tmp_path):
    splits = load(table)
    assert (splits.train.sample_shape, splits.train.classes) == ((1, 10), ("sea", "sky", "wood"))
    assert any("'text': texts; " in note for note in splits.notes)
    later = tmp_path / "later.csv"
    later.write_text("text\nthe wave and the ship\n")
    found = read_unlabelled(later, (1, 10), **splits.preparation)
    assert found.inputs.shape == (1, 1, 10)
    later.write_text("a\n1\n")
    with pytest.raises(DataError, match=r"a column of texts is needed, 'text'; got 'a'\. Rename"):
        read_unlabelled(later, (1, 10), **splits.preparation)


def test_texts_without_a_known_word_are_pointed_out(table, tmp_path):
    record = load(table).preparation
    later = tmp_path / "later.csv"
    later.write_text('text\nthe wave and the ship\nqwertz uiop\n"..."\n')
    (note,) = read_unlabelled(later, (1, 10), **record).notes
    assert note == "2 of 3 texts: the model knows none of the words, so the prediction says nothing; first 2"
    (tmp_path / "a.txt").write_text("qwertz")
    assert "1 of 1 text: the model knows" in read_unlabelled(tmp_path / "a.txt", (1, 10), **record).notes[0]
    (tmp_path / "a.txt").write_text("qwertz the")
    assert read_unlabelled(tmp_path / "a.txt", (1, 10), **record).notes == ()


def test_the_words_of_a_model_are_used_again(texts):
    record = load(texts).preparation
    words = {**record["text"], "words": record["text"]["words"][:3]}
    again = load(texts, options=Options(preparation={"text": words}))
    assert again.train.symbols == 5


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "no words"), (b"...", "no words"), (b"a\0b", "binary"), (bytes(1 << 23), "more than")],
)
def test_files_that_are_no_texts(tmp_path, content, message):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(FileProblem, match=message):
        read_text(path)


def test_encodings(tmp_path):
    path = tmp_path / "a.txt"
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        path.write_bytes("Grüße".encode(encoding))
        assert read_text(path) == "Grüße"


@pytest.mark.parametrize("damage", [{"words": 3}, {"length": 0}, {"length": "x"}])
def test_a_damaged_record_is_refused(damage):
    with pytest.raises(ModelFileError, match="record of its words is damaged"):
        Vocabulary.from_dict({"words": ["a"], "length": 2, **damage})


def test_texts_without_common_words():
    with pytest.raises(DataError, match="at least one word must occur in two"):
        Vocabulary.fit(["a", "b"])
