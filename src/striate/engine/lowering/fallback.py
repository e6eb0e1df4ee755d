"""Layers without kernels run through their reference, in the middle of the fast program."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np

from striate.engine.binding import Memory
from striate.engine.layout import Buffer
from striate.engine.lowering.context import Lowering, Rule
from striate.engine.program import GRADIENT, INDEX, Place
from striate.engine.segments import GRADIENTS, PARAMETERS, SAMPLES, STATES
from striate.network import Step
from striate.reference.registry import Context, operation


class Values:
    """The samples of a shard in a buffer, as the reference wants them."""

    def __init__(self, buffer: Buffer, shape: tuple[int, ...]) -> None:
        self.buffer, self.shape, self.features = buffer, shape, buffer.features()
        self.samples = buffer.blocks * buffer.lanes

    def _blocks(self, address: int) -> tuple[np.ndarray, np.ndarray]:
        b = self.buffer
        count = (b.blocks - 1) * b.block + int(self.features.max()) + b.lanes
        flat = np.ctypeslib.as_array((ctypes.c_float * count).from_address(address))
        places = np.arange(b.blocks)[:, None, None] * b.block + self.features[None, :, None] + np.arange(b.lanes)
        return flat, places

    def read(self, address: int) -> np.ndarray:
        """Return float64[samples, *shape]."""
        flat, places = self._blocks(address)
        return np.asarray(flat[places].transpose(0, 2, 1).reshape(self.samples, *self.shape).astype(np.float64))

    def write(self, address: int, values: np.ndarray, accumulate: int = 0) -> None:
        """Store (or add) [samples, *shape]."""
        flat, places = self._blocks(address)
        b = self.buffer
        lanes = values.reshape(b.blocks, b.lanes, -1).transpose(0, 2, 1).astype(np.float32)
        flat[places] = lanes + flat[places] if accumulate else lanes


_INDEX = Place(SAMPLES, 0, INDEX)


def _context(lowering: Lowering, step: Step, memory: Memory, index_address: int) -> Context:
    first = (index_address - memory.address(SAMPLES)) // 8
    count = lowering.arena.lanes * lowering.arena.blocks
    views = {slot.spec.name: slot.view(memory[STATES]).astype(np.float64) for slot in step.states}
    seed, number = memory.run
    return Context(lowering.training, seed, number, step.name, views, first + np.arange(count))


def _parameters(step: Step, memory: Memory) -> dict[str, np.ndarray]:
    return {slot.spec.name: slot.view(memory[PARAMETERS]).astype(np.float64) for slot in step.parameters}


def forward(lowering: Lowering, step: Step) -> None:
    """Emit a call of the reference's forward function."""
    sources = [lowering.values[name] for name in step.inputs]
    inputs = [Values(b, s) for b, s in zip(sources, step.input_shapes, strict=True)]
    out = lowering.allocate(step)
    output = Values(out, step.shape)

    def run(addresses: Sequence[int], memory: Memory) -> None:
        *places, target, index = addresses
        arrays = [values.read(address) for values, address in zip(inputs, places, strict=True)]
        context = _context(lowering, step, memory, index)
        result = operation(step.layer).forward(step.layer, _parameters(step, memory), *arrays, context=context)
        output.write(target, result)

    lowering.call_back(run, [*map(lowering.place, sources), lowering.place(out), _INDEX])


def backward(lowering: Lowering, step: Step) -> None:
    """Emit a call of the reference's backward function."""
    sources = [lowering.values[name] for name in step.inputs]
    inputs = [Values(b, s) for b, s in zip(sources, step.input_shapes, strict=True)]
    output = Values(lowering.values[step.name], step.shape)
    grad = Values(lowering.gradients[step.name], step.shape)
    targets: list[tuple[Values, int, Place] | None] = []
    for name, shape in zip(step.inputs, step.input_shapes, strict=True):
        if name in lowering.needed:
            buffer, accumulate = lowering.gradient_into(name)
            targets.append((Values(buffer, shape), accumulate, lowering.place(buffer)))
        else:
            targets.append(None)

    def run(addresses: Sequence[int], memory: Memory) -> None:
        places = list(addresses)
        arrays = tuple(values.read(places.pop(0)) for values in inputs)
        result, gradient = output.read(places.pop(0)), grad.read(places.pop(0))
        flat, index = places.pop(0), places.pop(0)
        grads, parameters = operation(step.layer).backward(
            step.layer, _parameters(step, memory), arrays, result, gradient, _context(lowering, step, memory, index)
        )
        for target, values in zip(targets, grads, strict=True):
            if target is not None:
                target[0].write(places.pop(0), values, target[1])
        _add_parameters(step, flat, parameters)

    lowering.call_back(
        run,
        [
            *map(lowering.place, sources),
            lowering.place(output.buffer),
            lowering.place(grad.buffer),
            Place(GRADIENTS, 0, GRADIENT),
            _INDEX,
            *(target[2] for target in targets if target is not None),
        ],
    )


def _add_parameters(step: Step, address: int, gradients: dict[str, np.ndarray]) -> None:
    for slot in step.parameters:
        room = (ctypes.c_float * slot.spec.size).from_address(address + 4 * slot.offset)
        np.ctypeslib.as_array(room)[:] += gradients[slot.spec.name].ravel().astype(np.float32)


FALLBACK = Rule(forward, backward)
