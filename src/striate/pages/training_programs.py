"""The programs of a page that trains: a step of each network, by any of some optimizers, and all its values."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from striate.engine.analysis import analyse
from striate.engine.memory import Sizes
from striate.engine.plan import lower, update_row
from striate.engine.program import BACKWARD, FORWARD, LOSS, PACK, UPDATE, Program
from striate.losses import Loss
from striate.model import Model
from striate.pages.programs import forward_part
from striate.targets.image import check_kernels, contents_of
from striate.targets.parcel import Part
from striate.targets.webassembly import LANES, MOST_SUMS

BLOCKS = 8
BATCH = LANES * BLOCKS
OPTIMIZERS = ("adam", "momentum", "nesterov", "gradient_descent", "rmsprop", "adagrad")
"""Adam keeps all that the others need."""


def training_part(model: Model, loss: Loss, dtype: np.dtype, samples: int) -> Part:
    """Return the program of a training step, with one run for each optimizer.

    Parameters
    ----------
    model : Model
        Whose normalisation the program has; its parameters are not part of it.
    loss : Loss
    dtype : dtype
        Of the samples.
    samples : int
        That lie in the memory of the page.

    Raises
    ------
    UsageError
        If a layer has no kernels.
    """
    network, sizes = model.network, Sizes(LANES, BLOCKS, 1)
    facts = analyse(
        network,
        sizes,
        dtype,
        loss=loss,
        optimizer=OPTIMIZERS[0],
        winograd=model.winograd,
        most_sums=MOST_SUMS,
    )
    program = lower(facts)
    check_kernels(network, program)
    _add_optimizers(program, OPTIMIZERS)
    contents = {name: values for name, values in contents_of(model).items() if name in ("mean", "scale")}
    runs = {"gradient": (PACK, FORWARD, LOSS, BACKWARD)} | {name: (_section(name),) for name in OPTIMIZERS}
    return Part(program, contents, runs, samples)


def evaluation_part(model: Model) -> Part:
    """Return the program of all values of one sample, without parameters."""
    part = forward_part(model)
    return dataclasses.replace(part, contents={k: v for k, v in part.contents.items() if k in ("mean", "scale")})


def _section(optimizer: str) -> str:
    return f"{UPDATE}/{optimizer}"


def _add_optimizers(program: Program, names: Sequence[str]) -> None:
    """Append a phase for each optimizer, in a section of its own."""
    chunks = program.phases[-1].tasks
    for name in names:
        row = dataclasses.replace(update_row(program, name), section=_section(name))
        program.phase([row], chunks)
