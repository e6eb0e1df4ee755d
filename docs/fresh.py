"""The commands of README and of the pages, run as by a newcomer: in a new environment, on made-up data.

``python docs/fresh.py FOLDER [PAGE...]`` makes the environment and the data in FOLDER, unless they are there, and
runs the pages (all by default). Commands of ``sh`` blocks that begin with ``striate`` or ``curl`` are run one after
the other, each page's in a copy of the data; those of ``console`` blocks by ``execution.py``. Long trainings are
cut short, and what cannot be run on one machine, or without a network, is listed.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = "keras,mpi,search,serve"
SHELL = re.compile(r"^ *```sh\n(?P<body>.*?)^ *```", re.M | re.S)
NETWORK = re.compile("no connection|cannot download|cannot be downloaded")
FOREIGN = "import made_up, pathlib; made_up.foreign(pathlib.Path(input()))"
WRITERS = {".pth": "PyTorch", ".keras": "Keras", ".onnx": "ONNX"}
SECONDS = 600


@dataclass
class Outcome:
    """Commands of a page that ran, those that failed and why, and those that were left out and why."""

    ran: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def pages() -> list[Path]:
    """Return README and all pages that show commands."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in found if re.search(r"^ *```(sh|console)$", page.read_text("utf-8"), re.M)]


def make(folder: Path) -> None:
    """Make the environment and the data in ``folder``."""
    venv.create(folder / "env", with_pip=True)
    (folder / "data").mkdir(parents=True)
    _call(folder, ROOT, "python", "-m", "pip", "install", "--quiet", f"{ROOT}[{EXTRAS}]")
    _call(folder, folder / "data", "python", str(ROOT / "docs" / "made_up.py"))
    subprocess.run(
        [sys.executable, "-c", FOREIGN], cwd=ROOT / "docs", check=True, input=str(folder / "data"), text=True
    )


def run(folder: Path, page: Path) -> Outcome:
    """Run the commands of ``page`` in the environment of ``folder``."""
    place, outcome, text = folder / "pages" / page.stem, Outcome(), page.read_text("utf-8")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder / "data", place)
    with _Shell(folder, place) as shell:
        for command in commands(text):
            shell.run(command, outcome)
    if re.search(r"^ *```console$", text, re.M):
        copy = shutil.copy(page, place / page.name)
        ended = _start(folder, place, "python", str(ROOT / "docs" / "execution.py"), str(copy))
        (outcome.failed if ended.returncode else outcome.ran).append(f"console blocks\n{ended.stdout}".strip())
    return outcome


def commands(text: str) -> list[str]:
    """Return the lines of ``sh`` blocks, without comments.

    Examples
    --------
    >>> commands("```sh\\nstriate runs  # list them\\n```")
    ['striate runs']
    """
    lines = "\n".join(match["body"] for match in SHELL.finditer(text)).splitlines()
    return [line for line in (re.sub(r"(^|\s+)#.*", "", line).strip() for line in lines) if line]


def shortened(command: str) -> str:
    """Return a command that trains one epoch, or searches with two trials, where it says nothing of epochs."""
    command = re.sub(r"--trials \d+", "--trials 2", command)
    trains = re.match("striate (train|search) ", command) and "--config" not in command
    return f"{command} --epochs 1" if trains and "--epochs" not in command else command


class _Shell:
    """Runs commands in a folder; a server stays up until the page ends."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.folder, self.place = folder, place
        self.server: subprocess.Popen[str] | None = None
        self.port, self.token = 8000, ""

    def __enter__(self) -> _Shell:
        return self

    def __exit__(self, *reason: object) -> None:
        if self.server is not None:
            self.server.send_signal(signal.SIGINT)
            self.server.communicate(timeout=60)

    def run(self, command: str, outcome: Outcome) -> None:
        """Run one command."""
        if not command.startswith(("striate ", "curl ")) or "--hosts" in command:
            outcome.left_out.append(f"{command}: for an installation, a shell or several machines")
        elif command.startswith("curl ") and shutil.which("curl") is None:
            outcome.left_out.append(f"{command}: curl is missing")
        elif missing := self._missing(command):
            outcome.left_out.append(f"{command}: {WRITERS[missing.suffix]} is missing, which writes {missing}")
        elif command.startswith("striate serve "):
            self._serve(command, outcome)
        else:
            self._wait(command, outcome)

    def _missing(self, command: str) -> Path | None:
        """Return the file of another program that a command reads and nobody could write."""
        exported = command.startswith("striate export ")
        files = [Path(word) for word in command.split() if Path(word).suffix in WRITERS and not exported]
        return next((file for file in files if not (self.place / file).exists()), None)

    def _wait(self, command: str, outcome: Outcome) -> None:
        line = shortened(command).replace("$TOKEN", self.token).replace(":8000/", f":{self.port}/")
        ended = _start(self.folder, self.place, "bash", "-c", line)
        if ended.returncode == 0:
            outcome.ran.append(command)
        elif NETWORK.search(ended.stderr):
            outcome.left_out.append(f"{command}: no network")
        else:
            outcome.failed.append(f"{command}\n{ended.stderr[-2000:]}")

    def _serve(self, command: str, outcome: Outcome) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        line = ["bash", "-c", f"exec {command} --port {self.port}"]
        environment = _environment(self.folder)
        self.server = subprocess.Popen(line, cwd=self.place, env=environment, stdout=PIPE, stderr=PIPE, text=True)
        shown = next((text for text in self.server.stdout or () if "token=" in text), None)
        if shown is None:
            outcome.failed.append(f"{command}\n{self.server.communicate()[1]}")
            self.server = None
            return
        outcome.ran.append(command)
        self.token = shown.split("token=")[1].strip()


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return kept | {"PATH": f"{folder / 'env' / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def _start(folder: Path, place: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = _environment(folder)["PATH"]
    program = shutil.which(command[0], path=path) or command[0]
    return subprocess.run(  # noqa: PLW1510 - the caller looks at the status
        [program, *command[1:]],
        cwd=place,
        env=_environment(folder),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def _call(folder: Path, place: Path, *command: str) -> None:
    ended = _start(folder, place, *command)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{ended.stderr}")


def main(folder: str, *chosen: str) -> int:
    """Run pages and print what became of their commands; return how many failed."""
    room, failed = Path(folder).resolve(), 0
    if not (room / "data" / "runs").exists():
        shutil.rmtree(room, ignore_errors=True)
        make(room)
    for page in map(Path, chosen) if chosen else pages():
        outcome = run(room, page.resolve())
        failed += len(outcome.failed)
        print(f"{page}: {len(outcome.ran)} ran, {len(outcome.failed)} failed, {len(outcome.left_out)} left out")
        print("".join(f"  failed: {text}\n" for text in outcome.failed), end="")
        print("".join(f"  left out: {text}\n" for text in outcome.left_out), end="", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
