"""The programs of a page: every layer's value of one sample, and the gradient of a score by the input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate.engine.analysis import analyse
from striate.engine.memory import Sizes
from striate.engine.plan import lower
from striate.engine.program import BACKWARD, FORWARD, LOSS, PACK
from striate.errors import UsageError
from striate.explain.attribution.input_gradient import CHOSEN, FAR_BELOW, PIXELS, is_affine, probe
from striate.explain.tracing import score_step
from striate.layers.embedding import Embedding
from striate.losses import Loss
from striate.model import Model
from striate.network import Network, Step
from striate.targets.image import check_kernels, contents_of, program_of
from striate.targets.parcel import Part
from striate.targets.webassembly import LANES, MOST_SUMS


def forward_part(model: Model) -> Part:
    """Return the program that computes and keeps the values of all layers for one sample.

    Raises
    ------
    UsageError
        If a layer has no kernels.
    """
    observed = tuple(step.name for step in model.network.steps[:-1])
    runs = {"pack": (PACK,), "forward": (FORWARD,)}
    return Part(program_of(model, LANES, observed, MOST_SUMS), contents_of(model), runs)


def probe_of(model: Model) -> Network | None:
    """Return the network that computes the gradient of a score by the input; None where the engine has none."""
    if any(isinstance(step.layer, Embedding) for step in model.network.steps):
        return None
    try:
        return probe(model.network, score_step(model.network))
    except UsageError:
        return None


def gradient_part(model: Model) -> tuple[Part, dict[str, Any]] | None:
    """Return the program of the gradient of one score by the input, and how its parameters follow the model's.

    None where the engine has no such gradient: networks that look up symbols, and layers with states that are no
    affine maps.
    """
    if (network := probe_of(model)) is None:
        return None
    frozen = {step.name for step in network.steps} - {PIXELS}
    loss = Loss.of("mean_absolute_error")
    facts = analyse(
        network,
        Sizes(LANES, 1, 1),
        np.dtype(np.float32),
        loss=loss,
        frozen=frozen,
        winograd=model.winograd,
        most_sums=MOST_SUMS,
    )
    program = lower(facts)
    check_kernels(network, program)
    contents = {name: values for name, values in contents_of(model).items() if name in ("mean", "scale")}
    runs = {"pack": (PACK,), "gradient": (FORWARD, LOSS, BACKWARD)}
    return Part(program, contents, runs, LANES), {
        "samples": LANES,
        "target": FAR_BELOW,
        "input": network.step(PIXELS).parameters[1].offset,
        "ones": [network.step(PIXELS).parameters[0].offset, math.prod(model.input_shape)],
        "chosen": network.step(CHOSEN).parameters[0].offset,
        "scores": math.prod(network.step(CHOSEN).input_shapes[0]),
        **_links(model, network.steps),
    }


def _links(model: Model, steps: tuple[Step, ...]) -> dict[str, Any]:
    """Return which parameters the probe copies, and which affine maps it makes of statistics."""
    copies, affine = [], []
    for step in steps:
        if not step.parameters or step.name in (PIXELS, CHOSEN):
            continue
        own = model.network.step(step.name)
        if not is_affine(own):
            pairs = zip(step.parameters, own.parameters, strict=True)
            copies += [[to.offset, found.offset, to.spec.size] for to, found in pairs]
            continue
        learnt = {slot.spec.name: slot.offset for slot in own.parameters}
        states = {slot.spec.name: slot.view(model.states).tolist() for slot in own.states}
        affine.append(
            {
                "weight": step.parameters[0].offset,
                "bias": step.parameters[1].offset,
                "from": [learnt.get("weight"), learnt.get("bias")],
                "mean": states["running_mean"],
                "variance": states["running_variance"],
                "epsilon": own.layer.epsilon,  # type: ignore[attr-defined]
            }
        )
    return {"copies": copies, "affine": affine}
