"""The pages of the documentation as programs: run their code, compare what it prints, keep what it draws.

Rules of a page
---------------
- All ``python`` blocks run in order, in one fresh namespace and one empty folder.
- A ``text`` block right after a ``python`` block is what that block prints; ``...`` stands for anything.
- A ``console`` block holds commands after ``$``, each followed by what it prints, with ``...`` as above. Figures of
  commands that train, or use what was trained, differ between processors: there, only words must agree.
- A block inside an HTML comment is run and not shown: it asserts what the sentences around it say.
- A block that imports PyTorch or Keras is only run where they are installed.
- Pictures that the code leaves in the folder (``.svg``, ``.png``, ``.gif``, ``.html``) become files of the site
  beside the page, which shows them by name.

``python docs/execution.py PAGE...`` runs pages and writes what they print where they show something else. To have
figures written anew, empty the output first.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shlex
import sys
import tempfile
import traceback
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

OPTIONAL = ("keras", "torch")
PICTURES = (".svg", ".png", ".gif", ".html")
BLOCK = re.compile(
    r"^```(?P<language>python|console)\n(?P<body>.*?)^```\n(?:\s*^```text\n(?P<output>.*?)^```\n)?", re.M | re.S
)
COMMAND = re.compile(r"^\$ (?P<command>.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.M)

LEARNT = ("approximate", "compare", "descend", "evaluate", "explain", "find-patch", "gradient", "invariance")
LEARNT += ("loss-slice", "predict", "race", "runs", "sweep", "train", "why")
FIGURE = re.compile(
    r"(?<![\w.])(?:\d+ min )?[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?(?: ?%| (?:min|s|ms|threads?)\b)?(?!\w|\.\w)"
    r"|(?<= )\.(?=\s)"
)


@dataclass
class Outcome:
    """What running a page gave.

    Parameters
    ----------
    problems : list of str
        One for each block that failed or printed something else, with its line.
    pictures : dict of bytes
        By file name.
    text : str
        The page with the output that its code gave.
    """

    problems: list[str] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    text: str = ""


def run_page(path: Path) -> Outcome:
    """Run the code of one page."""
    outcome = Outcome()
    source = path.read_text(encoding="utf-8")
    with _own_folder() as folder, _module() as module:

        def replace(match: re.Match[str]) -> str:
            if any(find_spec(name) is None for name in OPTIONAL if f"import {name}" in match["body"]):
                return match[0]
            line = source.count("\n", 0, match.start()) + 1
            run = _run_python if match["language"] == "python" else _run_console
            return run(match, f"{path.name}:{line}", line, module, outcome)

        outcome.text = BLOCK.sub(replace, source)
        for file in sorted(folder.iterdir()):
            if file.suffix in PICTURES:
                outcome.pictures[file.name] = file.read_bytes()
    return outcome


def _run_python(match: re.Match[str], place: str, line: int, module: types.ModuleType, outcome: Outcome) -> str:
    printed, failure = _captured(lambda: exec(_compiled(match["body"], place, line), module.__dict__))
    wanted = match["output"]
    if failure:
        outcome.problems.append(f"{place}: {failure}")
    elif wanted is None and printed:
        outcome.problems.append(f"{place}: prints what the page does not show\n{printed}")
    elif wanted is not None:
        _compare(wanted, printed, place, outcome)
    if wanted is None or _agrees(wanted, printed):
        return match[0]
    return match[0].replace(f"```text\n{wanted}", f"```text\n{printed}")


def _compiled(body: str, place: str, line: int) -> types.CodeType:
    return compile("\n" * line + body, place.rpartition(":")[0], "exec")


def _run_console(match: re.Match[str], place: str, line: int, module: types.ModuleType, outcome: Outcome) -> str:
    from striate.cli.app import main

    def replace(command: re.Match[str]) -> str:
        name, *arguments = shlex.split(command["command"])
        if name != "striate":
            outcome.problems.append(f"{place}: only striate is run; got {name!r}")
            return command[0]
        printed, failure = _captured(lambda: main(arguments))
        if failure:
            outcome.problems.append(f"{place}: {failure}")
        plain = _words if arguments[0] in LEARNT else str
        _compare(command["output"], printed, place, outcome, plain)
        if _agrees(command["output"], printed, plain):
            return command[0]
        return f"$ {command['command']}\n{printed}"

    body = COMMAND.sub(replace, match["body"])
    return match[0].replace(match["body"], body)


def _captured(action: object) -> tuple[str, str]:
    """Return what ``action()`` printed, without blanks at the ends of lines, and its traceback if it failed."""
    stream, failure = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(stream):
            action()  # type: ignore[operator]
    except SystemExit as end:
        failure = f"ended with status {end.code}" if end.code else ""
    except Exception:
        failure = traceback.format_exc()
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines()), failure


def _words(text: str) -> str:
    """Return text with one sign for a figure or an empty cell, and one blank for all that align them.

    Examples
    --------
    >>> _words("conv1:   12,345 values, 1.5e-07 off, 97 %, in 1 min 3 s")
    'conv1: # values, # off, #, in #'
    """
    return re.sub(" +", " ", FIGURE.sub("#", text))


def _agrees(wanted: str, printed: str, plain: Callable[[str], str] = str) -> bool:
    return doctest.OutputChecker().check_output(plain(wanted), plain(printed), doctest.ELLIPSIS)


def _compare(wanted: str, printed: str, place: str, outcome: Outcome, plain: Callable[[str], str] = str) -> None:
    if not _agrees(wanted, printed, plain):
        outcome.problems.append(f"{place}: the page shows\n{wanted}but its code prints\n{printed}")


@contextlib.contextmanager
def _own_folder() -> Iterator[Path]:
    """Work in an empty folder; figures are drawn without a screen and closed at the end."""
    import matplotlib

    here = Path.cwd()
    with (
        tempfile.TemporaryDirectory() as name,
        matplotlib.rc_context({"svg.hashsalt": "striate", "figure.dpi": 100}),
    ):
        matplotlib.use("Agg")
        os.chdir(name)
        try:
            yield Path(name)
        finally:
            os.chdir(here)
            from matplotlib import pyplot

            pyplot.close("all")


@contextlib.contextmanager
def _module() -> Iterator[types.ModuleType]:
    """Give the code of a page a module of its own, so that its classes have a home."""
    module = types.ModuleType("page")
    sys.modules["page"] = module
    try:
        yield module
    finally:
        del sys.modules["page"]


def main(pages: list[str]) -> int:
    """Run pages, write what they print into them, and return how many of them failed."""
    failed = 0
    for path in map(Path, pages):
        outcome = run_page(path)
        failures = [problem for problem in outcome.problems if "the page shows" not in problem]
        print("\n".join([f"{path}: {len(outcome.problems)} blocks differ or fail", *failures]))
        if not failures:
            path.write_text(outcome.text, encoding="utf-8")
        failed += bool(failures)
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
