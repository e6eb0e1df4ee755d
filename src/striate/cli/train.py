"""``striate train``: teach a network."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.options import DataArgument, DataDir, Json, Threads

if TYPE_CHECKING:
    from striate.cli.output import Output
    from striate.data.splits import Splits
    from striate.training.trainer import Trainer

FEW_SAMPLES, LEAST_EPOCHS, MOST_EPOCHS = 60_000, 10, 40


def train(
    dataset: DataArgument,
    model: Annotated[
        str, typer.Option("--model", metavar="NAME|FILE", help="A network by name, or a saved model to go on from.")
    ] = "lenet5",
    epochs: Annotated[
        int | None,
        typer.Option(metavar="N", help="Times through the training samples; default 10, more for small sets."),
    ] = None,
    batch_size: Annotated[int, typer.Option(metavar="N", help="Samples of one step.")] = 64,
    optimizer: Annotated[str, typer.Option(metavar="NAME", help="adam, momentum, nesterov, sgd, ...")] = "adam",
    learning_rate: Annotated[
        float | None,
        typer.Option(metavar="X", help="Default: the optimizer's usual one."),
    ] = None,
    initial: Annotated[str, typer.Option(metavar="NAME", help="First weights: he, glorot or lecun.")] = "he",
    seed: Annotated[int, typer.Option(metavar="S", help="Fixes the weights, the split and the order.")] = 0,
    validation: Annotated[
        float, typer.Option(metavar="SHARE", help="Part of the training samples that is kept for validation.")
    ] = 0.1,
    threads: Threads = None,
    data_dir: DataDir = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where the model is saved; default a new folder in runs/."),
    ] = None,
    json: Json = False,
) -> None:
    """Train a network on a data set, test it and save it.

    striate train digits

    striate train mnist --model digit_recogniser --epochs 20 --out runs/mine
    """
    from striate.cli.folders import run_folder
    from striate.cli.output import Output
    from striate.cli.sources import load_data, network_or_model
    from striate.training.trainer import Trainer

    output = Output(json)
    splits = load_data(dataset, data_dir, seed, validation)
    trainer = Trainer(
        network_or_model(model, splits.train),
        optimizer=optimizer,
        learning_rate=learning_rate,
        batch_size=batch_size,
        seed=seed,
        threads=threads,
        initial=initial,
    )
    epochs = default_epochs(len(splits.train)) if epochs is None else epochs
    folder = run_folder(out, dataset, model)
    _introduce(output, splits, trainer)
    seconds = _fit(trainer, splits, epochs, folder, output)
    _finish(trainer, splits, folder, seconds, output, dataset)


def default_epochs(samples: int) -> int:
    """Return more epochs for fewer samples.

    Examples
    --------
    >>> default_epochs(54_000), default_epochs(1_294)
    (10, 40)
    """
    return max(LEAST_EPOCHS, min(MOST_EPOCHS, FEW_SAMPLES // samples))


def _introduce(output: Output, splits: Splits, trainer: Trainer) -> None:
    from striate.engine.machine import available_threads
    from striate.layers.base import format_shape

    counts = [f"{len(splits.train):,} training"]
    counts += [f"{len(splits.validation):,} validation"] if splits.validation else []
    counts += [f"{len(splits.test):,} test"] if splits.test else []
    classes = f", {len(splits.train.classes)} classes" if splits.train.classes else ""
    shape = format_shape(splits.train.sample_shape)
    output.line(f"{splits.train.name}: {', '.join(counts)} samples of {shape}{classes}")
    threads = trainer.threads or available_threads()
    output.line(
        f"{trainer.network.name}: {trainer.network.parameter_count:,} parameters; {trainer.optimizer}, "
        f"learning rate {trainer.schedule(0):g}, batches of {trainer.batch_size}, "
        f"{threads} thread{'s' * (threads > 1)}, seed {trainer.seed}"
    )


def _fit(trainer: Trainer, splits: Splits, epochs: int, folder: Path, output: Output) -> float:
    """Train and return the seconds that it took; whatever ends it, the last good weights are saved."""
    from striate.cli.progress import ShowProgress
    from striate.errors import DivergenceError

    progress = ShowProgress(output)
    start = time.perf_counter()
    try:
        trainer.fit(splits.train, splits.validation, epochs, [progress])
    except DivergenceError as error:
        progress.close()
        if trainer.progress.step == 0:
            raise
        raise DivergenceError(f"{error} They are saved in {_save(trainer, folder, output)}.") from error
    finally:
        progress.close()
    trainer.model.facts |= {"preparation": splits.preparation} if splits.preparation else {}
    return time.perf_counter() - start


def _save(trainer: Trainer, folder: Path, output: Output) -> Path:
    from striate.cli.folders import MODEL_FILE, keep_previous

    if kept := keep_previous(folder):
        output.line(f"the model that was there before is now {kept}")
    return trainer.model.save(folder / MODEL_FILE)


def _finish(trainer: Trainer, splits: Splits, folder: Path, seconds: float, output: Output, name: str) -> None:
    from striate.cli.ending import fail
    from striate.cli.output import confusion_json, duration, evaluation_text

    history, progress = trainer.history, trainer.progress
    if history.interrupted:
        saved = _save(trainer, folder, output)
        left = progress.epochs - progress.epoch
        fail(
            f"interrupted in epoch {progress.epoch + 1} of {progress.epochs}; the model is saved. Go on with: "
            f"striate train {name} --model {saved} --epochs {left}"
        )
    saved = _save(trainer, folder, output)
    facts: dict[str, Any] = _facts(trainer, seconds)
    output.line(f"\ntrained in {duration(seconds)}, {facts['images_per_second']:,.0f} images/s")
    test = splits.test or splits.validation
    if test is not None:
        result = trainer.model.evaluate(test)
        output.line(evaluation_text(result, "test" if splits.test else "validation"))
        prefix = "test" if splits.test else "validation"
        facts |= {f"{prefix}_accuracy": result.accuracy, f"{prefix}_loss": result.loss} | confusion_json(result)
    _list_bad_files(splits, output)
    output.line(f"\nmodel saved: {saved}")
    output.result({**facts, "dataset": name, "model": str(saved)})


def _list_bad_files(splits: Splits, output: Output) -> None:
    if splits.bad_files:
        output.line(f"\n{len(splits.bad_files):,} files could not be used and were left out")
    for bad in splits.bad_files:
        output.line(f"  {bad.path}: {bad.reason}")


def _facts(trainer: Trainer, seconds: float) -> dict[str, Any]:
    records = trainer.history.records
    last = records[-1]
    images = sum(record.images_per_second * record.seconds for record in records)
    return {
        "test_accuracy": None,
        "test_loss": None,
        "train_loss": last.loss,
        "train_accuracy": last.accuracy,
        "validation_loss": last.val_loss,
        "validation_accuracy": last.val_accuracy,
        "epochs": len(records),
        "steps": last.steps,
        "train_seconds": seconds,
        "images_per_second": images / max(1e-9, sum(record.seconds for record in records)),
        "parameters": trainer.network.parameter_count,
        "network": trainer.network.name,
        "seed": trainer.seed,
    }
