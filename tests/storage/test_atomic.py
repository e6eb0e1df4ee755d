from __future__ import annotations

import os
import stat

import pytest

from faults import FaultyOS, Killed, faults
from striate.errors import ModelFileError
from striate.storage import write_atomically
from striate.storage.atomic import remove_leftovers


def test_what_is_written_is_read(tmp_path):
    data = os.urandom(100_000)
    path = write_atomically(tmp_path / "deep" / "er" / "file", data)
    assert path.read_bytes() == data
    assert [p.name for p in path.parent.iterdir()] == ["file"]


def test_large_files_are_written_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("striate.storage.atomic.PIECE", 1000)
    data = os.urandom(5432)
    assert write_atomically(tmp_path / "file", data).read_bytes() == data


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomically(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.skipif(os.name == "nt", reason="rights of POSIX")
def test_rights_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        path = write_atomically(tmp_path / "file", b"data")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_no_fault_harms_what_was_there(tmp_path, monkeypatch):
    old, new = b"old" * 1000, b"new" * 2000
    path = tmp_path / "file"
    monkeypatch.setattr("striate.storage.atomic.PIECE", 2048)
    outcomes = set()
    for kind, at in faults(lambda: write_atomically(path, new), monkeypatch):
        path.write_bytes(old)
        with monkeypatch.context() as patch:
            patch.setattr("striate.storage.atomic.os", FaultyOS(kind, at))
            try:
                write_atomically(path, new)
                outcomes.add("written")
                assert path.read_bytes() == new
            except ModelFileError as error:
                outcomes.add(str(error).split("(")[1].split(")")[0])
                assert list(tmp_path.iterdir()) == [path]
            except Killed:
                outcomes.add("killed")
        assert path.read_bytes() in (old, new), (kind, at)
        remove_leftovers(tmp_path)
        assert list(tmp_path.iterdir()) == [path]
    assert outcomes == {"written", "killed", "No space left on device", "Input/output error"}


def test_a_wish_to_stop_leaves_nothing_behind(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr("striate.storage.atomic.os.fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "file", b"new")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"model: cannot be written \(.*\); what was there before is unharmed"):
        write_atomically(tmp_path / "file" / "model", b"data")
