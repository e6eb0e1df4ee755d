"""Series in the files of the UCR and UEA archives."""

import numpy as np
import pytest

from striate.data.options import Options
from striate.data.registry import load
from striate.data.series import read_ts
from striate.data.unlabelled import read_unlabelled
from striate.errors import DataError

HEAD = "#a comment\n@problemName Two\n@timeStamps false\n@classLabel true up down\n@data\n"
ROWS = ["1,2,3:10,20,30:up", "4,5,6:40,50,60:down", "7,?,9:70,80,90:up", "1,1:2,2:down"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "Two_TRAIN.ts").write_text(HEAD + "\n".join(ROWS) + "\n")
    (tmp_path / "Two_TEST.ts").write_text(HEAD + "3,2,1,0:0,0,0,0:down\n")
    return tmp_path


EXPECTED = [
    [[1, 2, 3], [10, 20, 30]],
    [[4, 5, 6], [40, 50, 60]],
    [[7, 8, 9], [70, 80, 90]],
    [[1, 1, 1], [2, 2, 2]],
]


@pytest.mark.parametrize("name", [".", "Two_TRAIN.ts"])
def test_both_splits_of_a_problem(folder, name):
    splits = load(folder / name, validation_fraction=0)
    assert splits.train.inputs.tolist() == EXPECTED
    assert splits.train.classes == ("down", "up")
    assert splits.train.targets.tolist() == [1, 0, 1, 0]
    assert splits.test.inputs.tolist() == [[[3, 2, 1], [0, 0, 0]]]
    assert splits.test.targets.tolist() == [0]
    assert any("series of 2 to 3 values" in note for note in splits.notes)


def test_a_file_of_its_own_is_cut(tmp_path):
    path = tmp_path / "all.ts"
    path.write_text(HEAD + "\n".join(ROWS * 5) + "\n")
    splits = load(path, validation_fraction=0)
    assert (len(splits.train), len(splits.test)) == (16, 4)


def test_numbers_to_predict(tmp_path):
    path = tmp_path / "numbers.ts"
    path.write_text("@timestamps false\n@targetlabel true\n@data\n1,2:0.5\n3,4:7\n")
    splits = load(path, options=Options(test_fraction=0), validation_fraction=0)
    assert splits.train.targets.tolist() == [[0.5], [7]]


def test_prediction_reads_series_in_the_shape_of_the_model(folder):
    found = read_unlabelled(folder / "Two_TEST.ts", (2, 3))
    assert found.inputs.tolist() == [[[3, 2, 1], [0, 0, 0]]]
    with pytest.raises(DataError, match="got series of 2 channels"):
        read_unlabelled(folder / "Two_TEST.ts", (1, 3))


def test_tabs_and_arff(tmp_path):
    (tmp_path / "A_TRAIN.tsv").write_text("\n".join(f"{k % 2}\t" + "\t".join(["0.5"] * 64) for k in range(8)))
    (tmp_path / "A_TEST.tsv").write_text("1\t" + "\t".join(["0.5"] * 64))
    splits = load(tmp_path)
    assert splits.train.sample_shape == (1, 64)
    assert len(splits.test) == 1
    path = tmp_path / "b.arff"
    names = "".join(f"@attribute att{k} numeric\n" for k in range(64))
    path.write_text(f"% note\n@relation b\n{names}@attribute target {{1,2}}\n@data\n" + ("0.5," * 64 + "1\n") * 3)
    assert load(path, options=Options(test_fraction=0), validation_fraction=0).train.sample_shape == (1, 64)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a line @data"),
        ("1,2:up\n", "line 1: lines such as @data come first"),
        ("@timeStamps true\n@data\n", "time stamps are not read"),
        (HEAD, "at least one series"),
        (HEAD + "1,2:up\n1:2:up\n", "line 7: 1 channels expected; got 2"),
        (HEAD + "1,x:up\n", "line 6: numbers expected .got 'x'."),
        (HEAD + "1,-1e39:up\n", "line 6: numbers expected .got '-1e39'."),
        (HEAD + "inf,1:up\n", "line 6: numbers expected .got 'inf'."),
        (HEAD + "up\n", "line 6: values, a colon and a label expected"),
    ],
)
def test_bad_files_in_one_line(tmp_path, text, message):
    path = tmp_path / "bad.ts"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_ts(path)


def test_a_model_of_one_channel_refuses_two(folder):
    with pytest.raises(DataError, match="series of 1 channel expected, as in training; got 2"):
        load(folder / "Two_TRAIN.ts", options=Options(shape=(1, 4)))


def test_labels_channels_and_names_that_do_not_fit(folder):
    (folder / "Two_TEST.ts").write_text(HEAD + "1,2:left\n")
    with pytest.raises(DataError, match="series of 2 channels expected, as in training; got 1"):
        load(folder)
    (folder / "Two_TEST.ts").write_text(HEAD + "1,2:3,4:left\n")
    with pytest.raises(DataError, match="classes must be those of the training"):
        load(folder)
    (folder / "Three_TRAIN.ts").write_text(HEAD)
    with pytest.raises(DataError, match="several data sets"):
        load(folder)


def test_missing_values_at_the_ends_and_everywhere(tmp_path):
    path = tmp_path / "gaps.ts"
    path.write_text(HEAD + "?,2,?,4,?:up\n?,?,?,?,?:down\n")
    found = read_ts(path).inputs((1, 5))
    np.testing.assert_array_equal(found[:, 0], [[2, 2, 3, 4, 4], [0, 0, 0, 0, 0]])
