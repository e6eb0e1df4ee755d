"""The settings that keep weights small and gradients bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from striate.settings import Settings, number, setting

PANEL = "Regularisation"


def _bound(help: str, option: str) -> Any:
    return setting(None, number(above=0), help, off="no limit", option=option, metavar="X", panel=PANEL)


def _amount(help: str, option: str) -> Any:
    return setting(0.0, number(above=0, closed=True), help, option=option, metavar="X", panel=PANEL)


@dataclass(frozen=True, kw_only=True)
class Regularisation(Settings):
    """Penalties and bounds on top of an optimizer; those on weights leave biases, scales and frozen weights alone.

    Parameters
    ----------
    l1, l2 : float
        Add ``l1 * sum |w| + l2/2 * sum w^2`` to the loss; both together are the elastic net. The losses
        that are reported leave them out.
    weight_decay : float
        Before every update ``w <- w (1 - alpha * weight_decay)``, whatever the optimizer.
    max_norm : float, optional
        After every update each unit's incoming weights are scaled down to this length if they are longer.
    clip_value : float, optional
        Every element of the gradient is brought between -clip_value and clip_value.
    clip_norm : float, optional
        A gradient longer than this is scaled down to this length, over all parameters together.
    weight_noise : float
        Standard deviation of normal noise that is added to the weights while the gradient is computed.
    label_smoothing : float
        The target becomes ``(1 - s) onehot + s / K``; from 0 to below 1.

    References
    ----------
    Goodfellow, Bengio and Courville (2016), "Deep Learning", sections 7.1 and 7.5; Zou and Hastie (2005),
    "Regularization and variable selection via the elastic net"; Loshchilov and Hutter (2019), "Decoupled
    weight decay regularization"; Srivastava et al. (2014), "Dropout", section 5.1 (max-norm); Pascanu,
    Mikolov and Bengio (2013), "On the difficulty of training recurrent neural networks", section 3.2
    (clipping); Szegedy et al. (2016), "Rethinking the Inception architecture", section 7 (label smoothing).
    """

    weight_decay: float = _amount("Decoupled weight decay.", "--weight-decay")
    l1: float = _amount("L1 penalty on the weights.", "--l1")
    l2: float = _amount("L2 penalty on the weights.", "--l2")
    label_smoothing: float = setting(
        0.0,
        number(0, 1, closed=True),
        "Label smoothing: fraction of each target that is spread over all classes.",
        option="--label-smoothing",
        metavar="X",
        panel=PANEL,
    )
    max_norm: float | None = _bound("Limit the norm of each unit's incoming weights.", "--max-norm")
    clip_norm: float | None = _bound("Clip the norm of the gradient.", "--clip-norm")
    clip_value: float | None = _bound("Clip each element of the gradient.", "--clip-value")
    weight_noise: float = _amount(
        "Standard deviation of the noise added to the weights in training.", "--weight-noise"
    )

    def adjusts(self) -> bool:
        """Return whether anything happens around the update."""
        sums = self.l1 + self.l2 + self.weight_decay + self.weight_noise
        return sums > 0 or any(bound is not None for bound in (self.max_norm, self.clip_value, self.clip_norm))
