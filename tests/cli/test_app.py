"""The program as a whole: help, versions, wrong use, and how failures end."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import striate
from striate.cli.app import app, main
from striate.cli.ending import Commands, check_writable, fail
from striate.errors import DataError, UsageError
from striate.explain.attribution.methods import METHODS

COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
DOCS = Path(__file__).parents[2] / "docs"


def test_help_names_every_command(run):
    result = run("--help")
    assert result.exit_code == 0
    assert all(command in result.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(run, command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.count("Usage: striate") == 1


def test_every_command_is_documented():
    page = (DOCS / "commands.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"`{name}`" not in page] == []


def test_every_attribution_method_is_documented(run):
    help_text, page = run("draw", "attribution", "--help").stdout, (DOCS / "explain.md").read_text(encoding="utf-8")
    assert [name for name in METHODS if name not in help_text or f"| {name} |" not in page] == []


def test_version(run):
    assert run("--version").stdout == f"striate {striate.__version__}\n"


def test_no_arguments_show_help(run):
    result = run()
    assert result.exit_code == 2
    assert result.stdout.count("Usage: striate") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], "Did you mean 'train'? Try 'striate --help'."),
        (["--no-such"], "--no-such"),
        (["predict"], "Missing argument 'MODEL'. Try 'striate predict --help'."),
        (["train", "digits", "--epochs", "ten"], "Invalid value for '--epochs': must be a whole number."),
        (["search", "digits", "--trials", "0"], "Invalid value for '--trials': must be at least 1."),
        (["evaluate", "model.safetensors"], "Missing argument 'DATASET'"),
    ],
)
def test_wrong_use_is_one_line(refused, arguments, words):
    assert words in refused(*arguments, status=2)


def test_main_ends_with_the_status(capsys):
    with pytest.raises(SystemExit) as end:
        main(["no-such"])
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith("striate: ")


def _app_that(action):
    wrapped = typer.Typer(cls=Commands)

    @wrapped.callback()
    def nothing() -> None:
        """A callback makes a group of a single command."""

    wrapped.command("go")(action)
    return wrapped


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (DataError("a:\n b"), 1, "striate: a: b"),
        (UsageError("seed: no"), 2, "striate: seed: no"),
        (KeyboardInterrupt(), 1, "striate: interrupted."),
        (OSError(28, "No space left on device", "x.bin"), 1, "striate: x.bin: No space left on device."),
        (OSError(28, "No space left on device"), 1, "striate: No space left on device."),
        (MemoryError("12 GiB"), 1, "striate: out of memory (12 GiB). Use a smaller batch, network or data set."),
    ],
)
def test_failures_are_one_line(error, status, line):
    def action() -> None:
        raise error

    result = CliRunner().invoke(_app_that(action), ["go"])
    assert (result.exit_code, result.stderr.strip(), result.stdout) == (status, line, "")


def test_fail_and_warnings_are_one_line():
    def action() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("careful", stacklevel=1)
        fail("it went wrong.")

    result = CliRunner().invoke(_app_that(action), ["go"])
    assert result.exit_code == 1
    assert result.stderr.splitlines() == ["striate: warning: careful", "striate: it went wrong."]


def test_mistakes_of_the_program_are_not_hidden():
    def action() -> None:
        raise ZeroDivisionError

    assert isinstance(CliRunner().invoke(_app_that(action), ["go"]).exception, ZeroDivisionError)


def test_a_reader_that_leaves_gets_no_traceback():
    command = f"{sys.executable} -m striate summary lenet5 | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_python_m_striate_is_the_same_program():
    done = subprocess.run(
        [sys.executable, "-m", "striate", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"striate {striate.__version__}\n"


def test_check_writable_refuses_a_file(tmp_path):
    check_writable(tmp_path / "a" / "b")
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"cannot be written to \(.*under'$"):
        check_writable(tmp_path / "file" / "under")


def test_brackets_stay_in_the_help(run):
    assert "striate[search]" in run("search", "--help").output
