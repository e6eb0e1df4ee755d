"""What is published: the same bytes for the same sources, and nothing but what belongs to it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling")
ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("src", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Path]]:
    """The wheel and the source archive by suffix, built from two copies of the sources at different times."""
    found = []
    for number, when in enumerate((1_000_000_000, 1_700_000_000)):
        folder = tmp_path_factory.mktemp(f"build{number}")
        for name in SOURCES:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, folder / name)
        for path in folder.rglob("*"):
            os.utime(path, (when, when))
        subprocess.run([sys.executable, "-m", "hatchling", "build"], cwd=folder, check=True, capture_output=True)
        found.append({path.suffix: path for path in (folder / "dist").iterdir()})
    return found


@pytest.mark.parametrize("suffix", [".whl", ".gz"])
def test_two_builds_give_the_same_bytes(builds: list[dict[str, Path]], suffix: str) -> None:
    first, second = (hashlib.sha256(build[suffix].read_bytes()).hexdigest() for build in builds)
    assert first == second


def test_the_wheel_holds_the_package_and_its_licence(builds: list[dict[str, Path]]) -> None:
    names = zipfile.ZipFile(builds[0][".whl"]).namelist()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert "striate/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"striate"}
    assert not [name for name in names if "__pycache__" in name]


def test_the_source_archive_can_be_built_from(builds: list[dict[str, Path]]) -> None:
    with tarfile.open(builds[0][".gz"]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", "src/striate/__init__.py"} <= names
