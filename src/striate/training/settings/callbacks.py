"""The settings of the callbacks that a configuration can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from striate.settings import Settings, choice, flag, number, setting, whole
from striate.training.settings.words import MONITORS

MODES = ("auto", "min", "max")
RUN = "Run"
NOT_NEGATIVE = number(above=0, closed=True)


def _monitor(default: str | None, help: str, **more: Any) -> Any:
    return setting(default, choice(*MONITORS), help, **more)


def _mode() -> Any:
    help = "Whether the metric should fall or rise; auto: an accuracy should rise, a loss should fall."
    return setting("auto", choice(*MODES), help)


@dataclass(frozen=True, kw_only=True)
class EarlyStoppingSettings(Settings):
    """When training stops early; the arguments of the callback ``EarlyStopping``."""

    monitor: str = _monitor("val_loss", "The metric to watch.")
    patience: int = setting(
        0, whole(0), "Epochs to wait for an improvement; 0 stops at the first epoch without one."
    )
    min_delta: float = setting(0.0, NOT_NEGATIVE, "Smallest change that counts as an improvement.")
    mode: str = _mode()
    baseline: float | None = setting(
        None, number(), "Only values better than this count as an improvement.", off="none"
    )
    restore_best_weights: bool = setting(True, flag(), "End with the parameters of the best epoch.")
    start_from_epoch: int = setting(0, whole(0), "Epochs to wait before watching.")


@dataclass(frozen=True, kw_only=True)
class ReduceOnPlateauSettings(Settings):
    """When the learning rate falls; the arguments of the callback ``ReduceOnPlateau``."""

    monitor: str = _monitor("val_loss", "The metric to watch.")
    factor: float = setting(0.1, number(0, 1), "Multiply the learning rate by this.")
    patience: int = setting(10, whole(0), "Epochs to wait for an improvement.")
    min_delta: float = setting(1e-4, NOT_NEGATIVE, "Smallest change that counts as an improvement.")
    mode: str = _mode()
    cooldown: int = setting(0, whole(0), "Epochs to wait after a reduction before watching again.")
    floor: float = setting(0.0, NOT_NEGATIVE, "Never reduce the learning rate below this.")


@dataclass(frozen=True, kw_only=True)
class CheckpointConfig(Settings):
    """When a run is saved; the arguments of the callback ``Checkpoint``."""

    every_epochs: int = setting(1, whole(0), "Save every N epochs; 0 saves none at the end of epochs.")
    every_steps: int | None = setting(
        None,
        whole(),
        "Also save every N steps.",
        off="never",
        option="--checkpoint-steps",
        metavar="N",
        panel=RUN,
    )
    every_minutes: float | None = setting(
        5.0,
        number(above=0),
        "Also save every X minutes.",
        off="never",
        option="--checkpoint-minutes",
        metavar="X",
        panel=RUN,
    )
    keep: int = setting(
        3, whole(), "Keep the last N checkpoints.", option="--keep-checkpoints", metavar="N", panel=RUN
    )
    monitor: str | None = _monitor(
        None,
        "The metric that decides which epoch is kept as best.safetensors.",
        auto="the validation loss, or the loss without validation data",
    )
    mode: str = _mode()
    least_seconds: float = setting(
        1.0, NOT_NEGATIVE, "Shortest time between two checkpoints at the end of epochs, in seconds."
    )
