"""The cache of compiled kernels: found, missed, damaged, stale, unwritable, and filled by two processes at once."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from striate.kernels import compiler, library
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

    def compile_kernel(module: str, name: str, *rest: object) -> tuple[bytes, str, library.Signature]:
        names.append(name)
        return true_code(module, name, *rest)

    monkeypatch.setattr(compiler, "compile_kernel", compile_kernel)
    return names


_codes: dict[tuple, tuple[bytes, str, library.Signature]] = {}
_truth = compiler.compile_kernel


def true_code(*request: object) -> tuple[bytes, str, library.Signature]:
    if request not in _codes:
        _codes[request] = _truth(*request)  # type: ignore[arg-type]
    return _codes[request]


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin as a new process does."""
    monkeypatch.setattr(library, "_loaded", {})
    library._warn_once.cache_clear()


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
    assert capfd.readouterr().err == "striate: compiling 1 kernels for this processor (once per machine) ...\n"
    assert works(library.load([FILL])[FILL])  # in memory
    forget(monkeypatch)
    assert works(library.load([FILL])[FILL])  # on disk
    assert compiled == ["fill"]
    assert capfd.readouterr().err == ""


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
    library._fingerprint.cache_clear()
    name = library.cache_folder().name
    library._fingerprint.cache_clear()
    return name


def test_key_changes_with_sources_and_versions(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path(str(library.__file__)).parent
    copy = tmp_path / "kernels"
    shutil.copytree(here, copy)
    before = key(monkeypatch)
    monkeypatch.setattr(library, "__file__", str(copy / "library.py"))
    assert key(monkeypatch) == before  # the same text elsewhere
    (copy / "pooling.py").write_text((copy / "pooling.py").read_text() + "# another line\n")
    edited = key(monkeypatch)
    (copy / "new.py").write_text("")
    (copy / "new.py").write_text("x = 1\n")
    added = key(monkeypatch)
    monkeypatch.setattr(library, "version", lambda name: "0.0")
    assert len({before, edited, added, key(monkeypatch)}) == 4


def test_key_changes_with_the_processor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import llvmlite.binding as llvm

    before = key(monkeypatch)
    monkeypatch.setattr(llvm, "get_host_cpu_name", lambda: "another")
    assert key(monkeypatch) != before


def test_place_of_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path / "mine"))
    assert library.cache_folder().parent == tmp_path / "mine" / "kernels"
    monkeypatch.delenv("STRIATE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert library.cache_folder().parent == tmp_path / "xdg" / "striate" / "kernels"
    monkeypatch.setenv("STRIATE_CACHE_DIR", "~/cache-of-striate")
    assert library.cache_folder().parent == Path.home() / "cache-of-striate" / "kernels"


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
    def fails(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[:100])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", fails)
    assert "No space left on device" in loads_with_one_warning()
    assert not [path for path in folder.rglob("*") if path.is_file()]


def test_entry_that_is_a_folder(folder: Path, compiled: list[str]) -> None:
    (library.cache_folder() / FILL.file_name / "inside").mkdir(parents=True)
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
