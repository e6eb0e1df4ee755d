from __future__ import annotations

import numpy as np
import pytest

from striate.data import tables
from striate.data.normalisation import Normalisation
from striate.data.tables import csv_dataset, read_table
from striate.errors import DataError


@pytest.fixture
def write(tmp_path):
    def write_text(text: str | bytes, name: str = "table.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write_text


def kaggle(count: int, labelled: bool = True, seed: int = 0) -> tuple[str, np.ndarray, np.ndarray]:
    """The text of a digit recogniser table, its pixels and its labels."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (count, 784)) * rng.integers(0, 2, (count, 784))
    labels = np.arange(count) % 10
    names = [f"pixel{number}" for number in range(784)]
    rows = [",".join(names if not labelled else ["label", *names])]
    for label, row in zip(labels, pixels, strict=True):
        rows.append(",".join(map(str, [label, *row] if labelled else row)))
    return "\n".join(rows) + "\n", pixels, labels


class TestKaggle:
    @pytest.mark.parametrize("block_bytes", [1, 5000, 1 << 22])
    def test_digit_recogniser(self, write, monkeypatch, block_bytes):
        monkeypatch.setattr(tables, "BLOCK_BYTES", block_bytes)
        text, pixels, labels = kaggle(40)
        data = csv_dataset(write(text))
        assert data.inputs.dtype == np.uint8
        assert np.array_equal(data.inputs, pixels.reshape(-1, 1, 28, 28))
        assert np.array_equal(data.targets, labels)
        assert data.classes == tuple("0123456789")

    def test_the_file_without_labels(self, write):
        text, pixels, _ = kaggle(5, labelled=False)
        table = read_table(write(text))
        assert table.labels is None
        assert np.array_equal(table.numbers, pixels)
        with pytest.raises(DataError, match="no column with labels"):
            csv_dataset(write(text))

    def test_without_column_names_the_label_comes_first(self, write):
        text, pixels, labels = kaggle(20)
        data = csv_dataset(write(text.partition("\n")[2]))
        assert np.array_equal(data.inputs.reshape(20, -1), pixels)
        assert np.array_equal(data.targets, labels)


class TestColumns:
    def test_features_with_named_classes_ids_and_groups(self, write):
        path = write("id,a,b,site,Class\n7,0.5,-1,north,up\n8,1.5,2,south,down\n9,2,3,north,up\n")
        data = csv_dataset(path, group="site")
        assert data.inputs.dtype == np.float32
        assert data.inputs.tolist() == [[[0.5], [-1]], [[1.5], [2]], [[2], [3]]]
        assert data.classes == ("down", "up")
        assert data.targets.tolist() == [1, 0, 1]
        assert data.groups.tolist() == [0, 1, 0]

    def test_features_of_different_size_are_each_normalised_by_themselves(self, write):
        data = csv_dataset(write("a,b,label\n1000.5,0.001,x\n3000.5,0.003,y\n"))
        normalised = Normalisation.fit(data).apply(data.inputs)
        assert normalised[:, :, 0] == pytest.approx(np.array([[-1.0, -1.0], [1.0, 1.0]]), abs=1e-4)

    def test_shape_label_by_name_semicolons_and_a_byte_order_mark(self, write):
        path = write(b"\xef\xbb\xbf1;2;3;4;kind\r\n5;6;7;8;1\r\n9;10;11;12;0\r\n")
        data = csv_dataset(path, label="kind", shape=(2, 2))
        assert data.inputs.tolist() == [[[5, 6], [7, 8]], [[9, 10], [11, 12]]]

    def test_label_by_number_and_last_line_without_newline(self, write):
        data = csv_dataset(write("1,2,0\n3,4,1"), label="2")
        assert data.inputs.reshape(2, 2).tolist() == [[1, 2], [3, 4]]
        assert data.targets.tolist() == [0, 1]

    def test_numbers_with_a_fraction_are_regression(self, write):
        data = csv_dataset(write("x1,x2,x3,y\n1,2,3,0.5\n4,5,6,1.5\n"))
        assert data.classes == ()
        assert data.targets.dtype == np.float32
        assert data.targets.tolist() == [[0.5], [1.5]]

    def test_large_whole_numbers_are_kept(self, write):
        assert read_table(write("a,b\n1,300\n")).numbers.tolist() == [[1, 300]]

    def test_bytes_in_one_block_and_not_in_the_next(self, write, monkeypatch):
        monkeypatch.setattr(tables, "BLOCK_BYTES", 1)
        numbers = read_table(write("a,b\n1,2\n-3,0.5\n255,7\n")).numbers
        assert numbers.dtype == np.float32
        assert numbers.tolist() == [[1, 2], [-3, 0.5], [255, 7]]

    def test_blank_lines_at_the_end_are_no_samples(self, write):
        assert len(read_table(write("a,b\n1,2\n\n\n")).numbers) == 1


class TestBadTables:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "the file is empty"),
            ("\n1,2\n", "the first line is empty or not text"),
            (b"\x89PNG\0\0\n", "the first line is empty or not text"),
            ("label,a\n", "at least one sample; got none"),
            ("label,a\n1,2\n1\n", "line 3: 2 cells expected; got 1"),
            ("label,a,b\n1,2,3\n1,2\n", "line 3: 3 cells expected; got 2"),
            ("a,label,b\n1,2,3\n1,2\n", "line 3: 3 cells expected; got 2"),
            ("label,a\n1,2\n\n1,2\n", "line 3: 2 cells expected; got 0"),
            ("label,a\n1,2\n1,two\n", "line 3: numbers expected; got 'two'"),
            ("label,a\n1,2\n1,nan\n", "inputs must be finite; sample 1 is not"),
            ("label,a\n1,2\nnan,2\n", "labels must be finite; got nan for sample 1"),
            ("label\n1\n", "at least one column of numbers expected"),
            ("a,b\n1,2\n", "no column with labels"),
        ],
    )
    def test_one_line_with_path_and_place(self, write, text, message):
        path = write(text)
        with pytest.raises(DataError, match=message) as caught:
            csv_dataset(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)

    def test_the_line_is_counted_across_blocks(self, write, monkeypatch):
        monkeypatch.setattr(tables, "BLOCK_BYTES", 10)
        text = "label,a\n" + "1,2\n" * 50 + "1,x\n"
        with pytest.raises(DataError, match="line 52: numbers expected"):
            csv_dataset(write(text))

    def test_unknown_columns_and_files(self, write, tmp_path):
        path = write("label,a\n1,2\n")
        with pytest.raises(DataError, match="no column 'kind'; the columns are label, a"):
            csv_dataset(path, label="kind")
        with pytest.raises(DataError, match="no column 'site'"):
            csv_dataset(path, group="site")
        with pytest.raises(DataError, match=r"cannot be read .No such file"):
            csv_dataset(tmp_path / "absent.csv")

    def test_a_shape_that_does_not_fit(self, write):
        with pytest.raises(DataError, match="a sample of shape 1 x 2 x 2 needs 4 numbers; got 3"):
            csv_dataset(write("label,a,b,c\n0,1,2,3\n"), shape=(1, 2, 2))
