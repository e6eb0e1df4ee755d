"""What is published: the same bytes for the same sources, and nothing but what belongs to it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("hatchling")
ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("src", "pyproject.toml", "README.md", "LICENSE", "sbom.cdx.json")


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


def test_what_others_wrote_is_listed_with_its_licence(builds: list[dict[str, Path]]) -> None:
    with zipfile.ZipFile(builds[0][".whl"]) as wheel:
        names = wheel.namelist()
        listed = json.loads(wheel.read(next(name for name in names if name.endswith("sboms/sbom.cdx.json"))))
        files = [file for component in listed["components"] for file in component["components"]]
        for file in files:
            assert hashlib.sha256(wheel.read(file["name"])).hexdigest() == file["hashes"][0]["content"]
        about = wheel.read(next(name for name in names if name.endswith("METADATA"))).decode()
    foreign = {name for name in names if "/vendor/" in name or name.endswith(".npz")}
    licences = {name for name in foreign if name.endswith(".LICENSE")}
    assert foreign - licences == {file["name"] for file in files}
    for component in listed["components"]:
        assert component["licenses"][0]["license"]["id"] in about.split("License-Expression: ")[1].split("\n")[0]
        if component["type"] == "library":
            assert any(name.endswith(f"{component['name']}.LICENSE") and "dist-info" in name for name in names)


def test_dependencies_are_bounded_on_both_sides() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = [needed for name, group in project["optional-dependencies"].items() for needed in group
                if name not in ("test", "docs")]  # fmt: skip
    for needed in [*project["dependencies"], *optional]:
        assert re.fullmatch(r"[\w-]+>=[\d.]+,<[\d.]+(; .*)?", needed), needed


def test_the_source_archive_can_be_built_from(builds: list[dict[str, Path]]) -> None:
    with tarfile.open(builds[0][".gz"]) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "PKG-INFO", "src/striate/__init__.py"} <= names
