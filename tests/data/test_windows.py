"""Recordings and logs that are longer than a model takes: told, or read in windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from striate.data import windows
from striate.data.unlabelled import read_unlabelled
from striate.errors import DataError, UsageError

RATE, LENGTH = 1000, 500  # half a second
LOGS = {"columns": ["t", "a", "b"], "has_names": True, "kept": [1, 2]}


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    """A recording of 1.3 seconds that rises."""
    path = tmp_path / "long.wav"
    soundfile.write(path, np.arange(1300) / 2000, RATE, subtype="FLOAT")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    rows = [f"{t},{t},{10 * t}" for t in range(10)]
    path = tmp_path / "machine.csv"
    path.write_text("\n".join(["t,a,b", *rows]), encoding="utf-8")
    return path


def test_what_is_cut_is_told(sound, log, tmp_path):
    found = read_unlabelled(sound, (1, LENGTH), rate=RATE)
    assert found.notes == (
        "read the first 0.5 s, as many as the model takes; it has 1.3 s. To read all, take --step 0.2 "
        "(in Python, read(path, step=0.2)).",
    )
    assert read_unlabelled(sound, (1, 1300), rate=RATE).notes == ()
    rows = read_unlabelled(log, (2, 4), series=LOGS)
    assert rows.notes[0].startswith("read the first 4 rows, as many as the model takes; it has 10 rows.")
    soundfile.write(tmp_path / "short.wav", np.zeros(100), RATE)
    both = read_unlabelled(tmp_path, (1, LENGTH), rate=RATE)
    assert "1 of 2 files go on after them (long.wav first)" in both.notes[0]


def test_windows_of_a_recording_reach_its_end(sound):
    whole, _ = soundfile.read(sound, dtype="float32")
    found = read_unlabelled(sound, (1, LENGTH), rate=RATE, step=0.3)
    starts = [0, 300, 600, 800]
    np.testing.assert_array_equal(found.inputs, [whole[np.newaxis, start : start + LENGTH] for start in starts])
    assert [name.removeprefix(f"{sound}, ") for name in found.names] == [
        "0.00 to 0.50 s", "0.30 to 0.80 s", "0.60 to 1.10 s", "0.80 to 1.30 s",
    ]  # fmt: skip
    assert found.notes == ()


def test_windows_of_logs(log):
    found = read_unlabelled(log, (2, 4), series=LOGS, step=5)
    assert found.inputs[:, 0].tolist() == [[0, 1, 2, 3], [5, 6, 7, 8], [6, 7, 8, 9]]
    assert [name.rpartition(", ")[2] for name in found.names] == ["rows 1 to 4", "rows 6 to 9", "rows 7 to 10"]
    short = read_unlabelled(log, (2, 12), series=LOGS, step=5)
    assert short.inputs[0, 0].tolist() == [*range(10), 9, 9]
    assert short.names[0].endswith("rows 1 to 10")


def test_an_unreadable_file_among_windows_is_listed(sound, tmp_path):
    (tmp_path / "bad.wav").write_bytes(b"RIFF")
    found = read_unlabelled(tmp_path, (1, LENGTH), rate=RATE, step=0.5)
    assert len(found.names) == 3
    assert [Path(bad.path).name for bad in found.bad_files] == ["bad.wav"]


@pytest.mark.parametrize("step", [0, -1, 0.0001, float("nan"), float("inf")])
def test_steps_must_be_positive(sound, step):
    with pytest.raises(UsageError, match=r"step: must be at least 0\.001 s; got"):
        read_unlabelled(sound, (1, LENGTH), rate=RATE, step=step)


def test_steps_are_for_recordings_and_logs(sound, tmp_path):
    with pytest.raises(UsageError, match="a step is for recordings and logs"):
        read_unlabelled(sound, (1, 8, 8), step=1)
    np.save(tmp_path / "x.npy", np.zeros((3, 1, LENGTH)))
    with pytest.raises(UsageError, match="a step is for recordings and logs"):
        read_unlabelled(tmp_path / "x.npy", (1, LENGTH), rate=RATE, step=1)


def test_more_windows_than_fit_are_refused(sound, monkeypatch):
    monkeypatch.setattr(windows, "MOST_BYTES", 10_000)
    with pytest.raises(DataError, match=r"windows may take .* Give a larger --step"):
        read_unlabelled(sound, (1, LENGTH), rate=RATE, step=0.1)
