"""One operation alone, forward and backward, its values where they lie in a network.

Both sides have the input and the gradient of the output ready in their own layout, and give back the output, the
gradient of the input and those of the parameters.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import numpy as np
import torch

from benchmarks.agreement import LARGEST_DIFFERENCE, difference
from benchmarks.networks import initial_parameters
from benchmarks.pytorch import faster, layouts, memory_format
from benchmarks.shapes import Single
from benchmarks.timing import Work
from benchmarks.twin import filled
from striate.engine import graph, segments
from striate.engine.analysis import Facts, analyse
from striate.engine.memory import Sizes
from striate.engine.plan import (
    add_shards,
    add_update,
    begin,
    emit_load,
    emit_load_into,
    emit_store,
    lower_backward,
    lower_forward,
)
from striate.engine.program import BACKWARD, FORWARD, OUTPUTS, PACK, TARGETS, Place, Program
from striate.engine.session import Session
from striate.layers import Input
from striate.machine import available_threads, default_lanes
from striate.network import Network

Results = list[np.ndarray]


MOVE = "move"
GRADIENT, GRADIENT_OF_INPUT = "gradient of the output", "gradient of the input"


class Alone(Session):
    """The rows of one operation's two passes; other sections move its values in and out.

    Every shard keeps its values in a place of its own, so they come from where a network's values come from.
    """

    def __init__(self, case: Single) -> None:
        network = Network(case.layer(Input(case.shape)))
        sizes = Sizes.of(case.batch, default_lanes(), network.parameter_count)
        facts = replace(
            analyse(network, sizes, np.dtype(np.float32)),
            training=True,
            margins=graph.margins(network, {}, training=True),
            needed=graph.needed_gradients(network, inputs=True),
        )
        super().__init__(facts, case.batch, None)
        self.vectors.theta[: network.parameter_count] = initial_parameters(network)

    def _lower(self, threads: int) -> Program:
        return _program(self.facts)

    def run(self, x: np.ndarray, grad: np.ndarray) -> Results:
        """Return the output, the gradient of the input and that of all parameters for float32[N, *shape]."""
        self._select(x, np.arange(len(x)))
        self.bound.attach(GRADIENT, grad.ctypes.data)
        self.team.run()
        n, count = len(x), self.network.parameter_count
        output = self.samples.outputs[: grad.size].reshape(grad.shape)
        grad_x = self.bound.memory[GRADIENT_OF_INPUT][: x.size].reshape(n, *x.shape[1:])
        return [output.copy(), grad_x.copy(), self.vectors.gradient[:count].copy()]

    def work(self, repetitions: int) -> None:
        """Do the two passes that often, with the values of the last run."""
        for _ in range(repetitions):
            self.team.run((PACK, FORWARD, BACKWARD))


def _program(facts: Facts) -> Program:
    source, name = (step.name for step in facts.network.steps)
    lowering = begin(facts)
    program, features = lowering.program, math.prod(facts.network.input_shape)
    program.segment(GRADIENT, 4 * math.prod(facts.network.output_shape), external=True)
    program.segment(GRADIENT_OF_INPUT, 4 * features * facts.sizes.samples * facts.sizes.shards)
    lowering.section = MOVE
    emit_load(lowering)
    lowering.barrier()
    lowering.section = FORWARD
    lower_forward(lowering, [name])
    lowering.barrier()
    lowering.section = MOVE
    emit_store(lowering, lowering.values[name], Place(segments.OUTPUTS, 0, OUTPUTS))
    gradient = lowering.gradient_into(name)[0]
    one, nothing = (lowering.constant(value, gradient.shape[0]) for value in (1.0, 0.0))
    emit_load_into(lowering, gradient, Place(GRADIENT), one, nothing)
    lowering.barrier()
    lower_backward(lowering)
    lowering.barrier()
    lowering.section = MOVE
    emit_store(lowering, lowering.gradients[source], Place(GRADIENT_OF_INPUT, 0, TARGETS))
    add_shards(lowering)
    for task, shard in zip(program.phases[-1].tasks, range(facts.sizes.shards), strict=True):
        task[TARGETS] = 4 * features * facts.sizes.samples * shard
    add_update(lowering)
    return program.finish()


def pair(case: Single) -> tuple[dict[str, Work], str]:
    """Return the two contestants, and PyTorch's layout, after both gave the same results.

    Raises
    ------
    SystemExit
        If they did not.
    """
    torch.set_num_threads(available_threads())
    own = Alone(case)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((case.batch, *case.shape), np.float32)
    grad = rng.standard_normal((case.batch, *own.network.output_shape), np.float32)
    found = own.run(x, grad)
    settings, checks = {}, []
    for layout in layouts(case.shape):
        settings[layout] = _torch_work(own.network, x, grad, layout)
        checks.append(_torch_results(own.network, x, grad, layout))
    for what, mine, theirs in zip(("output", "gradient", "parameters"), found, checks[0], strict=True):
        off = difference(mine, theirs)
        if not off < LARGEST_DIFFERENCE:
            raise SystemExit(f"benchmarks: {case.name}: {what} differs from PyTorch's by {off:.1e}.")
    work, layout = faster(settings)
    return {"striate": own.work, "PyTorch": work}, layout


def _torch_parts(
    network: Network, x: np.ndarray, grad: np.ndarray, layout: str
) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    module = filled(network.steps[1], network.views(initial_parameters(network))).train()
    put = partial(torch.Tensor.contiguous, memory_format=memory_format(layout))
    inputs = put(torch.from_numpy(x)).requires_grad_()
    output_format = memory_format(layout if grad.ndim == 4 else "contiguous")
    return (
        module.to(memory_format=memory_format(layout)),
        inputs,
        torch.from_numpy(grad).contiguous(memory_format=output_format),
    )


def _torch_results(network: Network, x: np.ndarray, grad: np.ndarray, layout: str) -> Results:
    module, inputs, grads = _torch_parts(network, x, grad, layout)
    output = module(inputs)
    output.backward(grads)
    flat = [p.grad.numpy().ravel() for p in module.parameters() if p.grad is not None]
    assert inputs.grad is not None
    return [output.detach().numpy(), inputs.grad.numpy(), np.concatenate([np.zeros(0, np.float32), *flat])]


def _torch_work(network: Network, x: np.ndarray, grad: np.ndarray, layout: str) -> Work:
    module, inputs, grads = _torch_parts(network, x, grad, layout)
    wanted = [inputs, *module.parameters()]

    def work(repetitions: int) -> None:
        for _ in range(repetitions):
            torch.autograd.grad(module(inputs), wanted, grads)

    return work
