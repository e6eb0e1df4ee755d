from __future__ import annotations

from pathlib import Path

from striate.data import memory


def test_what_can_be_had_is_no_more_than_there_is():
    physical = memory._physical_bytes()
    assert physical is not None
    assert 0 < memory.available_bytes() <= physical


def test_the_limit_of_a_container_counts(monkeypatch):
    def content(path: Path, *_args, **_options) -> str:
        return {"memory.max": "3000\n", "memory.current": "1000\n"}.get(path.name, "MemAvailable: 8 kB\n")

    monkeypatch.setattr(Path, "read_text", content)
    assert memory.available_bytes() == 2000
    monkeypatch.setattr(memory, "_container_bytes", lambda: None)
    assert memory.available_bytes() == 8192


def test_a_system_that_tells_nothing(monkeypatch):
    for name in ("_meminfo_bytes", "_physical_bytes", "_container_bytes"):
        monkeypatch.setattr(memory, name, lambda: None)
    assert memory.available_bytes() == memory.UNKNOWN
