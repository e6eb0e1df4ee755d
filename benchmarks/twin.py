"""The same network in PyTorch: a translation of the description, layer by layer, with the same weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from striate import layers
from striate.layers.activation import ScaledTanh
from striate.layers.convolution import Convolution
from striate.layers.global_pooling import AdaptiveAvgPooling
from striate.layers.pooling import AvgPooling, MaxPooling
from striate.layers.shape import InputLayer
from striate.layers.subsampling import Subsampling
from striate.layers.transposed import TransposedConvolution
from striate.network import Network, Step


def twin(network: Network, theta: np.ndarray, logits: bool = True) -> nn.Module:
    """Return ``network`` as a PyTorch module with the parameters ``theta``.

    Parameters
    ----------
    network : Network
    theta : float32[parameter_count]
    logits : bool
        Leave out a softmax at the end, as PyTorch's cross-entropy wants it.
    """
    steps = [step for step in network.steps if not isinstance(step.layer, InputLayer)]
    if logits and isinstance(steps[-1].layer, layers.Softmax):
        steps = steps[:-1]
    views = network.views(theta)
    modules = {step.name: filled(step, views) for step in steps}
    before = [network.steps[0].name] + [step.name for step in steps]
    if all(step.inputs == (source,) for step, source in zip(steps, before, strict=False)):
        return nn.Sequential(*modules.values())
    return _Graph(network.steps[0].name, steps, modules)


def filled(step: Step, views: dict[str, np.ndarray]) -> nn.Module:
    """Return the PyTorch module of one step with its parameters; ``views`` holds them by name."""
    module = translate(step)
    _copy(step, module, views)
    return module


def gradients(network: Network, module: nn.Module) -> np.ndarray:
    """Return the gradients of the twin in the order of the flat vector, float32[parameter_count]."""
    flat = np.zeros(network.parameter_count, np.float32)
    parameters = [p for part in _parts(module) for p in part.parameters(recurse=True)]
    for slot, parameter in zip(network.parameters, parameters, strict=True):
        assert parameter.grad is not None
        slot.view(flat)[...] = parameter.grad.numpy().reshape(slot.spec.shape)
    return flat


class _Graph(nn.Module):
    """A network that is not a chain."""

    def __init__(self, source: str, steps: list[Step], modules: dict[str, nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(modules.values())
        self.source = source
        self.calls = [(step.name, step.inputs) for step in steps]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the steps in order."""
        values = {self.source: x}
        for (name, inputs), part in zip(self.calls, self.parts, strict=True):
            values[name] = part(*(values[source] for source in inputs))
        return values[name]


class _Function(nn.Module):
    """A function of several values."""

    def __init__(self, function: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Call the function."""
        return self.function(*inputs)


class _Subsample(nn.Module):
    """LeNet-5's trainable subsampling; striate's weight multiplies the sum, hence the number of taps."""

    def __init__(self, pool: nn.Module, channels: int, rank: int, taps: int) -> None:
        super().__init__()
        self.pool, self.taps = pool, taps
        self.weight = nn.Parameter(torch.ones(channels, *[1] * rank))
        self.bias = nn.Parameter(torch.zeros(channels, *[1] * rank))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return coefficient times sum plus bias."""
        return self.pool(x) * (self.weight * self.taps) + self.bias


class _Connected(nn.Module):
    """A convolution in which each filter sees some channels, as one convolution with a mask."""

    def __init__(self, convolution: nn.Module, connections: Any, channels: int) -> None:
        super().__init__()
        self.convolution, rank = [convolution], convolution.weight.ndim - 2  # a list hides its parameters
        rows = [(m, c) for m, row in enumerate(connections) for c in row]
        self.places = torch.tensor([m * channels + c for m, c in rows])
        self.weight = nn.Parameter(torch.zeros(len(rows), *convolution.weight.shape[2:]))
        self.bias = convolution.bias
        self.full, self.rank = convolution.weight.shape, rank

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scatter the weights into a full bank of filters and convolve."""
        full = torch.zeros(self.full[0] * self.full[1], *self.full[2:]).index_copy(0, self.places, self.weight)
        return self.convolution[0]._conv_forward(x, full.reshape(self.full), self.bias)


def translate(step: Step) -> nn.Module:
    """Return the PyTorch module of one step."""
    layer: Any = step.layer
    shape = step.input_shapes[0]
    for kind, make in _MAKERS.items():
        if isinstance(layer, kind):
            return make(step, layer, shape)
    raise SystemExit(f"benchmarks: {type(layer).__name__} has no translation into PyTorch yet.")


def _convolution(step: Step, layer: Any, shape: tuple[int, ...]) -> nn.Module:
    pad, padding = _padding(layer.window(shape).padding)
    module = getattr(nn, f"Conv{layer.rank}d")(
        shape[0],
        layer.out_channels,
        layer.kernel_size,
        layer.stride,
        padding,
        layer.dilation,
        layer.groups,
        layer.bias,
        layer.padding_mode,
    )
    if layer.connections:
        module = _Connected(module, layer.connections, shape[0])
    return nn.Sequential(pad, module) if pad else module


def _transposed(step: Step, layer: Any, shape: tuple[int, ...]) -> nn.Module:
    if any(before != after for before, after in layer.padding):
        raise SystemExit(f"benchmarks: {step.name}: uneven padding has no translation yet.")
    return getattr(nn, f"ConvTranspose{layer.rank}d")(
        shape[0],
        layer.out_channels,
        layer.kernel_size,
        layer.stride,
        tuple(before for before, _ in layer.padding),
        layer.output_padding,
        layer.groups,
        layer.bias,
        layer.dilation,
    )


def _pooling(step: Step, layer: Any, shape: tuple[int, ...]) -> nn.Module:
    pad, padding = _padding(layer.window(shape).padding)
    if pad:
        raise SystemExit(f"benchmarks: {step.name}: uneven padding of a pooling has no translation yet.")
    maximum = isinstance(layer, MaxPooling)
    extra = (
        {"dilation": layer.dilation} if maximum else {"count_include_pad": getattr(layer, "count_padding", True)}
    )
    module = getattr(nn, f"{'Max' if maximum else 'Avg'}Pool{layer.rank}d")(
        layer.kernel_size, layer.stride, padding, ceil_mode=layer.ceil_mode, **extra
    )
    if isinstance(layer, Subsampling):
        return _Subsample(module, shape[0], layer.rank, math.prod(layer.kernel_size))
    return module


def _padding(pairs: tuple[tuple[int, int], ...]) -> tuple[nn.Module | None, tuple[int, ...]]:
    """Return a padding module where the two sides differ, and the padding that is left."""
    if all(before == after for before, after in pairs):
        return None, tuple(before for before, _ in pairs)
    sides = [side for pair in reversed(pairs) for side in pair]
    return nn.ConstantPad2d(tuple(sides), 0.0) if len(pairs) == 2 else _Function(
        lambda x: nn.functional.pad(x, sides)
    ), (0,) * len(pairs)


def _batch_norm(step: Step, layer: Any, shape: tuple[int, ...]) -> nn.Module:
    rank = max(1, len(shape) - 1)
    return getattr(nn, f"BatchNorm{rank}d")(shape[0], layer.epsilon, layer.momentum, layer.affine)


def _global_average(step: Step, layer: Any, shape: tuple[int, ...]) -> nn.Module:
    return nn.Sequential(getattr(nn, f"AdaptiveAvgPool{len(shape) - 1}d")(1), nn.Flatten())


_MAKERS: dict[type, Callable[[Step, Any, tuple[int, ...]], nn.Module]] = {
    Convolution: _convolution,
    TransposedConvolution: _transposed,
    Subsampling: _pooling,
    MaxPooling: _pooling,
    AvgPooling: _pooling,
    AdaptiveAvgPooling: lambda step, layer, shape: getattr(nn, f"AdaptiveAvgPool{layer.rank}d")(layer.output_size),
    layers.GlobalAvgPool: _global_average,
    layers.BatchNorm: _batch_norm,
    layers.GroupNorm: lambda s, layer, shape: nn.GroupNorm(layer.groups, shape[0], layer.epsilon, layer.affine),
    layers.Upsample: lambda s, layer, _: nn.Upsample(scale_factor=layer.scale_factor, mode=layer.mode),
    layers.LocalResponseNorm: lambda s, layer, _: nn.LocalResponseNorm(
        layer.size, layer.alpha, layer.beta, layer.k
    ),
    layers.Linear: lambda s, layer, shape: nn.Linear(shape[0], layer.out_features, layer.bias),
    layers.Flatten: lambda *_: nn.Flatten(),
    layers.Dropout: lambda s, layer, _: nn.Dropout(layer.rate),
    layers.ReLU: lambda *_: nn.ReLU(),
    layers.LeakyReLU: lambda s, layer, _: nn.LeakyReLU(layer.slope),
    layers.Sigmoid: lambda *_: nn.Sigmoid(),
    layers.Tanh: lambda *_: nn.Tanh(),
    ScaledTanh: lambda s, layer, _: _Function(lambda x: layer.amplitude * torch.tanh(layer.slope * x)),
    layers.GELU: lambda s, layer, _: nn.GELU(layer.approximate),
    layers.SiLU: lambda *_: nn.SiLU(),
    layers.Softplus: lambda *_: nn.Softplus(),
    layers.Softmax: lambda *_: nn.Softmax(1),
    layers.Scale: lambda s, layer, _: _Function(lambda x: layer.factor * x + layer.shift),
    layers.Add: lambda *_: _Function(lambda *values: sum(values[1:], values[0])),
    layers.Concatenate: lambda *_: _Function(lambda *values: torch.cat(values, 1)),
}


def _parts(module: nn.Module) -> list[nn.Module]:
    return list(module.parts) if isinstance(module, _Graph) else list(module.children())


def _copy(step: Step, module: nn.Module, views: dict[str, np.ndarray]) -> None:
    parameters = list(module.parameters())
    assert len(parameters) == len(step.parameters), step.name
    for slot, parameter in zip(step.parameters, parameters, strict=True):
        parameter.data = torch.from_numpy(views[slot.name].copy()).reshape(parameter.shape)
