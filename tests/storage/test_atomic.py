from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest

from faults import FaultyOS, Killed, faults
from striate.errors import ModelFileError
from striate.storage import append, write_atomically
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
@pytest.mark.parametrize(("umask", "rights"), [(0o027, 0o640), (0, 0o666)])
def test_rights_follow_the_umask(tmp_path, umask, rights):
    before = os.umask(umask)
    try:
        path = write_atomically(tmp_path / "file", b"data")
        append(tmp_path / "log", b"line")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "log").stat().st_mode) == rights


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed on Linux")
def test_no_file_stays_open(tmp_path):
    before = os.listdir("/proc/self/fd")
    write_atomically(tmp_path / "file", b"data")
    append(tmp_path / "file", b"line")
    assert os.listdir("/proc/self/fd") == before


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
                unharmed, replaced = "nothing was changed" in str(error), "is written, but" in str(error)
                assert (unharmed, replaced) == (path.read_bytes() == old, path.read_bytes() == new)
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
    with pytest.raises(
        ModelFileError, match=r"model: cannot be written \(.*\); nothing was changed. Check the path"
    ):
        write_atomically(tmp_path / "file" / "model", b"data")


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.ENOSPC, "Free some space, or"), (errno.EIO, "Check the disk, or"), (errno.EROFS, "Check the path and")],
)
def test_the_advice_fits_the_failure(tmp_path, monkeypatch, number, advice):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("striate.storage.atomic.os.fsync", fail)
    with pytest.raises(ModelFileError, match=f"nothing was changed. {advice}"):
        write_atomically(tmp_path / "file", b"data")


def test_many_threads_may_write_one_path(tmp_path):
    """Readers see one writer's bytes or another's, whole."""
    path, size, wrong = tmp_path / "file", 50_000, []
    write_atomically(path, b"0" * size)

    def write(mark):
        for _ in range(40):
            write_atomically(path, mark * size)

    writers = [threading.Thread(target=write, args=(str(n).encode(),)) for n in range(4)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        found = path.read_bytes()
        if len(found) != size or len(set(found)) != 1:
            wrong.append(found)
    assert not wrong
    assert list(tmp_path.iterdir()) == [path]


def test_two_processes_of_one_number_do_not_disturb_each_other(tmp_path, monkeypatch):
    """Every container has a process 1: names of temporary files are random, and none is taken that is there."""
    names, opened = [], os.open

    def watch(path, flags, *rest):
        if str(path).endswith(".part"):
            names.append(Path(path).name)
            assert flags & os.O_EXCL
        return opened(path, flags, *rest)

    monkeypatch.setattr(os, "open", watch)
    for _ in range(50):
        write_atomically(tmp_path / "file", b"data")
    assert len(set(names)) == 50


def test_a_file_in_the_way_is_not_overwritten(tmp_path, monkeypatch):
    monkeypatch.setattr("striate.storage.atomic.secrets.token_hex", lambda _: "0")
    other = tmp_path / ".file.0.part"
    other.write_bytes(b"another's")
    with pytest.raises(ModelFileError, match=r"file: cannot be written \(File exists\)"):
        write_atomically(tmp_path / "file", b"data")


def test_names_may_be_as_long_as_the_system_allows(tmp_path):
    assert write_atomically(tmp_path / ("n" * 255), b"data").read_bytes() == b"data"
    assert write_atomically(tmp_path / ("\u00fc" * 127), b"data").read_bytes() == b"data"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path, mode):
    path = write_atomically(tmp_path / "file", b"old")
    path.chmod(mode)
    write_atomically(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.skipif(os.name == "nt", reason="files of POSIX")
def test_only_regular_files_are_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, kind in (("pipe", "a device or a pipe"), ("folder", "a folder")):
        with pytest.raises(ModelFileError, match=f"{name}: must be a regular file to be replaced; got {kind}"):
            write_atomically(tmp_path / name, b"data")
    with pytest.raises(ModelFileError, match="/dev/null: must be a regular file"):
        write_atomically("/dev/null", b"data")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe"]


@pytest.mark.skipif(os.name == "nt", reason="folders are not synchronised there")
@pytest.mark.parametrize(("code", "told"), [(errno.EIO, True), (errno.EINVAL, False), (errno.ENOTSUP, False)])
def test_a_folder_that_cannot_be_synchronised(tmp_path, monkeypatch, code, told):
    """Once the file has its name, the message must not say that the old one is there."""
    synced = os.fsync

    def fsync(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(code, os.strerror(code))
        synced(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    path = tmp_path / "file"
    path.write_bytes(b"old")
    if told:
        with pytest.raises(ModelFileError, match=r"is written, but its folder cannot be synchronised \(Input"):
            write_atomically(path, b"new")
    else:
        write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.name == "nt", reason="folders are not synchronised there")
def test_file_and_folder_are_synchronised_in_this_order(tmp_path, monkeypatch):
    """The bytes before the new name, and the name after it: else a power cut can leave an empty file."""
    calls, fsync, replace = [], os.fsync, os.replace

    def record(handle):
        calls.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", record)
    monkeypatch.setattr(os, "replace", lambda *names: (calls.append("rename"), replace(*names)))
    write_atomically(tmp_path / "file", b"data")
    assert calls == ["file", "rename", "folder"]


def test_lines_are_added(tmp_path):
    for line in (b"one\n", b"two\n"):
        append(tmp_path / "log", line)
    assert (tmp_path / "log").read_bytes() == b"one\ntwo\n"


@pytest.mark.parametrize("taken", [0, 3])
def test_a_line_that_does_not_fit_is_not_there_by_half(tmp_path, monkeypatch, taken):
    (tmp_path / "log").write_bytes(b"one\n")
    written = os.write

    def write(handle, data):
        if len(data) > 4 - taken and taken:
            return written(handle, data[:taken])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(
        ModelFileError, match=r"log: cannot be written \(No space left on device\); nothing was changed"
    ):
        append(tmp_path / "log", b"two\n")
    assert (tmp_path / "log").read_bytes() == b"one\n"


def test_a_line_is_written_in_as_many_pieces_as_the_system_takes(tmp_path, monkeypatch):
    written = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: written(handle, data[:2]))
    append(tmp_path / "log", b"a long line\n")
    assert (tmp_path / "log").read_bytes() == b"a long line\n"
