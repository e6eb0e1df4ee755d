from __future__ import annotations

import numpy as np
import pytest

from striate.data.normalisation import Normalisation
from striate.data.options import Options
from striate.data.sources import load_path
from striate.data.tables import csv_dataset, loading, read_table, reading, table_splits
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
        monkeypatch.setattr(reading, "BLOCK_BYTES", block_bytes)
        text, pixels, labels = kaggle(40)
        data = csv_dataset(write(text))
        assert data.inputs.dtype == np.uint8
        assert np.array_equal(data.inputs, pixels.reshape(-1, 1, 28, 28))
        assert np.array_equal(data.targets, labels)
        assert data.classes == tuple("0123456789")

    def test_the_file_without_labels(self, write):
        text, pixels, _ = kaggle(5, labelled=False)
        assert np.array_equal(read_table(write(text)).numbers, pixels)
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

    def test_blank_lines_are_no_samples(self, write):
        assert len(read_table(write("a,b\n1,2\n\n3,4\n\n\n")).numbers) == 2


MIXED = """id,age,colour,site,price
1,30,red,n,100
2,,blue,s,200.5
3,50,red,n,
4,40,NA,s,400
5,20,green,n,500
6,30,red,s,600
"""


class TestMixedTables:
    def splits(self, path, **options):
        return table_splits({"all": path}, Options(**{"test_fraction": 0, **options}), 0, 0)

    def test_categories_and_missing_numbers(self, write):
        found = self.splits(write(MIXED), label="price")
        expected = [
            [30, 0, 0, 1, 1, 0],
            [30, 1, 0, 0, 0, 1],
            [40, 0, 0, 0, 0, 1],
            [20, 0, 1, 0, 1, 0],
            [30, 0, 0, 1, 0, 1],
        ]
        assert found.train.inputs[:, :, 0].tolist() == expected
        assert found.train.targets.tolist() == [[100], [200.5], [400], [500], [600]]
        assert found.preparation["table"]["labels"] == ("price",)
        notes = "\n".join(found.notes)
        for part in ("left out: 'id'", "'age': 1 missing value, read as the median, 30", "1 row without a label"):
            assert part in notes

    def test_the_median_is_that_of_the_training_rows(self, write):
        rows = "\n".join(f"{value},{value % 2}" for value in [*range(40), ""] if value != "") + "\n,1\n"
        splits = table_splits({"all": write("a,label\n" + rows)}, Options(), 0, 0.2)
        seen = splits.train.inputs[:, 0, 0]
        column = splits.preparation["table"]["columns"][0]
        known = seen[seen != column["fill"]] if np.count_nonzero(seen == column["fill"]) > 1 else seen
        assert np.median(known) == pytest.approx(column["fill"], abs=1)

    def test_missing_numbers_are_refused_by_choice(self, write):
        with pytest.raises(DataError, match="line 3: the value in column 'age' is missing"):
            self.splits(write(MIXED), label="price", missing="refuse")

    def test_columns_left_out_by_name(self, write):
        found = self.splits(write(MIXED), label="price", ignore=("colour", "site"))
        assert found.train.sample_shape == (1, 1)

    def test_text_that_is_all_different_is_left_out_and_said(self, write):
        rows = "".join(f"person {i},{i * i},{'ab'[i % 2]}\n" for i in range(20))
        found = self.splits(write("name,x,label\n" + rows))
        assert found.train.sample_shape == (1, 1)
        assert "column 'name': 20 different texts in 20 rows; left out" in found.notes

    def test_sentences_beside_other_columns_are_pointed_out(self, write):
        rows = "".join(f"the number {i} is what we sell here,{i * i},{'ab'[i % 2]}\n" for i in range(20))
        notes = self.splits(write("text,x,label\n" + rows)).notes
        assert any("'text' seems to hold sentences; " in note and "--ignore 'x'" in note for note in notes)

    def test_constant_and_counting_columns_are_pointed_out(self, write):
        rows = "".join(f"{i + 100},7,{i % 3 / 2},{'ab'[i % 2]}\n" for i in range(30))
        notes = self.splits(write("number,same,x,label\n" + rows)).notes
        assert any("'same' is always 7" in note for note in notes)
        assert any("'number' seems to number the rows" in note for note in notes)
        assert not any("'x'" in note for note in notes)

    def test_constant_texts_are_pointed_out(self, write):
        rows = "".join(f"DE,{'north' if i % 3 else ''},{i * i % 17},{'ab'[i % 2]}\n" for i in range(30))
        notes = self.splits(write("country,part,x,label\n" + rows)).notes
        assert "column 'country' is always 'DE', so it tells nothing" in notes
        assert "column 'part': 10 missing values, read as no category" in notes
        assert not any("'part' is always" in note for note in notes)

    def test_missing_values_of_every_part_are_counted(self, write):
        rows = "".join(f"{'' if i % 2 else i * i % 17},{i % 2}\n" for i in range(40))
        notes = self.splits(write("x,label\n" + rows)).notes
        assert any(note.startswith("column 'x': 20 missing values, read as the median, ") for note in notes)

    def test_many_named_features_are_no_signal(self, write):
        names = [*"abcdefghij", *(f"f{i}_x" for i in range(60))]
        row = ",".join(["1.5"] * 70)
        data = csv_dataset(write(",".join([*names, "label"]) + f"\n{row},0\n{row},1\n"))
        assert data.sample_shape == (70, 1)
        samples = csv_dataset(write(",".join([*(f"t{i}" for i in range(70)), "label"]) + f"\n{row},0\n{row},1\n"))
        assert samples.sample_shape == (1, 70)

    def test_a_table_for_each_split_and_one_without_labels(self, write, tmp_path):
        write("a,c,label\n1,x,up\n2,y,down\n3,x,up\n4,y,down\n", "train.csv")
        write("label,c,a\ndown,x,9\n", "val.csv")
        write("c,a\nx,9\n", "test.csv")
        paths = {
            name: tmp_path / f"{stem}.csv"
            for name, stem in (("train", "train"), ("validation", "val"), ("test", "test"))
        }
        splits = table_splits(paths, Options(), 0, 0.1)
        assert len(splits.train) == 4
        assert splits.validation.inputs[:, :, 0].tolist() == [[9, 1, 0]]
        assert splits.validation.targets.tolist() == [0]
        assert splits.test is None


class TestLabels:
    def targets(self, write, values, **options):
        rows = "".join(f"{i % 7},{value}\n" for i, value in enumerate(values))
        return table_splits({"all": write("x,label\n" + rows)}, Options(test_fraction=0, **options), 0, 0)

    @pytest.mark.parametrize(
        ("values", "classes"),
        [
            ([0, 1] * 5, 2),
            ([1000, 9000] * 5, 2),
            ([3, 4, 5, 8] * 5, 4),
            ([*range(1, 31)] * 4, 30),
            (["a", "b"] * 5, 2),
            ([5750 + 17 * i for i in range(40)], 0),
            ([100_000 + 25_000 * i for i in range(10)] * 3, 0),
            ([*range(30)], 0),
            ([0.5, 1] * 5, 0),
        ],
    )
    def test_whole_numbers_with_many_or_wide_values_are_a_regression(self, write, values, classes):
        assert len(self.targets(write, values).train.classes) == classes

    def test_the_task_decides(self, write):
        found = self.targets(write, [0, 1, 2] * 5, task="regression")
        assert found.train.targets.dtype == np.float32
        assert found.notes == ("label 'label': a number from 0 to 2, predicted by regression",)
        found = self.targets(write, [5750 + i for i in range(5)] * 2, task="classification")
        assert found.train.classes == ("5750", "5751", "5752", "5753", "5754")

    def test_the_line_says_how_to_change_it(self, write):
        assert (
            self.targets(write, [0, 1, 2] * 5)
            .notes[0]
            .endswith("3 classes (--task regression predicts a number instead)")
        )
        assert "--task classification" in self.targets(write, [i + 0.5 for i in range(9)]).notes[0]

    def test_labels_that_cannot_be_of_the_task(self, write):
        with pytest.raises(DataError, match="labels that are numbers; got 'a'"):
            self.targets(write, ["a", "b"] * 3, task="regression")
        with pytest.raises(DataError, match=r"whole numbers; got 0\.5"):
            self.targets(write, [0.5, 1] * 3, task="classification")

    def test_without_names_the_only_column_of_text(self, write):
        data = csv_dataset(write("5.1,3.5,setosa\n4.9,3.0,setosa\n6.3,3.3,virginica\n"))
        assert data.classes == ("setosa", "virginica")
        assert data.sample_shape == (2, 1)


class TestBadTables:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "the file is empty"),
            (b"\x89PNG\0\0\n", "a table must be text; got zero bytes"),
            (b"PK\x03\x04rest", "a zip archive or an Excel workbook"),
            ("label,a\n", "at least one sample; got none"),
            ("label,a\n1,2\n1\n", "line 3: 2 cells expected; got 1"),
            ("label,a,b\n1,2,3\n1,2\n", "line 3: 3 cells expected; got 2"),
            ("label,a\n" + "1,2\n" * 20 + "1,two\n", "line 22: numbers expected in column 'a'; got 'two'"),
            ("label,a\n" + "1,2\n" * 20 + "1,1_000\n", "line 22: numbers expected in column 'a'; got '1_000'"),
            ("label,a\n" + "1,2\n" * 20 + "1,\u0663\n", "line 22: numbers expected in column 'a'"),
            ("label,a\n1,2\n1,inf\n", "line 3: numbers in column 'a' must be finite, and below 3.4e38; got inf"),
            ("label,a\n1,2\n1,-1e39\n", "line 3: numbers in column 'a' must be finite, and below 3.4e38; got -1e"),
            ("label,a\n1e39,2\n0.5,3\n", "labels must be finite, and below 3.4e38; got 1e[+]39 for sample 0"),
            ("label,a\nnan,2\n,2\n", "no row has a label in column 'label'"),
            ("label\n1\n", "needs a column of numbers or categories"),
            ("a,b\n1,2\n", "no column with labels"),
        ],
    )
    def test_one_line_with_path_and_place(self, write, text, message):
        path = write(text)
        with pytest.raises(DataError, match=message) as caught:
            csv_dataset(path)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)

    def test_unknown_columns_and_files(self, write, tmp_path):
        path = write("label,a\n1,2\n")
        with pytest.raises(DataError, match="no column 'kind'; the columns are label, a"):
            csv_dataset(path, label="kind")
        with pytest.raises(DataError, match=r"the columns are label, a. Did you mean 'label'\?"):
            csv_dataset(path, label="Lable")
        with pytest.raises(DataError, match="no column 'site'"):
            csv_dataset(path, group="site")
        with pytest.raises(DataError, match=r"cannot be read .No such file"):
            csv_dataset(tmp_path / "absent.csv")

    def test_the_last_columns_of_many_are_named(self, write):
        path = write(",".join(f"c{n}" for n in range(20)) + "\n" + ",".join("1" * 20))
        with pytest.raises(
            DataError, match=r"the columns are c0, c1, .*, c9, \.\.\., c18, c19\. Name the one to predict"
        ):
            load_path(path)

    def test_prices_with_units_are_no_classes(self, write):
        path = write("area,price\n" + "".join(f"{n},{n}.000 EUR\n" for n in range(10, 40)))
        rule = (
            r"class '10\.000 EUR' has 1\. .*; to predict numbers instead, write them without units, and use --task"
        )
        with pytest.raises(DataError, match=rule):
            load_path(path, Options(label="price"))

    def test_a_shape_that_does_not_fit(self, write):
        with pytest.raises(DataError, match="a sample of shape 1 x 2 x 2 needs 4 numbers; got 3"):
            csv_dataset(write("label,a,b,c\n0,1,2,3\n"), shape=(1, 2, 2))


class TestSeveralLabels:
    ROWS = "a,height,b,width\n" + "".join(f"{n},{2 * n}.5,{n % 7},{n - 3}\n" for n in range(40))

    def test_numbers_are_targets_with_the_names_of_their_columns(self, write):
        splits = table_splits({"all": write(self.ROWS)}, Options(label="height, width", test_fraction=0), 0, 0)
        assert splits.train.target_names == ("height", "width")
        assert splits.train.targets[:2].tolist() == [[0.5, -3.0], [2.5, -2.0]]
        assert splits.train.sample_shape == (2, 1)
        assert "labels 'height', 'width': 2 numbers, predicted by regression" in splits.notes

    def test_zeros_and_ones_are_labels_each_on_or_off(self, write):
        rows = "a,red,big\n" + "".join(f"{n},{n % 2},{int(n > 9)}\n" for n in range(40))
        data = table_splits({"all": write(rows)}, Options(label="red,big", test_fraction=0), 0, 0).train
        assert data.classes == ("red", "big")
        assert data.targets.dtype == np.float32
        assert data.target_names == ()

    def test_new_tables_may_have_them_or_not(self, write):
        splits = table_splits({"all": write(self.ROWS)}, Options(label="height,width"), 0, 0)
        again = Options(preparation=splits.preparation, test_fraction=0)
        assert table_splits({"all": write(self.ROWS)}, again, 0, 0).train.target_names == ("height", "width")
        parts = {"train": write(self.ROWS, "train.csv"), "test": write(self.ROWS, "test.csv")}
        assert len(table_splits(parts, Options(label="height,width"), 0, 0).test) == 40

    def test_a_column_whose_name_has_a_comma_is_one_label(self, write):
        rows = 'a,"x,y"\n' + "".join(f"{n},{n}.5\n" for n in range(30))
        assert csv_dataset(write(rows), label="x,y").target_names == ("x,y",)

    def test_text_and_unknown_columns_are_refused(self, write):
        path = write("a,b,c\n1,red,2\n2,blue,3\n")
        with pytest.raises(
            DataError,
            match="several label columns must all hold numbers, 0 and 1, or yes and no; column 'b' holds 'red'",
        ):
            csv_dataset(path, label="b,c")
        with pytest.raises(DataError, match=r"no column 'd'; the columns are a, b, c. Use one of these"):
            csv_dataset(path, label="c,d")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label": "knd"}, "no column 'knd'; the columns are a, kind. Did you mean 'kind'?"),
        ({"label": "kind", "group": "site"}, "no column 'site'"),
        ({"label": "kind", "ignore": ("b",)}, "no column 'b'"),
        ({}, "no column with labels"),
    ],
)
def test_names_are_checked_before_the_rows_are_read(write, monkeypatch, options, message):
    path = write("a,kind\n1,x\n2,y\n")
    monkeypatch.setattr(loading, "read_table", lambda *given: pytest.fail("the rows were read"))
    with pytest.raises(DataError) as caught:
        table_splits({"all": path}, Options(**options), 0, 0.1)
    assert message in str(caught.value)
