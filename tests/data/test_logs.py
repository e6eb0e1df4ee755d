from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest

from striate.data.logs import LogReader, scan_log
from striate.data.options import Options
from striate.data.preparation import check_preparation
from striate.data.sources import load_path
from striate.data.unlabelled import read_unlabelled
from striate.errors import DataError, ModelFileError, UsageError


@pytest.fixture
def write(tmp_path):
    """Write a log of a class; its values tell the file, the moment and the channel."""

    def log(label, number, rows=10, head="time,x,y\n", row=lambda t, n: f"{t / 50},{n + t},{-n - t}"):
        (tmp_path / label).mkdir(exist_ok=True)
        path = tmp_path / label / f"{number}.csv"
        path.write_text(head + "".join(row(t, number) + "\n" for t in range(rows)))
        return path

    return log


@pytest.fixture
def motions(write, tmp_path):
    for number in range(20):
        write(("walk", "run")[number % 2], number, rows=9 + number % 3)
    return tmp_path


def test_columns_are_channels_and_the_longest_file_decides_the_length(motions):
    splits = load_path(motions)
    assert splits.train.sample_shape == (2, 11)
    assert splits.train.classes == ("run", "walk")
    assert "channels: x, y; left out: time" in splits.notes
    for x, y in splits.train.inputs:
        length = 9 + int(x[0]) % 3
        expected = x[0] + np.minimum(np.arange(11), length - 1)
        assert np.array_equal([x, y], [expected, -expected])


@pytest.mark.parametrize(("head", "row"), [
    ("", lambda t, n: f"{t},{(n + t) % 7},{n - t}"),
    ("clock;x;y\n", lambda t, n: f"{t},5;{(n + t) % 7},0;{n - t}"),
    ("when,x,y\n", lambda t, n: f"2024-01-01 10:00:{t:02},{(n + t) % 7},{n - t}"),
])  # fmt: skip
def test_the_time_is_left_out_by_its_values_or_as_text(write, head, row):
    reader = LogReader.for_headers([scan_log(write("a", n, head=head, row=row)) for n in range(3)])
    assert (reader.kept, reader.shape) == ((1, 2), (2, 10))
    assert np.array_equal(reader.read(write("a", 1, head=head, row=row))[1], 1.0 - np.arange(10))


def test_one_column_that_rises_is_a_channel(write):
    logs = [write("a", number, head="", row=lambda t, n: str(t)) for number in range(2)]
    assert LogReader.for_headers([scan_log(log) for log in logs]).shape == (1, 10)


def test_columns_are_found_by_name_and_gaps_interpolated(write):
    reader = LogReader(("t", "x", "y"), True, (1, 2), 4)
    found = reader.read(write("a", 0, 3, "y,note,X\n", lambda t, n: f"{t},good,{'' if t == 1 else 10 * t}"))
    assert np.array_equal(found, [[0, 10, 20, 20], [0, 1, 2, 2]])


def test_columns_are_left_out_on_request(motions):
    splits = load_path(motions, Options(ignore=("X",)))
    assert splits.train.sample_shape == (1, 11)
    assert "channels: y; left out: time, x" in splits.notes
    assert (splits.train.inputs <= 0).all()  # y falls from 0
    with pytest.raises(UsageError, match="ignore: column: unknown name 'z'"):
        load_path(motions, Options(ignore=("z",)))
    with pytest.raises(DataError, match="a column of numbers must be left; got x, y"):
        load_path(motions, Options(ignore=("x", "y")))
    with pytest.raises(DataError, match="the folders are the classes; got the label 'y' too"):
        load_path(motions, Options(label="y"))


def test_bad_files_are_left_out_and_notes_passed_over(motions, write):
    write("walk", 100, head="time,x\n", row=lambda t, n: f"{t},1")
    write("walk", 101, rows=0, head="")
    write("run", 102, head="time,x,y\n", row=lambda t, n: f"{t},1,high")
    (motions / "run" / "notes.txt").write_text("recorded on Monday\n")
    splits = load_path(motions)
    reasons = {path.rsplit("/", 1)[-1]: reason for path, reason in splits.bad_files}
    assert reasons.keys() == {"100.csv", "101.csv", "102.csv"}
    assert reasons["100.csv"] == "columns y are missing; it has time, x"
    assert "the file is empty" in reasons["101.csv"]
    assert reasons["102.csv"] == "column y must hold numbers"


def test_a_model_reads_one_file_a_folder_and_a_list_as_in_training(motions):
    splits = load_path(motions)
    check_preparation(splits.preparation)
    one = read_unlabelled(motions / "walk" / "2.csv", (2, 11), **splits.preparation)
    assert one.inputs.shape == (1, 2, 11)
    assert one.inputs[0, 0, 0] == 2
    assert len(read_unlabelled(motions, (2, 11), **splits.preparation).inputs) == 20
    (motions / "list.csv").write_text("file,label\nwalk/2.csv,walk\nrun/1.csv,run\n")
    listed = read_unlabelled(motions / "list.csv", (2, 11), **splits.preparation)
    assert listed.inputs[:, 0, 0].tolist() == [2, 1]


def test_a_model_reads_an_archive(motions, write):
    preparation = load_path(motions).preparation
    write("walk", 100, head="time,x\n", row=lambda t, n: f"{t},1")
    archive = Path(shutil.make_archive(str(motions / "sent"), "zip", motions, "walk"))
    found = read_unlabelled(archive, (2, 11), **preparation)
    assert found.names[0] == f"{archive}:walk/0.csv"
    assert len(found.inputs) == 10
    assert found.bad_files == [(f"{archive}:walk/100.csv", "columns y are missing; it has time, x")]
    with zipfile.ZipFile(archive, "w") as content:
        content.writestr("other.csv", "a,b\n1,2\n")
    with pytest.raises(DataError, match=r"sent\.zip:other\.csv: columns x, y are missing; it has a, b\."):
        read_unlabelled(archive, (2, 11), **preparation)


def test_a_table_lists_logs(motions):
    lines = [f"{('walk', 'run')[number % 2]}/{number}.csv,{('slow', 'fast')[number % 2]}" for number in range(20)]
    (motions / "list.csv").write_text("\n".join(["file,label", *lines]))
    assert load_path(motions / "list.csv").train.classes == ("fast", "slow")


@pytest.mark.parametrize("record", [{}, {"columns": ["x"], "kept": [1]}, {"columns": ["x"], "kept": []}])
def test_a_damaged_record_is_refused(record):
    with pytest.raises(ModelFileError, match="series: the record of its columns is damaged"):
        check_preparation({"series": record})
