"""What the machine offers, and what containers, limits and environment variables leave of it."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from striate import machine
from striate.errors import UsageError
from striate.machine import LANES, available_cores, available_memory, available_threads, cache_folder, default_lanes

MIB = 1 << 20


@pytest.fixture(autouse=True)
def _forget() -> object:
    default_lanes.cache_clear()
    yield
    default_lanes.cache_clear()


@pytest.mark.parametrize("lanes", LANES)
def test_lanes_can_be_forced(lanes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_LANES", str(lanes))
    assert default_lanes() == lanes


@pytest.mark.parametrize("wrong", ["5", "32", "-8", "8.0", "many"])
def test_other_lanes_are_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_LANES", wrong)
    with pytest.raises(UsageError, match=r"STRIATE_LANES: must be one of \(4, 8, 16\); got '.*'\. Unset it"):
        default_lanes()


def test_lanes_follow_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    import llvmlite.binding as llvm

    monkeypatch.delenv("STRIATE_LANES", raising=False)
    found = []
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    for features in ({"avx512f": True, "avx2": True}, {"avx2": True}, {}):
        monkeypatch.setattr(llvm, "get_host_cpu_features", lambda features=features: features)
        default_lanes.cache_clear()
        found.append(default_lanes())
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    default_lanes.cache_clear()
    assert (*found, default_lanes()) == (16, 8, 4, 4)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 64 free MiB, 8 cores and no container; files below the folder change that."""
    monkeypatch.setattr(machine, "PROC", tmp_path / "proc")
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.delenv("STRIATE_THREADS", raising=False)
    put(tmp_path / "proc/meminfo", f"MemTotal: 999 kB\nMemAvailable: {64 << 10} kB\n")
    return tmp_path


def put(path: Path, text: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{text}\n")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in machine.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    expected = default_lanes(), available_threads(), cache_folder()
    for name in machine.VARIABLES:
        monkeypatch.setenv(name, " ")
    default_lanes.cache_clear()
    assert (default_lanes(), available_threads(), cache_folder()) == expected


def test_threads_are_those_of_the_affinity(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert available_threads() == available_cores() == 8
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 5, 9})
    assert available_threads() == 3


def test_threads_where_the_system_knows_no_affinity(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert available_cores() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


def test_threads_can_be_set(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_THREADS", "12")
    assert (available_threads(), available_cores()) == (12, 8)


@pytest.mark.parametrize("wrong", ["0", "-1", "2.5", "many", "1025", "9" * 5000, "\u0663"])
def test_other_threads_are_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_THREADS", wrong)
    with pytest.raises(UsageError, match=r"STRIATE_THREADS: must be a whole number .* 1 to 1024; got '.*'\. Unset"):
        available_threads()


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", 8), ("250000 100000", 2), ("100000 100000", 1), ("50000 100000", 1), ("9900000 100000", 8)],
)
def test_cores_that_a_container_grants(system: Path, quota: str, cores: int) -> None:
    put(system / "proc/self/cgroup", "0::/")
    put(system / "groups/cpu.max", quota)
    assert available_cores() == available_threads() == cores


@pytest.mark.parametrize(("quota", "cores"), [(-1, 8), (350000, 3)])
def test_cores_that_a_container_of_the_first_version_grants(system: Path, quota: int, cores: int) -> None:
    put(system / "proc/self/cgroup", "7:memory:/docker/1f\n4:cpu,cpuacct:/docker/1f")
    put(system / "groups/cpu/cpu.cfs_quota_us", quota)
    put(system / "groups/cpu/cpu.cfs_period_us", 100000)
    assert available_cores() == cores


def test_the_tightest_group_counts(system: Path) -> None:
    put(system / "proc/self/cgroup", "0::/slice/job")
    limits = {"": ("max 9", "max"), "slice": ("200 100", 30 * MIB), "slice/job": ("500 100", "max")}
    for group, (cores, memory) in limits.items():
        put(system / "groups" / group / "cpu.max", cores)
        put(system / "groups" / group / "memory.max", memory)
        put(system / "groups" / group / "memory.current", 10 * MIB)
    assert (available_cores(), available_memory()) == (2, 20 * MIB)


def test_memory_without_a_container_is_what_is_free(system: Path) -> None:
    assert available_memory() == 64 * MIB


def test_pages_that_can_be_dropped_are_free(system: Path) -> None:
    """What a process reads from files is counted as used until somebody else needs the room."""
    put(system / "proc/self/cgroup", "0::/")
    put(system / "groups/memory.max", 40 * MIB)
    put(system / "groups/memory.current", 39 * MIB)
    put(system / "groups/memory.stat", f"anon {9 * MIB}\ninactive_file {30 * MIB}")
    assert available_memory() == 31 * MIB


def test_memory_that_a_container_of_the_first_version_leaves(system: Path) -> None:
    put(system / "proc/self/cgroup", "3:memory:/job\n2:cpu:/")
    put(system / "groups/memory/job/memory.limit_in_bytes", 40 * MIB)
    put(system / "groups/memory/job/memory.usage_in_bytes", 15 * MIB)
    put(system / "groups/memory/job/memory.stat", f"inactive_file {1 * MIB}\ntotal_inactive_file {5 * MIB}")
    assert available_memory() == 30 * MIB


def test_a_container_that_is_full_leaves_nothing(system: Path) -> None:
    put(system / "proc/self/cgroup", "0::/")
    put(system / "groups/memory.max", 10 * MIB)
    put(system / "groups/memory.current", 11 * MIB)
    assert available_memory() == 0


@pytest.mark.parametrize("text", ["", "max", "-5", "a b c", "\u0663"])
def test_files_of_the_system_that_make_no_sense_change_nothing(system: Path, text: str) -> None:
    put(system / "proc/self/cgroup", "0::/")
    for name in ("cpu.max", "memory.max", "memory.current"):
        put(system / "groups" / name, text)
    assert (available_cores(), available_memory()) == (8, 64 * MIB)


def test_the_limit_of_the_address_space_counts() -> None:
    resource = pytest.importorskip("resource")
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_AS, ({900 * MIB}, {900 * MIB}))
from striate.machine import available_memory
print(available_memory() < {900 * MIB})
"""
    assert resource.RLIM_INFINITY == -1
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "True\n"


def test_memory_of_this_machine() -> None:
    assert 0 < available_memory() < 2**50


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="only POSIX systems have sysconf")
def test_memory_where_the_system_tells_less(system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (system / "proc/meminfo").unlink()
    assert available_memory() == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    monkeypatch.delattr(os, "sysconf")
    assert available_memory() == machine.ASSUMED_MEMORY


def test_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_CACHE_DIR", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("STRIATE_CACHE_DIR", "~/kept")
    assert cache_folder() == Path.home() / "kept"


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps accounts in another way")
@pytest.mark.parametrize("named", ["", "~nobody-has-this-name/cache"])
def test_a_user_without_a_home_has_no_cache_folder(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def nobody(uid: int) -> object:
        raise KeyError(uid)

    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("STRIATE_CACHE_DIR", named)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    where = f"STRIATE_CACHE_DIR: {named}" if named else "cache folder"
    with pytest.raises(UsageError, match=f"{where}: needs a home folder, and there is none. Set STRIATE_CACHE_DIR"):
        cache_folder()


@pytest.mark.parametrize(("value", "answer"), [("", True), ("1", True), ("0", False)])
def test_programs_are_verified_unless_switched_off(value: str, answer: bool, monkeypatch) -> None:
    monkeypatch.setenv("STRIATE_VERIFY", value)
    assert machine.verifies() is answer


def test_a_wrong_switch_is_refused(monkeypatch) -> None:
    monkeypatch.setenv("STRIATE_VERIFY", "no")
    with pytest.raises(UsageError, match="STRIATE_VERIFY: must be 0 or 1; got 'no'"):
        machine.verifies()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="users have numbers on POSIX")
def test_files_belong_to_the_user_or_to_root(tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    for user, own in ((1000, True), (0, True), (1001, False)):
        assert machine.is_own(os.stat_result((0o644, 0, 0, 1, user, 0, 0, 0, 0, 0))) is own
