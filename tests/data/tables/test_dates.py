"""Columns of dates, and of numbers that are written with units."""

import numpy as np
import pytest

from striate.data.options import Options
from striate.data.sources import load_path
from striate.data.tables import Schema, read_table
from striate.data.tables.dates import days_of, order_of
from striate.errors import DataError, ModelFileError


@pytest.mark.parametrize(
    ("cells", "order", "days"),
    [
        (["1970-01-02", "1969-12-31"], "year-month-day", [1, -1]),
        (["2024-03-01T12:00:00Z", "2024/2/29 06:00"], "year-month-day", [19783.5, 19782.25]),
        (["1.3.2024", "29.02.2024 18:00:00"], "day.month.year", [19783, 19782.75]),
        (["13/03/1970", "01/02/1970"], "day/month/year", [71, 31]),
        (["03/13/1970", "01/02/1970"], "month/day/year", [71, 1]),
        (["03/04/1970"], "day/month/year", [92]),
        (["2024-02-30"], None, []),
        (["2024-01-01", "soon"], None, []),
        (["2024-01-01", "1.1.2024"], None, []),
        (["2024-01/01"], None, []),
        (["12:30"], None, []),
        ([], None, []),
    ],
)
def test_dates_are_days(cells, order, days):
    assert order_of(np.array(cells, str)) == order
    if order:
        assert days_of(np.array(cells), order).tolist() == days


@pytest.fixture
def customers(tmp_path):
    """A table whose classes depend on a date; two cells are empty."""
    random = np.random.default_rng(0)
    path = tmp_path / "customers.csv"
    with path.open("w") as file:
        file.write("since;paid;class\n")
        for number in range(100):
            month, day = random.integers(1, 13), random.integers(1, 29)
            cell = "" if number in (3, 4) else f"{day:02}.{month:02}.2020"
            file.write(f"{cell};{1000 + number}.000,50 EUR;{'old' if month < 7 else 'new'}\n")
    return path


def test_a_column_of_dates_is_read_as_days(customers):
    splits = load_path(customers)
    assert splits.train.sample_shape == (1, 1)
    assert "column 'since': dates (day.month.year), read as days since 1970" in splits.notes
    (missing,) = (note for note in splits.notes if "missing values" in note)
    assert missing.startswith("column 'since': 2 missing values, read as the median, 2020-0")
    rows = [line.split(";") for line in customers.read_text().splitlines()[1:]]
    given = [number for number, name in enumerate(splits.train.files) if rows[_row(name)][0]]
    old = splits.train.targets[given] == splits.train.classes.index("old")
    assert np.array_equal(old, splits.train.inputs.ravel()[given] < 18444)  # the first of July
    assert len(given) > 60


def _row(name):
    return int(str(name).rpartition(":")[2]) - 1


def test_numbers_with_units_are_left_out_with_advice(customers):
    (note,) = (note for note in load_path(customers).notes if "'paid'" in note)
    assert note.startswith("column 'paid': 72 different texts in 72 rows; left out (write numbers such as '10")
    assert note.endswith(".000,50 EUR' without units and marks between thousands)")


def test_later_tables_are_read_with_the_same_order(customers, tmp_path):
    schema = Schema.from_dict(load_path(customers).preparation["table"])
    assert Schema.from_dict(schema.to_dict()) == schema
    path = tmp_path / "new.csv"
    path.write_text("since,paid\n02.03.2020,1\n,1\n")
    assert schema.inputs(read_table(path)).ravel().tolist() == [18323, np.float32(schema.columns[0].fill)]
    path.write_text("since,paid\n,1\n")
    assert schema.inputs(read_table(path)).ravel() == np.float32(schema.columns[0].fill)
    path.write_text("since,paid\n02.03.2020,1\n2020-03-02,1\n")
    rule = r"new\.csv: line 3: dates \(day\.month\.year\) expected in column 'since'; got '2020-03-02'\. Put a date"
    with pytest.raises(DataError, match=rule):
        schema.inputs(read_table(path))
    with pytest.raises(DataError, match="the value in column 'since' is missing"):
        load_path(customers, Options(missing="refuse"))


@pytest.mark.parametrize("change", [{"date": "year"}, {"date": 3}, {"fill": None}])
def test_a_damaged_record_is_refused(customers, change):
    record = load_path(customers).preparation["table"]
    record["columns"][0].update(change)
    with pytest.raises(ModelFileError, match="the record of its columns is damaged"):
        Schema.from_dict(record)
