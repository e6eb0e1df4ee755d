"""A folder with Debian's Python and the wheels of striate's dependencies for 64-bit ARM."""

from __future__ import annotations

import lzma
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from pathlib import Path

DEBIAN = "http://deb.debian.org/debian"
SUITE, VERSION = "bookworm", "3.11"
PACKAGES = (
    *(f"python{VERSION}", f"python{VERSION}-minimal", f"libpython{VERSION}-minimal", f"libpython{VERSION}-stdlib"),
    *("libc6", "libgcc-s1", "libstdc++6", "zlib1g", "libexpat1", "libssl3", "libffi8", "libsqlite3-0"),
    *("libbz2-1.0", "liblzma5", "libcrypt1", "libuuid1"),
)
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_27_aarch64", "manylinux_2_28_aarch64")
PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


def make(folder: Path) -> None:
    """Fetch what is missing in ``folder``."""
    if not (folder / "site").is_dir():
        _unpack_packages(folder)
        _unpack_wheels(folder)


def _unpack_packages(folder: Path) -> None:
    index = urllib.request.urlopen(f"{DEBIAN}/dists/{SUITE}/main/binary-arm64/Packages.xz").read()
    files = {}
    for entry in lzma.decompress(index).decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in entry.splitlines() if ": " in line and line[0] != " ")
        files[fields.get("Package")] = fields.get("Filename")
    folder.mkdir(parents=True, exist_ok=True)
    for name in PACKAGES:
        archive = folder / f"{name}.deb"
        urllib.request.urlretrieve(f"{DEBIAN}/{files[name]}", archive)
        subprocess.run(["dpkg", "-x", archive, folder / "tree"], check=True)
        archive.unlink()


def _unpack_wheels(folder: Path) -> None:
    needed = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary=:all:"]
    command += [f"--python-version={VERSION}", *(f"--platform={name}" for name in PLATFORMS)]
    subprocess.run([*command, "-d", folder / "wheels", *needed, "pytest", "hypothesis"], check=True)
    for wheel in (folder / "wheels").glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(folder / "site")
