"""The meaning of recurrent layers: one position after the other, and back through all of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.layers.recurrent import GRU, LSTM, RNN, Recurrent
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define

State = tuple[Array, Array]
"""The output h[N, H] and the cell c[N, H] of a position; the cell is 0 where a layer has none."""


def sigmoid(x: Array) -> Array:
    """Return ``1 / (1 + exp(-x))`` without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * x)))


def projections(layer: Recurrent, parameters: Arrays, x: Array) -> Array:
    """Return ``weight x[t] + bias`` for all gates, float64[T, N, gates * H], as they are read."""
    found = x.transpose(2, 0, 1) @ parameters["weight"].T
    if layer.bias:
        found = found + parameters["bias"]
    return found[::-1] if layer.reverse else found


def parts(layer: Recurrent, array: Array) -> list[Array]:
    """Return the gates along the last axis."""
    return np.split(array, len(layer.gates), axis=-1)


class _Cell:
    """One position: ``step`` computes its state, ``back`` the gradients of what it read."""

    def __init__(self, layer: Any, parameters: Arrays) -> None:
        self.layer, self.weight = layer, parameters["recurrent_weight"]
        self.bias = parameters.get("recurrent_bias", np.zeros(layer.features))

    def step(self, a: Array, before: State) -> tuple[State, Arrays]:
        """Return the state after ``a``, the projections of one position, and all values of the gates."""
        raise NotImplementedError

    def back(self, v: Arrays, before: State, grad: State, into: Arrays) -> tuple[Array, State]:
        """Return the gradients of ``a`` and of the state before; add those of parameters to ``into``."""
        raise NotImplementedError


class _RNN(_Cell):
    def step(self, a: Array, before: State) -> tuple[State, Arrays]:
        total = a + before[0] @ self.weight.T
        h = np.tanh(total) if self.layer.activation == "tanh" else np.maximum(total, 0.0)
        return (h, before[1]), {"state": h, "sum": total}

    def back(self, v: Arrays, before: State, grad: State, into: Arrays) -> tuple[Array, State]:
        slope = 1 - v["state"] ** 2 if self.layer.activation == "tanh" else np.asarray(v["sum"] > 0, np.float64)
        grad_a = grad[0] * slope
        into["recurrent_weight"] += grad_a.T @ before[0]
        return grad_a, (grad_a @ self.weight, grad[1])


class _LSTM(_Cell):
    def step(self, a: Array, before: State) -> tuple[State, Arrays]:
        a1, a2, a3, a4 = parts(self.layer, a + before[0] @ self.weight.T)
        v = {"input": sigmoid(a1), "forget": sigmoid(a2), "candidate": np.tanh(a3), "output": sigmoid(a4)}
        v["cell"] = v["forget"] * before[1] + v["input"] * v["candidate"]
        return (v["output"] * np.tanh(v["cell"]), v["cell"]), v

    def back(self, v: Arrays, before: State, grad: State, into: Arrays) -> tuple[Array, State]:
        i, f, g, o, c = v["input"], v["forget"], v["candidate"], v["output"], np.tanh(v["cell"])
        grad_c = grad[1] + grad[0] * o * (1 - c * c)
        grad_a = np.concatenate([
            grad_c * g * i * (1 - i), grad_c * before[1] * f * (1 - f), grad_c * i * (1 - g * g),
            grad[0] * c * o * (1 - o),
        ], axis=-1)  # fmt: skip
        into["recurrent_weight"] += grad_a.T @ before[0]
        return grad_a, (grad_a @ self.weight, grad_c * f)


class _GRU(_Cell):
    def step(self, a: Array, before: State) -> tuple[State, Arrays]:
        h, (w1, w2, w3) = before[0], np.split(self.weight, 3)
        a1, a2, a3 = parts(self.layer, a)
        v = {"reset": sigmoid(a1 + h @ w1.T), "update": sigmoid(a2 + h @ w2.T)}
        if self.layer.reset_after:
            v["product"] = h @ w3.T + self.bias
            v["candidate"] = np.tanh(a3 + v["reset"] * v["product"])
        else:
            v["candidate"] = np.tanh(a3 + (v["reset"] * h) @ w3.T)
        return ((1 - v["update"]) * v["candidate"] + v["update"] * h, before[1]), v

    def back(self, v: Arrays, before: State, grad: State, into: Arrays) -> tuple[Array, State]:
        h, (w1, w2, w3) = before[0], np.split(self.weight, 3)
        r, z, n = v["reset"], v["update"], v["candidate"]
        grad_a3 = grad[0] * (1 - z) * (1 - n * n)
        grad_h = grad[0] * z
        if self.layer.reset_after:
            through = grad_a3 * r
            grad_r, grad_w3 = grad_a3 * v["product"], through.T @ h
            grad_h = grad_h + through @ w3
            if "recurrent_bias" in into:
                into["recurrent_bias"] += through.sum(axis=0)
        else:
            through = grad_a3 @ w3
            grad_r, grad_w3 = through * h, grad_a3.T @ (r * h)
            grad_h = grad_h + through * r
        grad_a1, grad_a2 = grad_r * r * (1 - r), grad[0] * (h - n) * z * (1 - z)
        into["recurrent_weight"] += np.concatenate([grad_a1.T @ h, grad_a2.T @ h, grad_w3])
        return np.concatenate([grad_a1, grad_a2, grad_a3], axis=-1), (
            grad_h + grad_a1 @ w1 + grad_a2 @ w2,
            grad[1],
        )


CELLS: dict[type[Recurrent], type[_Cell]] = {RNN: _RNN, LSTM: _LSTM, GRU: _GRU}


def run(layer: Recurrent, parameters: Arrays, x: Array) -> tuple[list[State], list[Arrays]]:
    """Return the states before and after every position, in the order in which they are read, and the gates."""
    cell = CELLS[type(layer)](layer, parameters)
    zeros = np.zeros((len(x), layer.features))
    states, values = [(zeros, zeros)], []
    for a in projections(layer, parameters, x):
        state, gates = cell.step(a, states[-1])
        states.append(state)
        values.append(gates)
    return states, values


@define(Recurrent)
class _Recurrent:
    """From the first position to the last, or back."""

    @staticmethod
    def forward(layer: Recurrent, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        states, _ = run(layer, parameters, inputs[0])
        series = np.stack([h for h, _ in states[1:]], axis=2)
        return series[:, :, ::-1] if layer.reverse else series

    @staticmethod
    def backward(
        layer: Recurrent, parameters: Arrays, inputs: Inputs, output: Array, grad_output: Array, context: Context
    ) -> Gradients:
        (x,) = inputs
        cell = CELLS[type(layer)](layer, parameters)
        states, values = run(layer, parameters, x)
        grads = {name: np.zeros_like(array) for name, array in parameters.items()}
        grad_series = grad_output[:, :, ::-1] if layer.reverse else grad_output
        grad: State = (np.zeros_like(states[0][0]), np.zeros_like(states[0][1]))
        found = []
        for t in reversed(range(len(values))):
            grad_a, grad = cell.back(values[t], states[t], (grad[0] + grad_series[:, :, t], grad[1]), grads)
            found.append(grad_a)
        grad_a = np.stack(found if layer.reverse else found[::-1])  # [T, N, gates * H], by position
        grads["weight"] = np.einsum("tng,nct->gc", grad_a, x)
        if layer.bias:
            grads["bias"] = grad_a.sum(axis=(0, 1))
        return ((grad_a @ parameters["weight"]).transpose(1, 2, 0),), grads
