"""Tables whose numbers are in a file give the same data sets as tables in memory, and the same messages."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from striate.data.normalisation import Normalisation
from striate.data.options import Options
from striate.data.sources import load_path
from striate.data.streaming import Stream, cache, spool
from striate.data.tables import read_table, reading, stored
from striate.data.tables.stored import Gathering, StoredNumbers
from striate.errors import DataError
from striate.models import mlp
from striate.training import Trainer

ROWS = 60
KINDS = (
    "bytes",
    "bytes, then whole numbers",
    "bytes, then fractions",
    "fractions and text",
    "missing values",
    "missing labels",
    "regression",
)


def written(path, names, columns):
    rows = [",".join(names), *(",".join(map(str, row)) for row in zip(*columns, strict=True))]
    path.write_text("\n".join(rows) + "\n")
    return path


def columns(kind):
    """Names and columns of a table with labels in the last one."""
    rng = np.random.default_rng(0)
    label = [f"kind{number % 3}" for number in range(ROWS)]
    real, whole = rng.normal(size=ROWS), rng.integers(0, 99999, ROWS)
    small, text = rng.integers(0, 256, ROWS), [f"site {number % 5}" for number in range(ROWS)]
    gaps = ["" if number % 7 == 0 else value for number, value in enumerate(real)]
    return {
        "bytes": (["p0", "p1", "p2", "p3", "label"], [small, small[::-1], small, small, small % 3]),
        "bytes, then whole numbers": (["a", "b", "label"], [small, [*small[:50], *whole[50:]], small % 2]),
        "bytes, then fractions": (["a", "b", "label"], [small, [*small[:50], *real[50:]], small % 2]),
        "fractions and text": (["a", "site", "b", "label"], [real, text, whole, label]),
        "missing values": (["a", "b", "label"], [gaps, whole, label]),
        "missing labels": (["a", "b", "label"], [real, whole, ["" if n < 5 else n % 2 for n in range(ROWS)]]),
        "regression": (["a", "b", "y"], [real, whole, real * 2 + 0.1]),
        "texts": (["a", "label"], [[f"words {n} of {n % 4}" for n in range(ROWS)], label]),
    }[kind]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """A cache of its own, and blocks of a few rows."""
    for module in (cache, spool):
        monkeypatch.setattr(module, "decoded_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(reading, "BLOCK_BYTES", 100)
    monkeypatch.setattr(reading, "BLOCK_ROWS", 7)
    monkeypatch.setattr(stored, "BLOCK_BYTES", 200)


def entries(tmp_path):
    return sorted((tmp_path / "cache").glob("*"))


def both(path, **options):
    return (load_path(path, Options(read=how, **options), seed=3) for how in ("memory", "stream"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", ["file", "cache"])
def test_a_table_is_the_same_streamed_and_in_memory(tmp_path, kind, source):
    path = written(tmp_path / "a.csv", *columns(kind))
    if source == "cache":
        load_path(path, Options(read="stream"))
        before = [(entry, entry.stat().st_ino) for entry in entries(tmp_path)]
    memory, streamed = both(path)
    if source == "cache":
        assert [(entry, entry.stat().st_ino) for entry in entries(tmp_path)] == before
    for name in ("train", "validation", "test"):
        here, there = getattr(memory, name), getattr(streamed, name)
        assert isinstance(there.inputs, Stream)
        assert (there.inputs.dtype, there.inputs.shape) == (here.inputs.dtype, here.inputs.shape)
        for key in (slice(None), 2, np.array([3, 0, 1, 2, 0])):
            assert np.array_equal(there.inputs[key], here.inputs[key])
        assert np.array_equal(there.targets, here.targets)
        assert there.classes == here.classes
        assert Normalisation.fit(there) == Normalisation.fit(here)
    assert streamed.preparation == memory.preparation
    assert streamed.notes[:-1] == memory.notes
    assert np.array_equal(pickle.loads(pickle.dumps(streamed.train.inputs))[:], memory.train.inputs)


def test_a_table_of_texts_stays_in_memory(tmp_path):
    memory, streamed = both(written(tmp_path / "a.csv", *columns("texts")))
    assert np.array_equal(streamed.train.inputs, memory.train.inputs)


def test_a_network_learns_the_same_bits(tmp_path):
    found = []
    for splits in both(written(tmp_path / "a.csv", *columns("missing values"))):
        trainer = Trainer(mlp(3, splits.train.sample_shape, hidden=(8,)), seed=1)
        trainer.fit(splits.train, splits.validation, epochs=2)
        found.append({name: values.tobytes() for name, values in trainer.model.parameters.items()})
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("a,b,label\n" + "1,2,x\n" * 30 + "1,oops,y\n" + "1,2,x\n" * 30, {}),
        ("a,b,label\n" + "1,2,x\n" * 30 + "1,2\n" + "1,2,x\n" * 30, {}),
        ("a,b,label\n" + "1,2,x\n2,1,y\n" * 20 + "1,1e39,x\n" + "1,2,x\n" * 30, {}),
        ("a,b,label\n" + "1,2,x\n3,,y\n" * 20, {"missing": "refuse"}),
        ("a,b,label\n" + "1,2,x\n3,1,y\n" * 20, {"label": "c"}),
        ("a,b,label\n", {}),
    ],
)
def test_bad_lines_give_the_same_message(tmp_path, content, options):
    (tmp_path / "a.csv").write_text(content)
    messages = []
    for how in ("memory", "stream"):
        with pytest.raises(DataError) as found:
            load_path(tmp_path / "a.csv", Options(read=how, **options))
        messages.append(str(found.value))
    assert messages[0] == messages[1]


def test_a_file_that_is_written_while_it_is_read_is_an_error(tmp_path, monkeypatch):
    path = written(tmp_path / "a.csv", *columns("regression"))

    def meanwhile(*arguments):
        with path.open("a") as file:
            file.write("1,2,3\n")
        return parse(*arguments)

    parse = reading.parse_numbers
    monkeypatch.setattr(reading, "parse_numbers", meanwhile)
    with pytest.raises(DataError, match=r"was written while it was being read. Start again when it is complete"):
        read_table(path, "stream")
    assert not entries(tmp_path)


def test_a_changed_file_is_read_again_and_replaces_the_old_entry(tmp_path):
    path = written(tmp_path / "a.csv", *columns("regression"))
    assert len(read_table(path, "stream")) == ROWS
    with path.open("a") as file:
        file.write("1,2,3\n")
    assert read_table(path, "stream").column(2)[-1] == 3
    assert len(entries(tmp_path)) == 2


@pytest.mark.parametrize("what", ["a bit", "shorter", "notes", "another user"])
def test_a_cache_that_cannot_be_trusted_is_made_again(tmp_path, monkeypatch, what):
    path = written(tmp_path / "a.csv", *columns("fractions and text"))
    memory = read_table(path)
    read_table(path, "stream")
    notes, data = entries(tmp_path)
    content, before = bytearray(data.read_bytes()), data.stat().st_ino
    (tmp_path / "first").hardlink_to(data)
    if what == "a bit":
        content[-1] ^= 4
        data.write_bytes(content)
    elif what == "shorter":
        data.write_bytes(content[:-8])
    elif what == "notes":
        notes.write_text('{"rows": "many"}')
    else:
        monkeypatch.setattr(cache, "is_own", lambda status: False)
    again = read_table(path, "stream")
    assert data.stat().st_ino != before
    for number in range(4):
        assert np.array_equal(again.column(number), memory.column(number))
    assert np.array_equal(again.lines, memory.lines)


def test_without_room_for_lines_and_texts_the_file_is_a_temporary_one(tmp_path, monkeypatch):
    path = written(tmp_path / "a.csv", *columns("regression"))
    monkeypatch.setenv("STRIATE_CACHE_GB", str(3 * 8 * ROWS / 1e9))
    table = read_table(path, "stream")
    assert [entry.suffix for entry in entries(tmp_path)] == [".part"]
    assert np.array_equal(table.column(0), read_table(path).column(0))
    del table
    assert not entries(tmp_path)


def test_the_file_is_used_from_the_size_on_at_which_memory_is_short(tmp_path, monkeypatch):
    path = written(tmp_path / "a.csv", *columns("bytes"))
    assert isinstance(read_table(path, "auto").numbers, np.ndarray)
    monkeypatch.setattr("striate.data.streaming.choice.available_memory", lambda: 4 * ROWS)
    assert isinstance(read_table(path, "auto").numbers, StoredNumbers)


@pytest.mark.parametrize("memory", [0, 16 * 8 * 50, 1 << 30])
def test_columns_are_read_in_groups_that_fit_into_memory(monkeypatch, memory):
    monkeypatch.setattr(stored, "available_memory", lambda: memory)
    values = np.random.default_rng(0).normal(size=(20, 6))
    gathering = Gathering("table", "stream")
    gathering.add(values[:7])
    gathering.add(values[7:])
    numbers = gathering.done()
    for place in (0, 1, 2, 5, 4, 3, 0):
        assert np.array_equal(numbers.column(place), values[:, place])
        assert np.array_equal(numbers.take(np.array([5, 2])).column(place), values[[5, 2], place])
