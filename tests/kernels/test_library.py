"""The cache of compiled kernels: found, missed, damaged, stale, unwritable, and filled by two processes at once."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from striate.kernels import cache, compiler, library
from striate.kernels.library import Request

FILL = Request("elementwise", "fill", 8)
ADAGRAD = Request("update", "adagrad", 4)
_ENTRY = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, in a process that has loaded nothing yet."""
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path / "cache"))
    forget(monkeypatch)
    return tmp_path / "cache"


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the kernels compiled so far; each is compiled in truth once per run of the tests."""
    names: list[str] = []

    def compile_kernel(module: str, name: str, *rest: object) -> cache.Entry:
        names.append(name)
        return true_code(module, name, *rest)

    monkeypatch.setattr(compiler, "compile_kernel", compile_kernel)
    return names


_codes: dict[tuple, cache.Entry] = {}
_truth = compiler.compile_kernel


def true_code(*request: object) -> cache.Entry:
    if request not in _codes:
        _codes[request] = _truth(*request)  # type: ignore[arg-type]
    return _codes[request]


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as a new process does."""
    monkeypatch.setattr(library, "_loaded", {})
    monkeypatch.setattr(library, "_announced", [])
    cache._warn_once.cache_clear()


def works(kernel: library.Kernel) -> bool:
    """Return whether ``elementwise.fill`` fills."""
    out = np.zeros(64, np.float32)
    arguments = np.array(kernel.pack(out=out.ctypes.data, count=56, value=-2.5), np.int64)
    unused = np.zeros(8, np.int64)
    _ENTRY(kernel.address)(unused.ctypes.data, unused.ctypes.data, arguments.ctypes.data)
    return bool((out[:56] == -2.5).all() and (out[56:] == 0).all())


def only_entry(folder: Path) -> Path:
    (entry,) = folder.rglob("*.kernel")
    return entry


def test_compiled_once_then_found(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert works(library.load([FILL, FILL])[FILL])
    assert compiled == ["fill"]
    assert capfd.readouterr().err == "striate: compiling 1 kernel for this processor (once per machine) ...\n"
    assert works(library.load([FILL])[FILL])  # in memory
    forget(monkeypatch)
    assert works(library.load([FILL])[FILL])  # on disk
    assert compiled == ["fill"]
    assert capfd.readouterr().err == ""


def test_why_it_compiles_is_said_once(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    library.load([FILL])
    library.load([replace(FILL, lanes=4)])
    first, second = capfd.readouterr().err.splitlines()
    assert first == "striate: compiling 1 kernel for this processor (once per machine) ..."
    assert second == "striate: compiling 1 more kernel ..."


def test_only_what_is_missing_is_compiled(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    library.load([FILL])
    forget(monkeypatch)
    kernels = library.load([ADAGRAD, FILL])
    assert compiled == ["fill", "adagrad"]
    assert set(kernels) == {FILL, ADAGRAD}
    assert len(list(folder.rglob("*.kernel"))) == 2


def test_entries_differ_by_lanes_and_constants() -> None:
    requests = [
        Request("elementwise", "fill", 8),
        Request("elementwise", "fill", 16),
        Request("pooling", "max_pool", 8, (4,)),
        Request("pooling", "max_pool", 8, (9,)),
        Request("elementwise", "activation", 8, ("Tanh",)),
        Request("elementwise", "activation", 8, ("ReLU",)),
    ]
    assert len({request.file_name for request in requests}) == len(requests)


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "a few bytes": lambda data: data[:10],
    "header only": lambda data: data[:60],
    "half": lambda data: data[: len(data) // 2],
    "last byte missing": lambda data: data[:-1],
    "one byte more": lambda data: data + b"\0",
    "a bit of the code": lambda data: data[:-100] + bytes([data[-100] ^ 4]) + data[-99:],
    "a bit of the header": lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
    "a bit of the digest": lambda data: data[:20] + bytes([data[20] ^ 1]) + data[21:],
    "another program's": lambda data: b"\x7fELF" + data[4:],
    "zeros": lambda data: bytes(len(data)),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_entry_is_compiled_again(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    library.load([FILL])
    entry = only_entry(folder)
    whole = entry.read_bytes()
    entry.write_bytes(DAMAGES[damage](whole))
    forget(monkeypatch)
    assert works(library.load([FILL])[FILL])
    assert compiled == ["fill", "fill"]
    assert only_entry(folder).read_bytes() == whole  # repaired
    forget(monkeypatch)
    library.load([FILL])
    assert len(compiled) == 2


def key(monkeypatch: pytest.MonkeyPatch) -> str:
    cache._fingerprint.cache_clear()
    name = cache.kernel_folder().name
    cache._fingerprint.cache_clear()
    return name


def test_key_changes_with_sources_and_versions(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path(str(cache.__file__)).parent
    copy = tmp_path / "kernels"
    shutil.copytree(here, copy)
    before = key(monkeypatch)
    monkeypatch.setattr(cache, "__file__", str(copy / "cache.py"))
    assert key(monkeypatch) == before  # the same text elsewhere
    (copy / "pooling.py").write_text((copy / "pooling.py").read_text() + "# another line\n")
    edited = key(monkeypatch)
    (copy / "new.py").write_text("")
    (copy / "new.py").write_text("x = 1\n")
    added = key(monkeypatch)
    monkeypatch.setattr(cache, "version", lambda name: "0.0")
    assert len({before, edited, added, key(monkeypatch)}) == 4


def test_key_changes_with_the_processor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import llvmlite.binding as llvm

    before = key(monkeypatch)
    monkeypatch.setattr(llvm, "get_host_cpu_name", lambda: "another")
    assert key(monkeypatch) != before


def test_place_of_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path / "mine"))
    assert cache.kernel_folder().parent == tmp_path / "mine" / "kernels"
    monkeypatch.delenv("STRIATE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.kernel_folder().parent == tmp_path / "xdg" / "striate" / "kernels"
    monkeypatch.setenv("STRIATE_CACHE_DIR", "~/cache-of-striate")
    assert cache.kernel_folder().parent == Path.home() / "cache-of-striate" / "kernels"


def loads_with_one_warning() -> str:
    """Load two kernels, twice, where none can be kept; return the one warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kernels = library.load([FILL, ADAGRAD])
        library.load([FILL, ADAGRAD])
    assert works(kernels[FILL])
    (warning,) = caught
    assert issubclass(warning.category, UserWarning)
    return str(warning.message)


def test_folder_that_cannot_be_made(folder: Path, compiled: list[str]) -> None:
    folder.write_text("a file stands in the way")
    message = loads_with_one_warning()
    assert "cannot be written (Not a directory)" in message
    assert str(folder) in message
    assert "Set STRIATE_CACHE_DIR" in message
    assert compiled == ["fill", "adagrad"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_read_only_folder(folder: Path, compiled: list[str]) -> None:
    folder.mkdir()
    folder.chmod(0o500)
    assert "Permission denied" in loads_with_one_warning()


def test_full_disk_leaves_nothing_half_written(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(temporary: str, path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", fails)
    assert "No space left on device" in loads_with_one_warning()
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_entry_that_is_a_folder(folder: Path, compiled: list[str]) -> None:
    (cache.kernel_folder() / FILL.file_name / "inside").mkdir(parents=True)
    assert "cannot be written" in loads_with_one_warning()


def test_arguments_are_checked_by_name(folder: Path, compiled: list[str]) -> None:
    kernel = library.load([FILL])[FILL]
    with pytest.raises(TypeError, match="arguments must be"):
        kernel.pack(out=0, count=8)
    with pytest.raises(TypeError, match="arguments must be"):
        kernel.pack(out=0, count=8, value=0.0, more=1)


SCRIPT = """
import sys
from striate.kernels import library
from striate.kernels.library import Request
sys.stdin.readline()  # begin together
requests = [Request("elementwise", "fill", lanes) for lanes in (4, 8, 16)]
print(len(library.load(requests)))
"""


def test_two_processes_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[str]) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", SCRIPT],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in processes:
        out, err = process.communicate(timeout=300)
        assert (process.returncode, out) == (0, "3\n"), err
    assert len(list(folder.rglob("*.kernel"))) == 3
    assert not list(folder.rglob(".*"))  # no temporary file is left
    assert works(library.load([FILL])[FILL])
    assert compiled == []  # what they wrote is whole


def plant(entry: Path, harm: str) -> None:
    """Let ``entry`` be one that another user can have written."""
    if harm == "group may write":
        entry.chmod(0o664)
    elif harm == "everybody may write":
        entry.chmod(0o646)
    elif harm == "a link":
        entry.rename(entry.with_suffix(".kept"))
        entry.symlink_to(entry.with_suffix(".kept"))
    elif harm == "a pipe":
        entry.unlink()
        os.mkfifo(entry)
    else:
        with entry.open("ab") as file:
            file.truncate(cache.LARGEST + 1)


posix = pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")


@posix
@pytest.mark.parametrize("harm", ["group may write", "everybody may write", "a link", "a pipe", "too large"])
def test_an_entry_that_others_can_have_written_is_compiled_again(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    library.load([FILL])
    plant(only_entry(folder), harm)
    forget(monkeypatch)
    assert works(library.load([FILL])[FILL])
    assert compiled == ["fill", "fill"]
    status = os.lstat(only_entry(folder))
    assert stat.S_ISREG(status.st_mode)
    assert not status.st_mode & 0o022
    forget(monkeypatch)
    library.load([FILL])
    assert len(compiled) == 2  # the new one is used


@posix
@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_a_folder_that_others_can_write_is_not_used(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    library.load([FILL, ADAGRAD])
    place = cache.kernel_folder()
    place.chmod(mode)
    forget(monkeypatch)
    message = loads_with_one_warning()
    assert f"kernel cache {place}: belongs to another user or can be written by others" in message
    assert f"Run 'chmod go-w {place}'" in message
    assert compiled == ["fill", "adagrad"] * 2
    place.chmod(0o755)
    forget(monkeypatch)
    library.load([FILL])
    assert len(compiled) == 4


@posix
@pytest.mark.parametrize("what", ["folder", "entry"])
def test_what_belongs_to_another_user_is_not_run(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    library.load([FILL, ADAGRAD])
    place = cache.kernel_folder()
    theirs = {os.lstat(path).st_ino for path in ([place] if what == "folder" else place.iterdir())}
    ours = cache._is_ours

    def is_ours(status: os.stat_result) -> bool:
        fields = list(status)
        fields[stat.ST_UID] = os.geteuid() + 1 if status.st_ino in theirs else status.st_uid
        return ours(os.stat_result(fields))

    monkeypatch.setattr(cache, "_is_ours", is_ours)
    forget(monkeypatch)
    if what == "folder":
        assert "belongs to another user" in loads_with_one_warning()
    else:
        library.load([FILL, ADAGRAD])
    assert compiled == ["fill", "adagrad"] * 2


@posix
def test_roots_files_are_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An administrator may fill a cache for everybody."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    status = [0o100644, 1, 1, 1, 0, 0, 10, 0, 0, 0]
    assert cache._is_ours(os.stat_result(status))
    status[stat.ST_UID] = 1001
    assert not cache._is_ours(os.stat_result(status))


@posix
def test_the_umask_of_a_group_does_not_open_the_cache(folder: Path, compiled: list[str]) -> None:
    before = os.umask(0o002)
    try:
        library.load([FILL])
    finally:
        os.umask(before)
    assert os.lstat(only_entry(folder)).st_mode & 0o777 == 0o644
    assert os.lstat(cache.kernel_folder()).st_mode & 0o777 == 0o755


def test_without_a_home_kernels_live_in_memory(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRIATE_CACHE_DIR", "~nobody-has-this-name/cache")
    message = loads_with_one_warning()
    assert "STRIATE_CACHE_DIR: ~nobody-has-this-name/cache: needs a home folder" in message
    assert compiled == ["fill", "adagrad"]


def test_a_home_that_cannot_be_read(folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(real: Callable) -> Callable:
        def call(path: object, *args: object, **options: object) -> object:
            if str(path).startswith(str(folder)):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            return real(path, *args, **options)

        return call

    for name in ("mkdir", "stat", "lstat"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    assert "cannot be written (Permission denied)" in loads_with_one_warning()
    assert compiled == ["fill", "adagrad"]


def test_closed_standard_error_does_not_matter(
    folder: Path, compiled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert works(library.load([FILL])[FILL])
