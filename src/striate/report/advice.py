"""What to try next: whether a network under- or overfits, by which metrics, and which commands may help."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from striate.errors import StriateError
from striate.models.registry import build
from striate.training.metrics import regression_metrics
from striate.training.run.config import RunConfig
from striate.wording import counted, percent, shell_command

if TYPE_CHECKING:
    from striate.training.run import Run

SUGGESTIONS = 2
CERTAIN = 2.0  # standard errors by which training and validation must differ
SMALL_ERROR, SMALL_R2 = 0.02, 0.9
RATIO = 1.5  # validation loss over training loss of a regression that overfits
SMALL_RATIO = 1.1  # the same, if the validation loss has risen
FALLING = 0.03  # share by which the loss of the last tenth of the epochs is below that of the tenth before
SLOW_RATE, HARDLY = 1e-3, 0.95  # a rate below usual ones; the share of the first loss that is left at the end
MOVES = "rotation:10 zoom:0.9:1.1 shift:0.05"
LARGER = {"lenet5": "digit_recogniser", "mlp": "mlp", "photo_cnn": "resnet18", "digit_recogniser": "photo_cnn"}
"""The network to try where one is too small."""
Options = list[str]


@dataclass(frozen=True)
class Suggestion:
    """Something to try: a reason, and the command that does it."""

    reason: str
    command: str


@dataclass(frozen=True)
class Advice:
    """What the metrics of a run suggest.

    Parameters
    ----------
    verdict : {"overfits", "neglects", "underfits", "fits"}
    because : str
        The metrics, as a sentence.
    suggestions : tuple of Suggestion
    """

    verdict: str
    because: str
    suggestions: tuple[Suggestion, ...]


def advise(run: Run) -> Advice | None:
    """Return what to try after a run; None if it has no validation split or no epoch.

    Accuracies of training and validation are those of the last epoch, or of the one whose weights were kept. They
    differ significantly if their distance is more than twice its standard error (binomial).
    """
    records = run.history.records
    if not records or records[-1].val_loss is None or run.splits.validation is None:
        return None
    found = _classifier(run) if records[-1].val_accuracy is not None else _regression(run)
    if found is None:
        return None
    neglected = _neglected(run)
    verdict, because = ("neglects", neglected) if neglected and found[0] == "fits" else found
    tries = {
        "overfits": _against_overfitting,
        "neglects": _against_neglect,
        "underfits": _against_underfitting,
        "fits": _beyond,
    }[verdict]
    return Advice(verdict, because, tuple(islice(tries(run), SUGGESTIONS)))


def _classifier(run: Run) -> tuple[str, str] | None:
    record, count = _kept(run), len(run.splits.validation or ())
    trained, held = record.accuracy, record.val_accuracy
    if trained is None or held is None:
        return None
    error = math.sqrt(max(held * (1 - held), 1 / count) / count)
    shown = f"accuracy is {percent(trained)} in training and {percent(held)} on {count:,} validation samples"
    rise = _rise(run)
    if trained - held > max(CERTAIN * error, 1 - trained):
        return "overfits", f"{shown}; the gap of {percent(trained - held)} is more than chance{rise}"
    if rise and (record.val_loss or 0.0) > SMALL_RATIO * record.loss:
        return "overfits", f"{shown}{rise}"
    if 1 - trained > max(SMALL_ERROR, CERTAIN * error):
        return "underfits", f"{shown}; it does not fit even the samples it was trained on"
    return "fits", f"{shown}; the two differ no more than chance allows"


def _neglected(run: Run) -> str:
    """Return a sentence about a rare class that is never predicted, although nothing makes it count more."""
    result, training = run.evaluation, run.config.training
    weighted = training.class_weights is not None or training.sampling != "shuffled"
    if result is None or result.kind != "classes" or result.is_map or weighted:
        return ""
    missed = result.never_predicted
    if not missed or not result.by_class.is_unbalanced:
        return ""
    count = int(result.by_class.support[result.classes.index(missed[0])])
    share = f"{count:,} of {counted(len(result.targets), f'{run.split} sample')}"
    return f"{missed[0]} is never predicted, though it is the class of {share}"


def _regression(run: Run) -> tuple[str, str] | None:
    record = _kept(run)
    if record.val_loss is None or run.evaluation is None:
        return None
    r2, ratio = regression_metrics(run.evaluation).r2, record.val_loss / max(record.loss, 1e-12)
    shown = (
        f"the loss is {record.loss:.4g} in training and {record.val_loss:.4g} in validation, "
        f"R2 on the {run.split} split is {r2:.3f}"
    )
    rise = _rise(run)
    if ratio > (SMALL_RATIO if rise else RATIO):
        return "overfits", f"{shown}{rise}"
    return ("fits", shown) if r2 >= SMALL_R2 else ("underfits", f"{shown}; both losses are high")


def _kept(run: Run) -> Any:
    """Return the epoch whose weights the model has: the last, or the best of early stopping."""
    records = run.history.records
    stopping = run.config.early_stopping
    if stopping is None or not getattr(stopping, "restore_best_weights", False):
        return records[-1]
    return min(records, key=lambda record: math.inf if record.val_loss is None else record.val_loss)


def _rise(run: Run) -> str:
    """Return a phrase about a validation loss that has risen by more than a tenth since its best epoch."""
    losses = [record.val_loss for record in run.history.records if record.val_loss is not None]
    best = min(range(len(losses)), key=losses.__getitem__)
    if losses[-1] <= 1.1 * losses[best] or best > 0.8 * len(losses):
        return ""
    lowest, last = f"{losses[best]:.4g} after epoch {best + 1}", f"{losses[-1]:.4g}"
    return f"; the validation loss rose from {lowest} to {last} at the end"


def _against_overfitting(run: Run) -> Iterator[Suggestion]:
    config, training = run.config, run.config.training
    images = len(run.splits.train.sample_shape) == 3 and not run.splits.train.symbols
    if images and (training.augmentation is None or not training.augmentation.transforms):
        yield _suggest(run, "change the training images a little each time", ["--augment", MOVES])
    if _rise(run) and config.early_stopping is None:
        yield _suggest(run, "stop when the validation loss rises", ["--early-stopping", "10"])
    if _has_dropout(config.model.options):
        on = True if isinstance(config.model.options["dropout"], bool) else 0.5
        yield _suggest(run, "drop units at random", _model_options(config, {"dropout": on}))
    present = training.regularisation.weight_decay + getattr(training.optimizer, "weight_decay", 0.0)
    decay = max(0.01, 10 * present)
    if decay <= 1:
        yield _suggest(run, "pull the weights towards zero", ["--weight-decay", f"{decay:g}"])
    if run.splits.train.classes and training.regularisation.label_smoothing == 0:
        yield _suggest(run, "smooth the targets", ["--label-smoothing", "0.1"])
    narrower = _hidden(config, 0.5)
    if narrower:
        yield _suggest(run, "use a smaller network", narrower)
    yield from _beyond(run)


def _against_neglect(run: Run) -> Iterator[Suggestion]:
    yield _suggest(run, "give rare classes more weight", ["--class-weights", "balanced"])
    yield _suggest(run, "draw every class equally often", ["--sampling", "balanced"])


def _against_underfitting(run: Run) -> Iterator[Suggestion]:
    config, training = run.config, run.config.training
    rate = training.learning_rate
    if isinstance(rate, float) and rate < SLOW_RATE and _hardly_fell(run):
        yield _suggest(
            run, "learn ten times as fast, because the loss hardly fell", ["--learning-rate", f"{10 * rate:g}"]
        )
    if _still_falling(run):
        epochs = 2 * len(run.history.records)
        yield _suggest(run, "train longer, because the loss was still falling", ["--epochs", str(epochs)])
    larger = LARGER.get(config.model.name)
    if larger is not None and _builds(run, larger):
        yield _suggest(run, "use a larger network", _larger(config, larger))
    if training.augmentation is not None and training.augmentation.transforms:
        yield _suggest(run, "leave the training samples as they are", ["--augment", "none"])
    if isinstance(rate, float):
        yield _suggest(run, "learn faster", ["--learning-rate", f"{3 * rate:g}"])
    yield _suggest(run, "train longer", ["--epochs", str(2 * len(run.history.records))])


def _beyond(run: Run) -> Iterator[Suggestion]:
    yield _suggest(run, "measure how much the result depends on the split", ["--folds", "5"])
    yield _more_epochs_or_seeds(run)


def _more_epochs_or_seeds(run: Run) -> Suggestion:
    return _suggest(run, "train with another seed", ["--seed", str(run.config.training.seed + 1)])


def _still_falling(run: Run) -> bool:
    losses = [record.loss for record in run.history.records]
    tenth = max(1, len(losses) // 10)
    if len(losses) < 2 * tenth:
        return False
    before, last = sum(losses[-2 * tenth : -tenth]), sum(losses[-tenth:])
    return before > 0 and 1 - last / before > FALLING


def _hardly_fell(run: Run) -> bool:
    records = run.history.records
    return len(records) > 1 and records[-1].loss > HARDLY * records[0].loss


def _has_dropout(options: Mapping[str, Any]) -> bool:
    return "dropout" in options and not options["dropout"]


def _builds(run: Run, name: str) -> bool:
    """Return whether a network can be built for the samples."""
    try:
        build(name, run.model.network.output_shape[0], run.model.input_shape)
    except StriateError:
        return False
    return True


def _larger(config: RunConfig, larger: str) -> Options:
    if larger != "mlp":
        return ["--model", larger]
    return _hidden(config, 4)


def _hidden(config: RunConfig, factor: float) -> Options:
    """Return the options that make the hidden layers so many times as wide; none if there are no such layers."""
    hidden = config.model.options.get("hidden", ())
    widths = hidden if isinstance(hidden, tuple | list) else (hidden,)
    return (
        _model_options(config, {"hidden": tuple(max(1, int(factor * width)) for width in widths)}) if widths else []
    )


def _model_options(config: RunConfig, changes: Mapping[str, Any]) -> Options:
    """Return the options that give a network other options and keep those it has."""
    found: Options = []
    for name, value in {**config.model.options, **changes}.items():
        values = value if isinstance(value, tuple | list) else (value,)
        text = ",".join(str(item).lower() if isinstance(item, bool) else str(item) for item in values)
        found += ["--model-option", f"{name}={text}"] if text and None not in values else []
    return found


def _suggest(run: Run, reason: str, options: Options) -> Suggestion:
    return Suggestion(reason, shell_command("train", "--config", run.folder.config, *options))
