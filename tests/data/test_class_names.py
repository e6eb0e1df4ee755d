"""Folders with codes get their names from a list beside them."""

import json

import pytest

from striate.data.class_names import class_names

CODES = ("n02084071", "n02121808")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("words.txt", "n00000001\tthing\nn02084071\tdog, domestic dog\nn02121808\tcat\n"),
        ("LOC_synset_mapping.txt", "n02084071 dog, domestic dog\nn02121808 cat, house cat\n"),
        ("names.csv", 'n02084071,dog\nn02121808,"cat"\n'),
        ("index.json", json.dumps({"0": ["n02084071", "dog"], "1": ["n02121808", "cat"]})),
        ("names.json", json.dumps({"n02084071": "dog, domestic dog", "n02121808": "cat"})),
    ],
)
def test_lists_of_every_usual_kind_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert class_names(tmp_path, CODES) == ("dog", "cat")


def test_classes_of_one_name_are_told_apart_by_their_folders(tmp_path):
    (tmp_path / "words.txt").write_text("n02084071 crane\nn02121808 crane\n")
    assert class_names(tmp_path, CODES) == ("crane (n02084071)", "crane (n02121808)")


@pytest.mark.parametrize("text", ["n02084071 dog\n", "", "{", "\x00\x01", "n02084071\nn02121808\n"])
def test_a_list_that_lacks_a_class_is_no_list_of_names(tmp_path, text):
    (tmp_path / "readme.txt").write_text(text)
    (tmp_path / "data.json").write_text("[" + text)
    assert class_names(tmp_path, CODES) == CODES
