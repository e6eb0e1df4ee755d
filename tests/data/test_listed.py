from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from striate.data.options import Options
from striate.data.sources import load_path
from striate.errors import DataError


@pytest.fixture
def listed(tmp_path):
    """A table of 20 pictures of two classes, and what else is written on its lines."""
    (tmp_path / "pictures").mkdir()
    for number in range(20):
        Image.fromarray(np.full((5, 7), number, np.uint8)).save(tmp_path / "pictures" / f"ä {number}.png")

    def write(names="file,label", more="", label=lambda number: ("ant", "bee")[number % 2]):
        rows = [f"pictures/ä {number}.png,{label(number)}{more}" for number in range(20)]
        (tmp_path / "list.csv").write_text("\n".join([names, *rows]), "utf-8")
        return tmp_path / "list.csv"

    return write


@pytest.mark.parametrize(
    ("names", "more", "options"),
    [
        ("file,label", "", Options()),
        ("\ufeffFilename,kind", "", Options()),
        ("path,kind,age", ",7", Options(label="kind")),
    ],
)
def test_pictures_of_a_table(listed, names, more, options):
    splits = load_path(listed(names, more), options)
    assert splits.train.sample_shape == (1, 5, 7)
    assert splits.train.classes == ("ant", "bee")
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (14, 2, 4)
    assert np.array_equal(splits.train.inputs[:, 0, 0, 0] % 2, splits.train.targets)
    assert splits.train.name == "list"


def test_a_column_of_files_may_have_any_name(listed):
    splits = load_path(listed("Bild,Art"))
    assert "column 'Bild': files, which are read" in splits.notes
    assert splits.train.sample_shape == (1, 5, 7)
    assert splits.train.classes == ("ant", "bee")


@pytest.mark.parametrize(("on", "off"), [("yes", "no"), ("True", "FALSE")])
def test_labels_may_be_yes_or_no(listed, on, off):
    path = listed("file,cat,dog", label=lambda n: f"{on if n % 2 else off},{on if n > 9 else off}")
    train = load_path(path, Options(label="cat,dog")).train
    number = train.inputs[:, 0, 0, 0].astype(int)
    np.testing.assert_array_equal(train.targets.T, [number % 2, number > 9])


def test_lists_of_labels_with_commas_are_pointed_out(listed):
    kinds = ("cat", "dog", '"cat, dog"')
    notes = load_path(listed(label=lambda number: kinds[number % 3])).notes
    assert any("label 'cat, dog' is read as a class; | between labels" in note for note in notes)


def test_names_of_files_that_do_not_exist_are_words(listed):
    path = listed("picture,label")
    path.write_text(path.read_text("utf-8").replace("pictures/", "elsewhere/"), "utf-8")
    assert load_path(path).train.symbols > 0


def test_a_model_finds_the_labels_of_another_table(listed):
    splits = load_path(listed("file,age,kind", ",ant"), Options(label="age"))
    assert splits.preparation["labels"] == ["age"]
    again = load_path(listed("file,kind,age", ",3", lambda n: "x"), Options(preparation=splits.preparation))
    assert any("label 'age'" in note for note in again.notes)


def test_numbers_as_labels_are_classes(listed):
    assert load_path(listed(label=lambda number: number % 2)).train.classes == ("0", "1")


def test_numbers_may_be_a_regression(listed):
    data = load_path(listed("file,age", label=lambda number: 20 + number / 2)).train
    assert (data.classes, data.target_names) == ((), ("age",))
    np.testing.assert_array_equal(data.targets[:, 0], 20 + data.inputs[:, 0, 0, 0] / 2)


def test_columns_of_0_and_1_are_labels_that_are_on_or_off(listed):
    path = listed("file,cat,dog,rain", label=lambda number: f"{number % 2},{int(number > 9)},{number % 3 // 2}")
    splits = load_path(path)
    assert splits.train.classes == ("cat", "dog", "rain")
    number = splits.train.inputs[:, 0, 0, 0].astype(int)
    np.testing.assert_array_equal(splits.train.targets.T, [number % 2, number > 9, number % 3 // 2])
    assert "labels 'cat', 'dog', 'rain': each on (1) or off (0)" in splits.notes
    assert load_path(path, Options(label="rain,cat")).train.classes == ("rain", "cat")


def test_cells_may_name_several_labels(listed):
    path = listed(label=lambda number: "|".join(["cat"] * (number % 2) + [" dog"] * (number > 9)))
    data = load_path(path).train
    assert data.classes == ("cat", "dog")
    number = data.inputs[:, 0, 0, 0].astype(int)
    np.testing.assert_array_equal(data.targets.T, [number % 2, number > 9])
    assert (number % 2 + (number > 9) == 0).any()  # a picture without a label is one all the same


def test_a_column_of_other_texts_is_a_table(tmp_path):
    rows = [f"{('red', 'blue')[number % 2]},{number},{('ant', 'bee')[number % 3 > 0]}" for number in range(40)]
    (tmp_path / "table.csv").write_text("\n".join(["image,size,label", *rows]))
    assert load_path(tmp_path / "table.csv").train.sample_shape == (3, 1)


def test_refuses(listed):
    with pytest.raises(
        DataError, match=r"needs a column with the label of each file; the columns are file, a, b. Name it"
    ):
        load_path(listed("file,a,b", ",1"))
    path = listed()
    for picture in (path.parent / "pictures").iterdir():
        picture.unlink()
    with pytest.raises(DataError, match=r"got 20 of 20; the first is .*: cannot be read .No such file"):
        load_path(path)
