"""How a command ends: status 0, or one line on standard error and status 1 (failed) or 2 (wrong use)."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from striate.errors import StriateError

ClickException: Any = typer.BadParameter.__mro__[2]  # Typer brings its own copy of Click or uses the installed one
FAILED, WRONG_USE = 1, 2


class Commands(TyperGroup):
    """A group of commands whose failures are one line each."""

    def main(self, *arguments: Any, standalone_mode: bool = True, **named: Any) -> Any:
        """Run a command and end the process."""
        named["standalone_mode"] = False
        with _warnings_on_one_line():
            status = _status(lambda: super(Commands, self).main(*arguments, **named))
        if standalone_mode:
            sys.exit(status)
        return status

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C is a failure of status 1."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Interrupted("interrupted.") from None


class Interrupted(StriateError):
    """The user pressed Ctrl-C where nothing was worth keeping."""


def _status(run: Callable[[], Any]) -> int:
    try:
        status = run()
        sys.stdout.flush()
    except (ClickException, StriateError, OSError, MemoryError) as error:
        return _end(error)
    return status if isinstance(status, int) else 0


def _end(error: BaseException) -> int:
    """Say in one line what went wrong and return the status."""
    if isinstance(error, ClickException):
        return _wrong_use(error)
    if isinstance(error, BrokenPipeError):
        _forget_output()
        return FAILED
    if isinstance(error, OSError):
        return _say(_describe(error), FAILED)
    if isinstance(error, StriateError):
        return _say(str(error), error.exit_status)
    return _say(f"out of memory ({error}). Use a smaller batch, network or data set.", FAILED)


def _wrong_use(error: Any) -> int:
    path = error.ctx.command_path if getattr(error, "ctx", None) else "striate"
    if message := error.format_message():  # empty if no command was given: then the help was shown
        _say(f"{message if message.endswith(('.', '?')) else f'{message}.'} Try '{path} --help'.", WRONG_USE)
    return WRONG_USE


def _describe(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{error.strerror or error}."


def _say(message: str, status: int) -> int:
    typer.echo(f"striate: {' '.join(message.split())}", err=True)
    return status


def _forget_output() -> None:
    """Let the interpreter flush its output into nothing, after whoever read it has gone."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())


@contextmanager
def _warnings_on_one_line() -> Iterator[None]:
    def show(message: Any, category: Any, filename: Any, lineno: Any, file: Any = None, line: Any = None) -> None:
        _say(f"warning: {message}", 0)

    before = warnings.showwarning
    warnings.showwarning = show
    try:
        yield
    finally:
        warnings.showwarning = before


def fail(message: str) -> NoReturn:
    """End the command with status 1 after ``message`` on standard error."""
    raise typer.Exit(_say(message, FAILED))


def check_writable(folder: Path) -> None:
    """Raise OSError unless a file can be made in ``folder``, which is made if need be."""
    import tempfile

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
