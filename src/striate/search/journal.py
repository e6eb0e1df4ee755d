"""The file through which the processes of a search share their results."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any

from striate.errors import DataError, StriateError
from striate.storage import append
from striate.training.run.lock import locked

MESSAGE = 300  # characters


def backend(journal: Path) -> Any:
    """Return Optuna's backend for a journal, which here grows by whole entries or not at all.

    The entry that a killed process, or a full disk, left unfinished is removed before the next one is written. The
    system's lock of the file replaces Optuna's, which a killed process leaves behind for half a minute.
    """
    from optuna.storages.journal import JournalFileBackend

    class WholeEntries(JournalFileBackend):
        def read_logs(self, log_number_from: int) -> Any:
            return iter(list(super().read_logs(log_number_from)))  # the file is closed, whatever Optuna does next

        def append_logs(self, logs: list[dict[str, Any]]) -> None:
            lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
            with locked(journal, wait=True):
                _remove_unfinished(journal)
                append(journal, lines.encode())

    return WholeEntries(str(journal))


def _remove_unfinished(journal: Path) -> None:
    """Cut a journal off after its last line break."""
    with journal.open("rb+") as file:
        end = file.seek(0, 2)
        file.seek(max(0, end - 1))
        if end and file.read() != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


@contextmanager
def reading(journal: Path) -> Iterator[None]:
    """Turn the errors of Optuna for a damaged journal, which can be almost any, into one message.

    Raises
    ------
    DataError
        If the journal is damaged.
    """
    try:
        yield
    except StriateError:
        raise
    except Exception as error:
        reason = shorten(f"{type(error).__name__}: {error}", MESSAGE)
        raise DataError(
            f"{journal}: cannot be read as the journal of a search ({reason}). Restore it, or use another folder."
        ) from error
