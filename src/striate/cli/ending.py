"""How a command ends: status 0, or one line on standard error and status 1 (failed) or 2 (wrong use)."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from striate.cli.ranks import final_status, serves
from striate.cli.streams import prepare_streams, printable
from striate.errors import StriateError

ClickException: Any = typer.BadParameter.__mro__[2]  # Typer brings its own copy of Click or uses the installed one
_WORDS = {
    r"Input should be a valid integer.*": "must be a whole number",
    r"Input should be a valid number.*": "must be a number",
    r"Input should be greater than or equal to": "must be at least",
    r"Input should be less than or equal to": "must be at most",
    r"Input should be": "must be",
}
FAILED, WRONG_USE, REQUEUE = 1, 2, 75
"""Exit statuses; the last one (EX_TEMPFAIL of sysexits.h) asks a batch system to start the job again."""


class Commands(TyperGroup):
    """A group of commands whose failures are one line each."""

    def main(self, *arguments: Any, standalone_mode: bool = True, **named: Any) -> Any:
        """Run a command and end the process."""
        named["standalone_mode"] = False
        prepare_streams()
        with _warnings_on_one_line(), _stopped_like_ctrl_c():
            status = _status(
                lambda: 0 if serves(named.get("args")) else super(Commands, self).main(*arguments, **named)
            )
        if standalone_mode:
            sys.exit(final_status(status))
        return status

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C is a failure of status 1."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _forget_interrupt()
            raise Interrupted("interrupted.") from None


class OneCommand(TyperCommand):
    """A command that refuses an option that is given twice."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments; fails if an option that takes one value is repeated."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for param, count in Counter(order).items():
            if count > 1 and isinstance(param, TyperOption) and not param.multiple:
                ctx.fail(f"{param.opts[0]}: can be given only once; got it {count} times.")
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help, in which brackets are text and not Rich's markup."""
        from rich.markup import escape

        if self.rich_markup_mode is not None:
            self.help = self.help and escape(self.help)
            for param in self.params:
                if isinstance(param, TyperOption | TyperArgument) and param.help:
                    param.help = escape(param.help)
        super().format_help(ctx, formatter)


class Interrupted(StriateError):
    """The user pressed Ctrl-C when there was nothing worth saving."""


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
    if message := _in_plain_words(error.format_message()):  # empty if no command was given: then the help was shown
        _say(f"{message if message.endswith(('.', '?')) else f'{message}.'} Try '{path} --help'.", WRONG_USE)
    return WRONG_USE


def _in_plain_words(message: str) -> str:
    """Return a message of the library that checks the numbers of options in our words.

    Examples
    --------
    >>> _in_plain_words("Invalid value for '--trials': Input should be greater than or equal to 1")
    "Invalid value for '--trials': must be at least 1"
    """
    for theirs, ours in _WORDS.items():
        message = re.sub(theirs, ours, message)
    return message


def _describe(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{error.strerror or error}."


def _say(message: str, status: int) -> int:
    typer.echo(f"striate: {printable(' '.join(message.split()))}", err=True)
    return status


def _forget_interrupt() -> None:
    """Make the interpreter exit with our status even if Ctrl-C came while it ran the text of an ``exec``.

    CPython remembers such an interrupt, caught or not, and ends with the signal; running another text clears that.
    """
    exec("pass")


def _forget_output() -> None:
    """Let the interpreter discard the rest of its output once the reader has gone."""
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


@contextmanager
def _stopped_like_ctrl_c() -> Iterator[None]:
    """Let the signals that end a process, or a terminal, act like Ctrl-C, unless they are ignored."""

    def interrupt(number: int, frame: Any) -> None:
        raise KeyboardInterrupt

    changed = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            known = getattr(signal, name, None)
            if known is not None and signal.getsignal(known) == signal.SIG_DFL:
                changed[known] = signal.signal(known, interrupt)
    try:
        yield
    finally:
        for known, before in changed.items():
            signal.signal(known, before)


def fail(message: str, status: int = FAILED) -> NoReturn:
    """End the command with a status after ``message`` on standard error."""
    raise typer.Exit(_say(message, status))


def check_writable(folder: Path) -> None:
    """Create ``folder`` if needed; raise OSError, which names it, unless files can be created there."""
    import tempfile

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(error.errno, f"cannot be written to ({error.strerror})", str(folder)) from error
