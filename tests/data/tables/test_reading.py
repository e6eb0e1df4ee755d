"""Tables in the forms in which people keep them give the same numbers."""

import bz2
import gzip
import lzma

import numpy as np
import pytest

from striate.data.tables import read_table, reading
from striate.errors import DataError


def read(tmp_path, content, name="table.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path)


PLAIN = "a,b,name\n1,2.5,x\n-3,4,y\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        PLAIN.rstrip("\n"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", ";").replace(".", ","),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace(",", "   "),
        PLAIN.replace(",", ", "),
        "# made by a program\n#\n" + PLAIN,
        PLAIN.replace("-3", "\n  \n# half way\n,,\n-3"),
        'a,b,name\n"1","2.5","x"\n-3,4,"y"\n',
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        b"\xff\xfe" + PLAIN.encode("utf-16-le"),
        gzip.compress(PLAIN.encode(), mtime=0),
        bz2.compress(PLAIN.encode()),
        lzma.compress(PLAIN.encode()),
        gzip.compress(PLAIN.encode("utf-16"), mtime=0),
    ],
)
def test_every_way_to_write_a_table(tmp_path, content):
    table = read(tmp_path, content)
    assert table.names == ("a", "b", "name")
    assert table.numbers.tolist() == [[1, 2.5], [-3, 4]]
    assert table.texts[2].tolist() == ["x", "y"]


def test_quoted_cells_hold_separators_line_breaks_and_quotes(tmp_path):
    table = read(tmp_path, 'x,note\n1,"Smith, J"\n2,"two\nlines"\n3,"a ""b"""\n')
    assert table.texts[1].tolist() == ["Smith, J", "two\\nlines", 'a "b"']
    assert table.lines.tolist() == [2, 4, 5]


def test_missing_values_are_not_numbers(tmp_path):
    table = read(tmp_path, "a,b\n1,\n2,NA\n?,3\n4,nan\n5,6\n")
    np.testing.assert_array_equal(table.numbers, [[1, np.nan], [2, np.nan], [np.nan, 3], [4, np.nan], [5, 6]])


def test_a_column_may_turn_out_to_be_text_late(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_ROWS", 2)
    table = read(tmp_path, "a,b\n1,2\n3,4\n5,x\n6,y\n")
    assert table.texts[1].tolist() == ["2", "4", "x", "y"]
    assert table.numbers.tolist() == [[1], [3], [5], [6]]


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("label,0,1\n5,0,12\n", ("label", "0", "1")),
        ("cat,1,2\ndog,3,4\n", None),
        ("1,2,3\n4,5,6\n", None),
        ("text,kind\ngood,pos\n", ("text", "kind")),
        ("a,a,b\n1,2,3\n", ("a", "a.1", "b")),
    ],
)
def test_a_first_line_of_names_is_recognised(tmp_path, content, names):
    table = read(tmp_path, content)
    assert (table.names if table.has_names else None) == names


@pytest.mark.parametrize("size", [1 << 10, (1 << 10) + 1])
def test_a_last_line_without_newline_that_fills_a_block(tmp_path, monkeypatch, size):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1 << 10)
    rows = "1,2\n" * (size // 4 - 1)
    content = rows + "1," + "2" * (size - len(rows) - 2)
    assert len(content) == size
    assert len(read(tmp_path, content)) == size // 4


def test_bytes_in_one_block_and_not_in_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_BYTES", 1)
    assert read(tmp_path, "a,b\n1,2\n-3,0.5\n255,7\n").numbers.tolist() == [[1, 2], [-3, 0.5], [255, 7]]


def test_windows_letters_in_a_file_that_is_not_utf_8(tmp_path):
    assert read(tmp_path, "x,ort\n1,München\n".encode("cp1252")).texts[1].tolist() == ["München"]


@pytest.mark.parametrize(
    "content", [gzip.compress(PLAIN.encode(), mtime=0)[:-9], b"\x1f\x8bnothing", b"BZhnothing"]
)
def test_damaged_archives(tmp_path, content):
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path, content)


def test_a_carriage_return_within_a_line_is_a_blank(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"x,y,label\r\n1,2,a\r\n3\r,4,b\r\n5,6,a\r\n")
    assert read_table(path).numbers.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_texts_for_which_there_is_no_room(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_ROWS", 2)
    content = "note,b\n" + "".join(f"{'x' * length},1\n" for length in (1, 2, 500, 1, 1, 1))
    room = 500 * 4 * 5  # bytes: for five rows
    monkeypatch.setattr("striate.data.streaming.choice.available_memory", lambda: 2 * room)
    message = r"column 'note' does not fit into memory: 6 texts as long as the longest, 500 characters, take 0 MB\."
    with pytest.raises(DataError, match=message):
        read(tmp_path, content)
    monkeypatch.setattr("striate.data.streaming.choice.available_memory", lambda: 2 * (room + 500 * 4))
    assert read(tmp_path, content).texts[0][2] == "x" * 500
