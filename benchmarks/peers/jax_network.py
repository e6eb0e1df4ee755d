"""JAX: one jitted training step, with Adam written out."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.networks import Case
from benchmarks.ours import BETA1, BETA2, EPSILON, RATE
from benchmarks.peers.chain import Stage, batches, stages
from benchmarks.timing import Work

SPACE = {1: "W", 2: "HW", 3: "DHW"}
Tree = Any


def training(case: Case, x: np.ndarray, y: np.ndarray, batch: int) -> Work:
    """Return the work of training steps."""
    chain = stages(case.network())
    state = _initial(chain)
    state = (state, jax.tree.map(jnp.zeros_like, state), jax.tree.map(jnp.zeros_like, state), jnp.float32(0))
    data = [(jnp.asarray(part), jnp.asarray(y[i * batch :][:batch])) for i, part in enumerate(batches(x, batch))]

    def loss(parameters: Tree, inputs: jax.Array, labels: jax.Array) -> jax.Array:
        logits = jax.nn.log_softmax(_forward(chain, parameters, inputs))
        return -jnp.take_along_axis(logits, labels[:, None], 1).mean()

    @jax.jit
    def step(state: Tree, inputs: jax.Array, labels: jax.Array) -> Tree:
        parameters, first, second, t = state
        t = t + 1
        gradient = jax.grad(loss)(parameters, inputs, labels)
        first = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, first, gradient)
        second = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, second, gradient)
        rate, fix = RATE / (1 - BETA1**t), 1 / (1 - BETA2**t)
        parameters = jax.tree.map(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v * fix) + EPSILON), parameters, first, second
        )
        return parameters, first, second, t

    def work(repetitions: int) -> None:
        nonlocal state
        for i in range(repetitions):
            state = step(state, *data[i % len(data)])
        jax.block_until_ready(state)

    return work


def inference(case: Case, x: np.ndarray, batch: int) -> Work:
    """Return the work of inference."""
    chain = stages(case.network())
    parameters = _initial(chain)
    forward = jax.jit(lambda inputs: jax.nn.softmax(_forward(chain, parameters, inputs)))
    data = [jnp.asarray(part) for part in batches(x, batch)]

    def work(repetitions: int) -> None:
        for i in range(repetitions):
            outputs = forward(data[i % len(data)])
        jax.block_until_ready(outputs)

    return work


def _initial(chain: list[Stage]) -> Tree:
    rng = np.random.default_rng(0)
    parameters = []
    for stage in chain:
        if not stage.fan_in:
            parameters.append(())
            continue
        taps = math.prod(stage.kernel) if stage.kernel else 1
        shape = (*stage.kernel, stage.fan_in // taps, stage.features)
        weight = (rng.standard_normal(shape) * math.sqrt(2 / stage.fan_in)).astype(np.float32)
        parameters.append((jnp.asarray(weight), jnp.zeros(stage.features)))
    return parameters


def _forward(chain: list[Stage], parameters: Tree, x: jax.Array) -> jax.Array:
    for stage, own in zip(chain, parameters, strict=True):
        x = _apply(stage, own, x)
    return x


def _apply(stage: Stage, own: Tree, x: jax.Array) -> jax.Array:
    if stage.kind == "convolution":
        space = SPACE[len(stage.kernel)]
        form = (f"N{space}C", f"{space}IO", f"N{space}C")
        return jax.lax.conv_general_dilated(x, own[0], stage.stride, stage.padding, dimension_numbers=form) + own[1]
    if stage.kind == "linear":
        return x @ own[0] + own[1]
    if stage.kind == "flatten":
        return x.reshape(len(x), -1)
    if stage.kind == "activation":
        return {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}[stage.activation](x)
    window, stride = (1, *stage.kernel, 1), (1, *stage.stride, 1)
    if stage.kind == "maximum":
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, stride, stage.padding)
    return jax.lax.reduce_window(x, 0.0, jax.lax.add, window, stride, stage.padding) / math.prod(stage.kernel)
