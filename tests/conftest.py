"""Fixtures shared by every test."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from support.browser import Browser, browser, missing

os.environ.setdefault("STRIATE_VERIFY", "0")  # tests/engine/test_verify.py proves one program of every kind
settings.register_profile("same every time", derandomize=True, database=None, deadline=None)
settings.load_profile("same every time")  # no test passes or fails by chance, or by the load of the machine


def pytest_configure() -> None:
    """Undo what shells do to commands in the background: programs under test would ignore the signals, too."""
    for name in ("SIGINT", "SIGHUP", "SIGQUIT"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A window of a real browser; skips the test where there is none."""
    if reason := missing():
        pytest.skip(reason)
    with browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real data: ``../shared/data`` beside the repository, or ``$STRIATE_TEST_DATA``."""
    named = os.environ.get("STRIATE_TEST_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        message = f"the tests on real data need the folder {folder}; set STRIATE_TEST_DATA to where it is"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder
