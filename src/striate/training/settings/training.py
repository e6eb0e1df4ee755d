"""How a network learns: the settings of a training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from striate.settings import Settings, choice, flag, mapping, number, setting, settings_of, table, texts, whole
from striate.training.settings.canonical import (
    AUGMENTATION,
    CLASS_WEIGHTS,
    LEARNING_RATE,
    LOSS,
    OPTIMIZER,
    SCHEDULE,
    SEED,
)
from striate.training.settings.regularisation import PANEL as REGULARISATION
from striate.training.settings.regularisation import Regularisation
from striate.training.settings.words import rates

if TYPE_CHECKING:
    from striate.data.augmentation import Augmentation
    from striate.losses import Loss
    from striate.training.optimizers import Optimizer
    from striate.training.weights import ClassWeights

FULL = "full"
LEARNING = "Learning"
DATA = "chosen from the data"


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(Settings):
    """How a network learns: the arguments of `Trainer`, and the table ``[training]`` of a configuration.

    What is None is chosen: by a run from the data (see `recipe`), by a `Trainer` as in `DEFAULTS`. Settings marked
    ``exact`` must be the same for a training to go on from a checkpoint.
    """

    epochs: int | None = setting(
        None, whole(), "Number of passes over the training data.", auto=DATA, option="--epochs", metavar="N"
    )
    batch_size: int | str | None = setting(
        None,
        whole(1, FULL),
        "Samples per step; full: all of them.",
        auto=f"{DATA}, usually 64",
        option="--batch-size",
        metavar="N|full",
        panel=LEARNING,
        exact=True,
    )
    optimizer: Optimizer | None = setting(
        None,
        OPTIMIZER,
        "Optimizer: adam, adamw, momentum, sgd, ...",
        auto=f"{DATA}: adam, or adamw for photographs",
        option="--optimizer",
        metavar="NAME",
        panel=LEARNING,
        exact=True,
    )
    learning_rate: float | Callable[[int], float] | None = setting(
        None,
        LEARNING_RATE,
        "Peak learning rate.",
        auto=f"{DATA}, or the optimizer's usual one",
        option="--learning-rate",
        metavar="X",
        panel=LEARNING,
        exact=True,
    )
    schedule: Mapping[str, Any] | None = setting(
        None,
        SCHEDULE,
        "Learning rate schedule: cosine, constant, step:EPOCHS:FACTOR, exponential or one_cycle.",
        auto="cosine",
        option="--schedule",
        metavar="NAME",
        panel=LEARNING,
        exact=True,
    )
    initial: str | None = setting(
        None,
        choice("glorot", "he", "lecun"),
        "How the weights are initialised.",
        auto=f"{DATA}, usually glorot",
        option="--initial",
        metavar="NAME",
        panel=LEARNING,
    )
    loss: Loss | None = setting(
        None,
        LOSS,
        "Loss function, such as cross_entropy or huber:0.5.",
        auto="chosen from the labels",
        option="--loss",
        metavar="NAME",
        panel=LEARNING,
        exact=True,
    )
    auxiliary_weight: float = setting(
        0.3,
        number(above=0, closed=True),
        "Weight of the losses of a network's auxiliary outputs (Szegedy et al., 2015, section 5).",
        exact=True,
    )
    class_weights: ClassWeights | None = setting(
        None,
        CLASS_WEIGHTS,
        "Weight of each class in the loss: balanced, or 'crack=3 sound=1'.",
        off="all classes have the same weight",
        option="--class-weights",
        metavar="WEIGHTS",
        panel=LEARNING,
        exact=True,
    )
    weighted_validation: bool = setting(
        False,
        flag(),
        "Apply the class weights to validation metrics too.",
        option="--weighted-validation",
        panel=LEARNING,
    )
    sampling: str = setting(
        "shuffled",
        choice("shuffled", "balanced"),
        "Use each sample once per epoch (shuffled), or as many samples of each class (balanced).",
        option="--sampling",
        metavar="HOW",
        panel=LEARNING,
        exact=True,
    )
    freeze: tuple[str, ...] = setting(
        (),
        texts("list of patterns of layers or parameters"),
        "Keep these parameters fixed, such as 'conv*'; can be repeated.",
        option="--freeze",
        metavar="PATTERN",
        panel=LEARNING,
    )
    rates: Mapping[str, float] = setting(
        {},
        mapping(number(above=0, closed=True), "table of patterns and factors", rates),
        "Multiply the learning rate of these parameters, such as 'conv*=0.1'; can be repeated.",
        option="--rate",
        metavar="PATTERN=FACTOR",
        panel=LEARNING,
    )
    seed: int = setting(0, SEED, "Seed of every random number.", option="--seed", metavar="N", exact=True)
    threads: int | None = setting(
        None,
        whole(),
        "Number of threads; does not change the result.",
        auto="all cores",
        option="--threads",
        metavar="N",
    )
    winograd: bool = setting(
        True,
        flag(),
        "Use Winograd's algorithm for 3x3 convolutions, which is faster and rounds a little more.",
        option="--winograd",
        panel=LEARNING,
        exact=True,
    )
    regularisation: Regularisation = setting(
        Regularisation(), table(Regularisation), "Penalties, clipping and label smoothing.", exact=True
    )
    standardise_targets: bool = setting(
        True, flag(), "Standardise the targets of a regression; predictions stay in their own units."
    )
    augmentation: Augmentation | None = setting(
        None,
        AUGMENTATION,
        "Random changes to the training samples, such as 'rotation:10 zoom:0.9:1.1 shift:0.1'; none for none.",
        auto=DATA,
        option="--augment",
        metavar="CHANGES",
        panel=REGULARISATION,
        exact=True,
    )

    def filled(self, defaults: TrainingSettings) -> TrainingSettings:
        """Return the same settings, with those of ``defaults`` in place of None."""
        names = [name for name in settings_of(self) if getattr(self, name) is None]
        return self.changed(**{name: getattr(defaults, name) for name in names})

    def exact(self) -> dict[str, Any]:
        """Return the settings that must not change for a training to continue bit for bit, as JSON types."""
        return {name: known.plain(getattr(self, name)) for name, known in settings_of(self).items() if known.exact}
