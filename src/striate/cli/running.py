"""A run as the command line shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.cli.ending import FAILED, REQUEUE, fail
from striate.cli.output import Output, confusion_json, evaluation_text
from striate.wording import counted, duration, percent, shell_command, speed

if TYPE_CHECKING:
    from striate.data.splits import Splits
    from striate.training.run import Run, RunConfig
    from striate.training.trainer import Trainer

MOST_COMPARED_BYTES = 1 << 30  # reading more than this to find samples that stand on both sides takes too long
TITLES = {"accuracy": "accuracy", "r2": "R2", "loss": "loss"}


class Runner:
    """Trains and shows the progress.

    Parameters
    ----------
    output : Output
    report : bool
        Write ``report.html`` at the end.
    """

    def __init__(self, output: Output, report: bool = True) -> None:
        self.output, self.report = output, report
        self.whole: Path | None = None  # the folder of the cross-validation that a run belongs to
        self.trainer: Trainer | None = None

    def train(self, config: RunConfig, folder: Path) -> None:
        """Start a run in ``folder``."""
        self.output.result(self._train(config, folder))

    def resume(self, folder: Path, epochs: int | None = None) -> None:
        """Continue the run or cross-validation in ``folder``; a run up to ``epochs`` in total, if given."""
        from striate.errors import UsageError
        from striate.search.study import JOURNAL
        from striate.training.run import RunConfig
        from striate.training.run.cross_validation import fold_folder, folds_in
        from striate.training.run.folder import RunFolder

        if (folder / JOURNAL).is_file():
            raise UsageError(
                f"{folder}: holds a search, not a run. To continue it, run its striate search command again."
            )
        folds = folds_in(folder)
        if folds is None:
            self.output.result(self._resume(folder, epochs))
            return
        if epochs is not None:
            raise UsageError(f"{folder}: holds a cross-validation; resume a fold for more epochs.")
        first = RunConfig.load(RunFolder(fold_folder(folder, 1)).config)
        options = first.data.options.changed(fold=None)
        self.cross_validate(first.changed(data=first.data.changed(options=options)), folder, folds)

    def cross_validate(self, config: RunConfig, folder: Path, folds: int) -> None:
        """Train once for each fold in ``folder``, or continue where that was stopped."""
        from striate.training.run.cross_validation import cross_validate

        self.whole = folder

        def begin(config: RunConfig, place: Path) -> None:
            self.output.line(f"\n{place}: fold {config.data.options.fold}")
            self._train(config, place)

        def go_on(place: Path) -> None:
            self.output.line(f"\n{place}: continued")
            self._resume(place)

        found = cross_validate(config, folder, folds, begin, go_on)
        summary = found.summary()
        self.output.line(f"\n{folds} folds, mean and standard deviation of the held-out samples")
        for name, (mean, deviation) in summary.items():
            shown = [percent(v) if name == "accuracy" else f"{v:.4f}" for v in (mean, deviation)]
            self.output.line(f"  {TITLES[name]:<8}  {' ± '.join(shown)}")
        self._write_comparison([record.folder for record in found.records], folder)
        metrics = {name: {"mean": mean, "deviation": deviation} for name, (mean, deviation) in summary.items()}
        records = [record.as_dict() for record in found.records]
        self.output.result({"folder": str(folder), **metrics, "folds": records})

    def _train(self, config: RunConfig, folder: Path) -> dict[str, Any]:
        from striate.cli.configuration import with_progress
        from striate.training.run import train

        def begin(**arguments: Any) -> Run:
            return train(with_progress(config, self._decoding), folder, **arguments)

        return self._run(begin, folder)

    def _resume(self, folder: Path, epochs: int | None = None) -> dict[str, Any]:
        from striate.training.run import resume

        return self._run(lambda **arguments: resume(folder, epochs=epochs, **arguments), folder)

    def _run(self, start: Callable[..., Run], folder: Path) -> dict[str, Any]:
        from striate.training.callbacks import ProgressBar
        from striate.training.run import RunFolder

        progress = ProgressBar(self.output.console)
        try:
            run = start(callbacks=[progress], prepared=self._prepared, report=False)
        except KeyboardInterrupt:
            if not RunFolder(folder).config.is_file():
                raise
            fail(f"interrupted. Continue with: {shell_command('resume', self.whole or folder)}")
        finally:
            progress.close()
        facts = self._finish(run)
        if self.report:
            self._write_report(run)
        return facts

    def _write_comparison(self, runs: list[Path], folder: Path) -> None:
        from striate.report.comparison import write_comparison

        if self.report:
            title = f"Cross-validation with {len(runs)} folds"
            page = write_comparison(runs, folder / "report.html", tested=False, title=title)
            self.output.line(f"report: {page}")

    def _write_report(self, run: Run) -> None:
        """Write the page; the model is saved already, so that nothing is lost by stopping here."""
        from striate.report import write_report

        try:
            with self.output.console.status("writing the report") as status:
                write_report(run, run.folder.report, lambda text: status.update(f"writing the report: {text}"))
        except KeyboardInterrupt:
            fail(f"interrupted while writing the report; the model is saved: {run.folder.model}")
        self.output.line(f"report: {run.folder.report}")

    def _decoding(self, done: int, total: int) -> None:
        if self.output.console.is_terminal:
            self.output.console.print(f"reading files: {done:,} of {total:,}", end="\r" if done < total else "\n")

    def _prepared(self, splits: Splits, trainer: Trainer) -> None:
        """Print what will be trained, and how."""
        from striate.data.augmentation.words import describe
        from striate.layers.base import format_shape
        from striate.losses.choice import are_labels
        from striate.machine import available_threads
        from striate.training import ranks

        self.trainer = trainer
        data = splits.train
        named = {"training": data, "validation": splits.validation, "test": splits.test}
        counts = ", ".join(f"{len(split):,} {name}" for name, split in named.items() if split is not None)
        word = "labels" if are_labels(data.targets) else "classes"
        classes = f", {len(data.classes)} {word}" if data.classes else ""
        self.output.line(f"{data.name}: {counts} samples of {format_shape(data.sample_shape)}{classes}")
        for note in splits.notes:
            self.output.line(f"  {note}")
        settings = trainer.settings
        title = settings.loss.title if settings.loss else "loss chosen from the targets"
        team = ranks.current
        threads = team.threads(settings.threads) if team else settings.threads or available_threads()
        shared = f"{team.size} ranks of " if team else ""
        sizes = f"batches of {settings.batch_size}, {shared}{threads} thread{'s' * (threads > 1)}"
        self.output.line(
            f"{trainer.network.name}: {trainer.network.parameter_count:,} parameters; {title}, "
            f"{settings.optimizer}, {sizes}, seed {settings.seed}"
        )
        augmentation = settings.augmentation
        if augmentation is not None and augmentation.transforms:
            changes = describe(augmentation)
            self.output.line(f"augmentation: {changes} (switch it off with --augment none)")
        self._warn_of_leaks(splits)

    def _warn_of_leaks(self, splits: Splits) -> None:
        from striate.data.leakage import find_leaks

        if splits.train.inputs.nbytes > MOST_COMPARED_BYTES:
            return
        leaks = find_leaks(splits)
        if leaks:
            number, first = counted(len(leaks), "held-out sample"), leaks[0].describe(splits)
            self.output.line(f"warning: the training split also holds {number}: {first}")

    def _finish(self, run: Run) -> dict[str, Any]:
        """Print the result of the run; return the same for programs."""
        from striate.training.interruption import is_requeue

        history, progress = run.history, run.trainer.progress
        if history.interrupted:
            fail(
                f"interrupted after {progress.epoch} of {progress.epochs} epochs and {progress.step:,} steps; "
                f"everything is saved. Continue with: {shell_command('resume', self.whole or run.folder.path)}",
                REQUEUE if is_requeue(history.signal) else FAILED,
            )
        facts = _summary(run)
        if history.stop_reason:
            self.output.line(f"stopped early: {history.stop_reason}")
        rate = speed(facts["samples_per_second"], run.model.input_shape)
        self.output.line(f"\ntrained in {duration(facts['train_seconds'])}, {rate}")
        if run.evaluation is not None:
            self.output.line(evaluation_text(run.evaluation, run.split or ""))
        self.output.bad_files(run.splits.bad_files, "; the report and splits.json list all")
        self.output.line(f"\nmodel saved: {run.folder.model}")
        return facts


def _summary(run: Run) -> dict[str, Any]:
    """Return what ``--json`` reports of a run that has ended."""
    records, result = run.history.records, run.evaluation
    last = records[-1]
    seconds = sum(record.seconds for record in records)
    samples = sum(record.samples_per_second * record.seconds for record in records)
    metrics: dict[str, Any] = {"test_accuracy": None, "test_loss": None}
    if result is not None:
        metrics |= {f"{run.split}_accuracy": result.accuracy, f"{run.split}_loss": result.loss}
        metrics |= confusion_json(result)
    return {
        **metrics,
        "train_loss": last.loss,
        "train_accuracy": last.accuracy,
        "val_loss": last.val_loss,
        "val_accuracy": last.val_accuracy,
        "epochs": len(records),
        "steps": last.steps,
        "stop_reason": run.history.stop_reason,
        "train_seconds": seconds,
        "samples_per_second": samples / max(1e-9, seconds),
        "parameters": run.trainer.network.parameter_count,
        "network": run.trainer.network.name,
        "dataset": run.config.data.name,
        "seed": run.trainer.settings.seed,
        "bad_files": [list(bad) for bad in run.splits.bad_files],
        "model": str(run.folder.model),
        "folder": str(run.folder.path),
    }
