"""Layer, group and instance normalisation: which values are normalised together, as tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering, Rule, always
from striate.engine.rules import RULES, SAMPLES
from striate.layers.normalisation import LayerNorm, SampleNormalisation
from striate.network import Step


@dataclass(frozen=True)
class Spans:
    """Groups of values in several buffers; see ``kernels.sample_normalisation``.

    Parameters
    ----------
    groups, members : int64[*, buffers + 1]
        Places in each buffer, and a parameter.
    length, parameter_step : int
    """

    groups: np.ndarray
    members: np.ndarray
    length: int
    parameter_step: int

    def arguments(self, lowering: Lowering) -> dict[str, Any]:
        """Return them as the kernels take them."""
        table = lowering.program.table
        return {
            "groups": table(self.groups),
            "group_count": len(self.groups),
            "members": table(self.members),
            "member_count": len(self.members),
            "length": self.length,
            "parameter_step": self.parameter_step,
        }


def spans(layer: SampleNormalisation, *buffers: Buffer) -> Spans:
    """Return what ``layer`` normalises together in buffers of the same shape."""
    channels = np.stack([b.channels() for b in buffers], axis=1)
    size = layer.channels_together(len(channels))
    if size is None:
        positions = np.stack([b.positions() for b in buffers], axis=1)
        none, each = np.zeros(len(positions)), np.arange(len(channels)) * layer.affine
        return Spans(np.column_stack([positions, none]), np.column_stack([channels, each]), 1, 0)
    runs, length = buffers[0].channel_runs(*buffers[1:])
    by_value = isinstance(layer, LayerNorm)
    numbers = np.arange(len(channels))
    first = numbers[::size] * layer.affine
    groups = np.column_stack([channels[::size], 0 * first if by_value else first])
    members = (channels[:size, None] + runs[None]).reshape(-1, len(buffers))
    parameters = np.arange(len(members)) * length if by_value else np.repeat(numbers[:size], len(runs))
    step = int(by_value and layer.affine)
    return Spans(groups, np.column_stack([members, parameters * layer.affine]), length, step)


def _statistics_of_parameters(layer: SampleNormalisation, x: Buffer, grad: Buffer) -> dict[str, Any]:
    """Return where the values of every parameter lie in x and grad_out, and their group's statistics."""
    group = 2 * x.lanes  # mean and inverse
    channels = np.stack([x.channels(), grad.channels()], axis=1)
    size = layer.channels_together(len(channels))
    if size is not None and isinstance(layer, LayerNorm):  # a weight for every value
        values = np.stack([x.features(), grad.features()], axis=1)
        return _parameter_tables(np.column_stack([values, np.zeros(len(values))]), np.zeros((1, 3)), 1, 0)
    runs, length = x.channel_runs(grad)
    if size is None:
        firsts = np.arange(len(runs)) * length * group
        parameters = np.column_stack([channels, np.zeros(len(channels))])
        return _parameter_tables(parameters, np.column_stack([runs, firsts]), length, group)
    parameters = np.column_stack([channels, np.arange(len(channels)) // size * group])
    return _parameter_tables(parameters, np.column_stack([runs, np.zeros(len(runs))]), length, 0)


def _parameter_tables(parameters: np.ndarray, runs: np.ndarray, length: int, step: int) -> dict[str, Any]:
    return {
        "parameters": parameters,
        "parameter_count": len(parameters),
        "runs": runs,
        "run_count": len(runs),
        "length": length,
        "statistics_step": step,
    }


def _forward(lowering: Lowering, step: Step) -> None:
    layer: SampleNormalisation = step.layer  # type: ignore[assignment]
    x = lowering.compact(step.inputs[0])
    out = lowering.allocate(step, like=x)
    tables = spans(layer, x, out)
    statistics = lowering.arena.allocate((2 * len(tables.groups),))
    lowering.emit(
        "sample_normalisation.normalise",
        x=lowering.place(x),
        out=lowering.place(out),
        statistics=lowering.place(statistics),
        weight=lowering.parameter(step, "weight") or lowering.constant(1.0, 1),
        bias=lowering.parameter(step, "bias") or lowering.constant(0.0, 1),
        **tables.arguments(lowering),
        blocks=x.blocks,
        x_block=x.block,
        out_block=out.block,
        statistics_block=statistics.block,
        epsilon=layer.epsilon,
        floor=lowering.floor(step),
    )
    if lowering.training:
        lowering.memos[step.name] = statistics
    else:
        lowering.arena.free(statistics)


def _backward(lowering: Lowering, step: Step) -> None:
    layer: SampleNormalisation = step.layer  # type: ignore[assignment]
    x, grad = lowering.compact(step.inputs[0]), lowering.gradients[step.name]
    statistics: Buffer = lowering.memos[step.name]
    common = {
        "x": lowering.place(x),
        "grad_out": lowering.place(grad),
        "statistics": lowering.place(statistics),
        "blocks": x.blocks,
        "x_block": x.block,
        "grad_out_block": grad.block,
        "statistics_block": statistics.block,
    }
    if layer.affine:
        tables = _statistics_of_parameters(layer, x, grad)
        tables |= {name: lowering.program.table(tables[name]) for name in ("parameters", "runs")}
        gradients = {f"grad_{name}": lowering.parameter_gradient(step, name) for name in ("weight", "bias")}
        lowering.emit("sample_normalisation.parameter_gradient", **common, **tables, **gradients)
    if step.inputs[0] in lowering.needed:
        grad_x, accumulate = lowering.compact_gradient(step.inputs[0])
        lowering.emit(
            "sample_normalisation.normalise_gradient",
            **common,
            grad_x=lowering.place(grad_x),
            weight=lowering.parameter(step, "weight") or lowering.constant(1.0, 1),
            **spans(layer, x, grad, grad_x).arguments(lowering),
            grad_x_block=grad_x.block,
            accumulate=accumulate,
        )
    lowering.arena.free(statistics)


RULES[SAMPLES, SampleNormalisation] = Rule(_forward, _backward, floor=always)
