"""A table is read as the one that the model was trained on, or refused in one line."""

import json

import numpy as np
import pytest

from striate.data.options import Options
from striate.data.tables import Schema, read_table, table_splits
from striate.errors import DataError, ModelFileError

TRAIN = "age,colour,price,height\n30,red,100,1.5\n50,blue,200,1.7\n40,red,300,1.9\n20,red,10,1.2\n"
BARE = "30,1,1.5\n50,0,1.7\n40,1,1.9\n"


@pytest.fixture
def schema_of(tmp_path):
    def fit(text, **options):
        path = tmp_path / "train.csv"
        path.write_text(text)
        splits = table_splits({"all": path}, Options(test_fraction=0, **options), 0, 0)
        return Schema.from_dict(json.loads(json.dumps(splits.preparation["table"]))), splits.train

    return fit


@pytest.fixture
def inputs(tmp_path):
    def read(schema, text):
        path = tmp_path / "later.csv"
        path.write_text(text)
        return schema.inputs(read_table(path))[:, :, 0].tolist()

    return read


def test_columns_in_any_order_with_or_without_the_label(schema_of, inputs):
    schema, train = schema_of(TRAIN, label="price")
    assert schema.features == ["age", "colour=blue", "colour=red", "height"]
    assert inputs(schema, TRAIN) == train.inputs[:, :, 0].tolist()
    one = [[np.float32(33), 0, 1, np.float32(1.25)]]
    assert inputs(schema, "height,age,colour\n1.25,33,red\n") == one
    assert inputs(schema, "Colour,HEIGHT,age,price\nred,1.25,33,7\n") == one


def test_unknown_categories_are_zeros_and_missing_numbers_medians(schema_of, inputs, tmp_path):
    schema, _ = schema_of(TRAIN, label="price")
    assert inputs(schema, "age,colour,height\n,green,1\n1,,2\n") == [[35, 0, 0, 1], [1, 0, 0, 2]]
    assert schema.notes(read_table(tmp_path / "later.csv")) == [
        "column 'colour': 'green' not in the training data (1 of 2 rows); read as no known category"
    ]
    assert schema.notes(read_table(tmp_path / "train.csv")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age,colour\n1,red\n", "'height' is missing"),
        ("age\n1\n", "'colour', 'height' are missing"),
        ("age,colour,height,weight\n1,red,2,3\n", "got 'weight' too. Remove it"),
        ("1,red,2\n", "its first line must name the columns"),
        ("age,colour,height\nold,red,2\n", "line 2: numbers expected in column 'age'; got 'old'"),
        ("age,colour,height\n31,red,2\n3 years,red,2\n", "line 3: numbers expected in column 'age'; got '3 years'"),
    ],
)
def test_other_tables_are_refused_with_their_columns_named(schema_of, inputs, text, message):
    schema, _ = schema_of(TRAIN, label="price")
    with pytest.raises(DataError, match=message):
        inputs(schema, text)


@pytest.mark.parametrize("label", ["0", "1", "2"])
def test_columns_without_names_go_by_their_order(schema_of, inputs, label):
    schema, train = schema_of(BARE, label=label, task="regression")
    expected = train.inputs[:, :, 0].tolist()
    assert inputs(schema, BARE) == expected
    without = "\n".join(",".join(np.delete(row.split(","), int(label))) for row in BARE.split()) + "\n"
    assert inputs(schema, without) == expected
    with pytest.raises(
        DataError, match="2 columns that the model was trained on, with or without the label; got 4"
    ):
        inputs(schema, "1,2,3,4\n")


@pytest.mark.parametrize("damage", [{"columns": [{}]}, {"columns": 3}, {"shape": "x"}, {"ignored": None}])
def test_a_damaged_record_is_refused(schema_of, damage):
    schema, _ = schema_of(TRAIN, label="price")
    with pytest.raises(ModelFileError, match="record of its columns is damaged"):
        Schema.from_dict({**schema.to_dict(), **damage})


class TestShortSeries:
    """Columns that are called alike are a series where neighbours are alike."""

    def table(self, tmp_path, values, name="h{}"):
        heads = ",".join(["label", *(name.format(n) for n in range(values.shape[1]))])
        rows = [",".join(["ab"[n % 2], *(f"{value:.3f}" for value in row)]) for n, row in enumerate(values)]
        path = tmp_path / "hours.csv"
        path.write_text("\n".join([heads, *rows]) + "\n")
        return path

    def splits(self, path, shape=None):
        from striate.data.options import Options
        from striate.data.tables import table_splits

        return table_splits({"all": path}, Options(shape=shape), 0, 0)

    def waves(self):
        starts = np.random.default_rng(0).uniform(0, 6, (60, 1))
        return np.sin(np.arange(24) / 4 + starts)

    def test_waves_are_a_series_and_may_be_read_as_features(self, tmp_path):
        found = self.splits(self.table(tmp_path, self.waves()))
        assert found.train.sample_shape == (1, 24)
        assert "columns 'h0' to 'h23': a series (--shape 24x1 reads them as features)" in found.notes
        assert self.splits(self.table(tmp_path, self.waves()), (24, 1)).train.sample_shape == (24, 1)

    def test_numbered_features_stay_features(self, tmp_path):
        noise = np.random.default_rng(0).normal(size=(60, 24)) * np.linspace(3, 0.1, 24)
        assert self.splits(self.table(tmp_path, noise)).train.sample_shape == (24, 1)

    def test_measurements_in_different_units_stay_features(self, tmp_path):
        """The last column has much larger values: it alone makes most neighbours look alike."""
        from sklearn.datasets import load_wine

        assert self.splits(self.table(tmp_path, load_wine().data)).train.sample_shape == (13, 1)

    def test_columns_with_names_of_their_own_stay_features(self, tmp_path):
        path = self.table(tmp_path, self.waves())
        path.write_text(path.read_text().replace("h7", "height"))
        assert self.splits(path).train.sample_shape == (24, 1)


def test_gaps_of_a_series_are_interpolated_in_training_and_later(schema_of, tmp_path):
    names, steps = ",".join(f"h{n}" for n in range(12)), np.arange(12)
    rows = [np.sin(0.4 * steps + start) for start in range(30)]
    lines = [[f"{value:.4f}" for value in row] for row in rows]
    lines[3][5] = lines[4][0] = lines[4][1] = ""
    text = "".join(f"{','.join(line)},{'ab'[n % 2]}\n" for n, line in enumerate(lines))
    schema, train = schema_of(f"{names},class\n{text}")
    assert schema.is_series
    expected = np.array([[float(cell or "nan") for cell in line] for line in lines])
    expected[3, 5] = (expected[3, 4] + expected[3, 6]) / 2
    expected[4, :2] = expected[4, 2]
    order = [int(name.rpartition(":")[2]) - 1 for name in train.files]
    assert np.array_equal(train.inputs[:, 0], expected[order].astype(np.float32))
    path = tmp_path / "train.csv"
    notes = table_splits({"all": path}, Options(test_fraction=0), 0, 0).notes
    assert "3 missing values, interpolated between their neighbours" in notes
    assert not any("median" in note for note in notes)
    assert np.array_equal(schema.inputs(read_table(path))[:, 0], expected.astype(np.float32))
    features, _ = schema_of(f"{names},class\n{text}", shape=(12, 1))
    assert not features.is_series
    assert features.inputs(read_table(path))[3, 5, 0] == np.float32(features.columns[5].fill)
    with pytest.raises(DataError, match="the value in column 'h0' is missing"):
        schema.inputs(read_table(path), "refuse")
