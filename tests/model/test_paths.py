"""Models read files themselves: one path, a folder with broken files, lists of paths and of texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate import Model
from striate.data.normalisation import Normalisation
from striate.data.text import Vocabulary
from striate.errors import DataError
from striate.layers import Embedding, Flatten, Linear, Softmax
from striate.network import Sequential

WORDS = Vocabulary(("sun", "rain"), 3)


@pytest.fixture
def model() -> Model:
    """A model that tells which of two pixels is the lighter."""
    return Model(
        Sequential([Flatten(), Linear(2), Softmax()], (1, 1, 2)), np.array([1, 0, 0, 1, 0, 0]) / 255, (), "lr"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(4):
        pixels = np.array([[200, 0] if number % 2 else [0, 200]], np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture
def reader() -> Model:
    """A model that says whether the first word is "rain"."""
    network = Sequential([Embedding(WORDS.symbols, 1), Flatten(), Linear(2), Softmax()], (1, 3))
    theta = [0, 0, 0, 1, *(-1, 0, 0), *(1, 0, 0), 0.5, -0.5]
    return Model(network, np.array(theta), (), ("dry", "wet"), metadata={"preparation": {"text": WORDS.to_dict()}})


def test_a_list_of_paths_gives_a_result_for_each_in_its_order(model, folder):
    paths = [folder / "3.png", str(folder / "0.png"), folder / "1.png"]
    assert model.predict(paths).tolist() == [0, 1, 0]
    assert model.predict(tuple(paths)).tolist() == model.predict(np.array(paths, object)).tolist() == [0, 1, 0]
    np.testing.assert_array_equal(model.outputs(paths[:1]), model.outputs(folder / "3.png"))


def test_a_broken_file_of_a_list_is_an_error_and_one_of_a_folder_a_warning(model, folder):
    (folder / "2.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"2\.png: .*Leave it out of the list"):
        model.predict([folder / "1.png", folder / "2.png"])
    with pytest.warns(UserWarning, match=r"left out 1 of 4 files, .*2\.png") as caught:
        assert model.predict(folder).tolist() == [1, 0, 0]
    assert caught[0].filename == __file__
    found = model.read(folder)
    assert [Path(name).name for name in found.names] == ["0.png", "1.png", "3.png"]
    assert [Path(bad.path).name for bad in found.bad_files] == ["2.png"]
    np.testing.assert_array_equal(model.predict(found.inputs), [1, 0, 0])


def test_strings_in_a_list_are_texts_for_a_model_of_texts(reader, tmp_path):
    (tmp_path / "a.txt").write_text("rain and sun")
    found = reader.predict(["Rain!", "sun, then rain", tmp_path / "a.txt"])
    assert [reader.classes[number] for number in found] == ["wet", "dry", "wet"]
    with pytest.raises(DataError, match=r"nothing\.txt: .*Leave it out"):
        reader.predict([tmp_path / "nothing.txt"])
    with pytest.raises(DataError, match="texts themselves go into a list"):
        reader.predict("sun")


def test_rows_of_a_table_are_no_list_of_files(tmp_path):
    table = {"preparation": {"table": {"columns": []}}}
    model = Model(Sequential([Linear(2), Softmax()], 2), np.zeros(6), metadata=table)
    with pytest.raises(DataError, match="rows of a table, not a list"):
        model.predict(["a.csv", "b.csv"])


@pytest.mark.parametrize(
    ("mean", "ground", "told"), [(33, 230, True), (33, 60, False), (220, 20, True), (120, 250, False)]
)
def test_light_and_dark_that_seem_swapped_are_told(tmp_path, mean, ground, told):
    network = Sequential([Flatten(), Linear(2), Softmax()], (1, 8, 8))
    model = Model(network, np.zeros(network.parameter_count), normalisation=Normalisation((mean,), (50.0,)))
    pixels = np.full((8, 8), ground, np.uint8)
    pixels[3:5, 2:6] = 255 - ground
    Image.fromarray(pixels).save(tmp_path / "digit.png")
    notes = model.read(tmp_path / "digit.png").notes
    assert bool(notes) == told
    if told:
        assert notes[0].endswith("Take --invert to swap light and dark.")
        assert model.read(tmp_path / "digit.png", invert=True).notes == ()
        Image.fromarray(255 - pixels).save(tmp_path / "other.png")
        assert model.read(tmp_path / "other.png", invert=True).notes[0].endswith("Leave --invert out.")
