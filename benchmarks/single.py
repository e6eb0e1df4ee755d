"""One operation alone, forward and backward, its values where they lie in a network.

Both sides have the input and the gradient of the output ready in their own layout, and give back the output, the
gradient of the input and those of the parameters.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import torch

from benchmarks.agreement import LARGEST_DIFFERENCE, difference
from benchmarks.networks import initial_parameters
from benchmarks.pytorch import faster, layouts, memory_format
from benchmarks.shapes import Single
from benchmarks.timing import Work
from benchmarks.twin import filled
from striate.engine import graph
from striate.engine.memory import Sizes, Vectors
from striate.engine.plan import emit_load, emit_store, lower_backward, lower_forward, update_phase
from striate.engine.program import OUTPUTS, TARGETS, Place
from striate.engine.session import Session
from striate.layers import Input
from striate.machine import available_threads, default_lanes
from striate.network import Network

Results = list[np.ndarray]


class Alone(Session):
    """The rows of one operation's two passes; other phases move its values in and out.

    Every shard keeps its values in a place of its own, so they come from where a network's values come from.
    """

    def __init__(self, case: Single) -> None:
        network = Network(case.layer(Input(case.shape)))
        sizes = Sizes.of(case.batch, default_lanes(), network.parameter_count)
        vectors = Vectors(network.parameter_count, sizes.shards, network.initial_states())
        features = math.prod(case.shape)
        super().__init__(network, case.batch, vectors, sizes, features, np.dtype(np.float32), True)
        vectors.theta[: network.parameter_count] = initial_parameters(network)
        self.lowering.margins = graph.margins(network, {}, training=True)
        self.lowering.needed = graph.needed_gradients(network, inputs=True)
        self._emit(*(step.name for step in network.steps))
        self._add_shards()
        update_phase(self.program, vectors, sizes, None, self.lowering.summed)
        self._finish(None)

    def _emit(self, source: str, name: str) -> None:
        lowering, samples = self.lowering, self.samples
        self.load = emit_load(lowering, samples, self.dtype)
        lowering.barrier()
        lower_forward(lowering, [name])
        lowering.barrier()
        self._moving = [0, len(lowering.parts)]
        emit_store(lowering, lowering.values[name], Place(samples.outputs.ctypes.data, OUTPUTS))
        self._load_gradient = emit_load(lowering, samples, self.dtype, lowering.gradient_into(name)[0])
        lowering.barrier()
        lower_backward(lowering)
        lowering.barrier()
        self._moving.append(len(lowering.parts))
        emit_store(lowering, lowering.gradients[source], Place(samples.targets.ctypes.data, TARGETS))

    def run(self, x: np.ndarray, grad: np.ndarray) -> Results:
        """Return the output, the gradient of the input and that of all parameters for float32[N, *shape]."""
        self._select(x, np.arange(len(x)))
        self.tables.patch(self._load_gradient, "x", grad.ctypes.data)
        self.team.run()
        self.team.rest()
        n, count = len(x), self.network.parameter_count
        output = self.samples.outputs[: grad.size].reshape(grad.shape)
        grad_x = self.samples.targets[: x.size].reshape(n, *x.shape[1:])
        return [output.copy(), grad_x.copy(), self.vectors.gradient[:count].copy()]

    def work(self, repetitions: int) -> None:
        """Do the two passes that often, with the values of the last run."""
        for part in self._moving:
            self.tables.phases[self.shard_phases[part], 1] = 0
        for _ in range(repetitions):
            self.team.run()
        self.team.rest()


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
