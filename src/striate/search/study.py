"""The study of a search: trials in a journal that several processes share."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from striate.errors import UsageError
from striate.search.journal import backend, reading
from striate.storage import append
from striate.training.run.lock import locked

NAME, MARK = "search", "mark"
JOURNAL, LOCKS, ALL = "journal.log", "locks", "study"
MOST_PER_TRIAL = 20  # trials that do not fit the limits, for each one that does


def optuna() -> Any:
    """Return the package Optuna.

    Raises
    ------
    UsageError
        If it is not installed.
    """
    try:
        import optuna as found
    except ImportError:
        raise UsageError("search: needs Optuna. Install it with: pip install 'striate[search]'.") from None
    found.logging.set_verbosity(found.logging.ERROR)
    return found


class Study:
    """The trials of a search.

    Every process opens the same journal. A trial belongs to the process that holds its lock; the lock of a process
    that was killed is free, so its trial is taken over and goes on from its checkpoint.

    Parameters
    ----------
    folder : path
    mark : mapping
        What the search is, as JSON types; a journal with another one is refused.
    seed : int
    maximise : bool

    Raises
    ------
    UsageError
        If Optuna is missing, or the journal is that of another search.
    DataError
        If the journal is damaged.
    """

    def __init__(self, folder: Path, mark: dict[str, Any], seed: int, maximise: bool) -> None:
        self.folder, self.locks, self.seed = folder, folder / LOCKS, seed
        self.locks.mkdir(parents=True, exist_ok=True)
        with self._locked():
            with reading(folder / JOURNAL):
                self.study = _open(folder / JOURNAL, maximise)
                known, found = self.study.user_attrs.get(MARK), json.loads(json.dumps(mark))
                if known is None:
                    self.study.set_user_attr(MARK, found)
                known = found if known is None else {str(name): value for name, value in dict(known).items()}
            if known != found:
                raise UsageError(
                    f"{folder}: holds another search; it differs in {', '.join(_differing(known, found))}. "
                    "Use the same settings, or another folder."
                )

    @contextmanager
    def next_trial(self, most: int, first: dict[str, Any], over: bool) -> Iterator[Any]:
        """Lock a trial to run: an abandoned one, else a new one; None if there are enough.

        Parameters
        ----------
        most : int
            Trials that count, those that run included.
        first : mapping
            The values of the first trial.
        over : bool
            Begin no new trial.
        """
        with ExitStack() as stack:
            with self._locked():
                trial = self._left(stack)
                if trial is None and not over and self._wanted(most):
                    self.study.sampler = self._sampler()
                    if not self.trials():
                        self.study.enqueue_trial(first)
                    trial = self.study.ask()
                    stack.enter_context(self.hold(trial.number))
            yield trial

    @contextmanager
    def hold(self, name: Any) -> Iterator[None]:
        """Hold the lock of a trial, or of a run after the trials; raises UsageError if another process does."""
        with locked(self._place(name)):
            yield

    def trials(self) -> list[Any]:
        """Return every trial, by number."""
        with reading(self.folder / JOURNAL):
            found: list[Any] = self.study.get_trials(deepcopy=False)
        return found

    def completed(self) -> list[Any]:
        """Return the completed trials, the best first; ties are broken by the validation loss."""
        sign = -1 if self.study.direction.name == "MAXIMIZE" else 1
        done = [trial for trial in self.trials() if trial.state.name == "COMPLETE"]
        return sorted(done, key=lambda trial: (sign * trial.value, trial.user_attrs.get("val_loss", 0.0)))

    def _locked(self) -> AbstractContextManager[None]:
        """Return the lock of the whole study, once no other process holds it."""
        return locked(self._place(ALL), wait=True)

    def _place(self, name: Any) -> Path:
        """Return the file of a lock: network file systems lock files, but no folders."""
        place = self.locks / str(name)
        if not place.exists():
            append(place, b"")
        return place

    def _left(self, stack: ExitStack) -> Any:
        """Return a trial whose process has died, held by ``stack``."""
        for trial in self.trials():
            if trial.state.name == "RUNNING":
                try:
                    stack.enter_context(self.hold(trial.number))
                except UsageError:
                    continue
                return optuna().trial.Trial(self.study, trial._trial_id)
        return None

    def _sampler(self) -> Any:
        """Return the sampler of the next trial; its random numbers are its own, whichever process asks."""
        state = np.random.SeedSequence((self.seed, len(self.trials()))).generate_state(1)
        with warnings.catch_warnings(action="ignore"):
            samplers = optuna().samplers
            return samplers.TPESampler(seed=int(state[0]), multivariate=True, group=True, constant_liar=True)

    def _wanted(self, most: int) -> bool:
        trials = [trial for trial in self.trials() if trial.state.name != "WAITING"]
        counted = [trial for trial in trials if "misfit" not in trial.user_attrs]
        return len(counted) < most and len(trials) < MOST_PER_TRIAL * most


def _open(journal: Path, maximise: bool) -> Any:
    found = optuna()
    from optuna.storages.journal import JournalStorage

    with warnings.catch_warnings(action="ignore"):
        storage = JournalStorage(backend(journal))
        return found.create_study(
            study_name=NAME,
            storage=storage,
            direction="maximize" if maximise else "minimize",
            load_if_exists=True,
        )


def _differing(known: Mapping[str, Any], found: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """Yield the names of the settings that differ, such as ``training.learning_rate``."""
    for name in sorted({*known, *found}):
        one, other = known.get(name), found.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _differing(one, other, f"{within}{name}.")
        elif one != other:
            yield f"{within}{name}"
