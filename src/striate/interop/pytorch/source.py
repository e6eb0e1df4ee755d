"""A model as a short ``torch.nn.Module`` in Python, with its weights beside it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from striate import layers
from striate.errors import ModelFileError
from striate.interop.pytorch.weights import save_arrays
from striate.layers.base import Layer, Window
from striate.layers.convolution import Convolution
from striate.layers.global_pooling import AdaptivePooling
from striate.layers.pooling import AvgPooling, MaxPooling
from striate.layers.recurrent import Recurrent
from striate.layers.regularisation import Regulariser
from striate.layers.shape import InputLayer
from striate.layers.transposed import TransposedConvolution
from striate.model import Model
from striate.network import Step
from striate.storage.atomic import write_atomically

HEAD = '''"""{name}, written by striate: the weights lie in {weights}."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional as F


class {title}(nn.Module):
    """Takes float32[N, {shape}]{note}."""

    def __init__(self):
        super().__init__()
'''
TAIL = '''

def load(path=Path(__file__).with_name("{weights}")):
    """Return the network with its weights, ready to predict."""
    network = {title}()
    network.load_state_dict(load_file(path), strict=False)
    return network.eval()
'''
Writing = Callable[[Step], str]


def _symmetric(step: Step, window: Window) -> Any:
    """Return the padding as PyTorch takes it: one number for each axis, the same before and after."""
    if any(before != after for before, after in window.padding):
        raise ModelFileError(f"{step.name}: PyTorch pads both sides alike; got {window.padding}. Export to ONNX.")
    return tuple(before for before, _ in window.padding)


def _shown(**arguments: Any) -> str:
    """Write keyword arguments; pairs of equal numbers as one."""
    texts = []
    for key, value in arguments.items():
        short = value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value
        texts.append(f"{key}={short!r}")
    return ", ".join(texts)


def _convolution(step: Step) -> str:
    layer: Any = step.layer
    if layer.connections is not None or layer.padding_mode not in ("zeros", "reflect", "replicate", "circular"):
        raise ModelFileError(f"{step.name}: PyTorch has no connection tables. Export to ONNX.")
    window = layer.window(step.input_shapes[0])
    options: dict[str, Any] = {"stride": window.stride, "padding": _symmetric(step, window)}
    options |= {"dilation": window.dilation, "groups": layer.groups, "bias": layer.bias}
    options |= {"padding_mode": layer.padding_mode}
    usual = {"stride": (1,), "padding": (0,), "dilation": (1,), "groups": 1, "bias": True, "padding_mode": "zeros"}
    stated = {k: v for k, v in options.items() if (tuple(set(v)) if isinstance(v, tuple) else v) != usual[k]}
    kernel = layer.kernel_size if len(set(layer.kernel_size)) > 1 else layer.kernel_size[0]
    start = f"{step.input_shapes[0][0]}, {layer.out_channels}, {kernel}"
    return f"nn.Conv{layer.rank}d({', '.join(filter(None, (start, _shown(**stated))))})"


def _transposed(step: Step) -> str:
    layer: Any = step.layer
    if any(before != after for before, after in layer.padding):
        raise ModelFileError(f"{step.name}: PyTorch pads both sides alike; got {layer.padding}. Export to ONNX.")
    options = _shown(
        stride=layer.stride,
        padding=tuple(before for before, _ in layer.padding),
        output_padding=layer.output_padding,
        dilation=layer.dilation,
        groups=layer.groups,
        bias=layer.bias,
    )
    start = f"{step.input_shapes[0][0]}, {layer.out_channels}, {layer.kernel_size}"
    return f"nn.ConvTranspose{layer.rank}d({start}, {options})"


def _pool(step: Step) -> str:
    layer: Any = step.layer
    window = layer.window(step.input_shapes[0])
    options: dict[str, Any] = {"stride": window.stride, "padding": _symmetric(step, window)}
    if isinstance(layer, MaxPooling):
        options["dilation"] = window.dilation
    else:
        options["count_include_pad"] = layer.count_padding
        if set(window.dilation) != {1}:
            raise ModelFileError(f"{step.name}: PyTorch averages without dilation. Export to ONNX.")
    options["ceil_mode"] = layer.ceil_mode
    kind = "MaxPool" if isinstance(layer, MaxPooling) else "AvgPool"
    kernel = window.kernel if len(set(window.kernel)) > 1 else window.kernel[0]
    return f"nn.{kind}{layer.rank}d({kernel}, {_shown(**options)})"


def _linear(step: Step) -> str:
    layer: Any = step.layer
    bias = "" if layer.bias else ", bias=False"
    return f"nn.Linear({step.input_shapes[0][0]}, {layer.out_features}{bias})"


def _batch_norm(step: Step) -> str:
    layer: Any = step.layer
    rank = max(1, len(step.shape) - 1)
    affine = "" if layer.affine else ", affine=False"
    return f"nn.BatchNorm{rank}d({step.shape[0]}, eps={layer.epsilon!r}, momentum={layer.momentum!r}{affine})"


def _recurrent(step: Step) -> str:
    layer: Any = step.layer
    if getattr(layer, "reset_after", True) is False:
        raise ModelFileError(f"{step.name}: PyTorch has no GRU with reset_after=False. Export to ONNX.")
    options = "" if layer.bias else ", bias=False"
    options += ', nonlinearity="relu"' if getattr(layer, "activation", "") == "relu" else ""
    return f"nn.{type(layer).__name__}({step.input_shapes[0][0]}, {layer.features}{options})"


def _read_in_order(name: str, layer: Any, x: str) -> str:
    """Write the call of a recurrent module, which takes [length, N, channels]."""
    flip = ".flip(0)" if layer.reverse else ""
    return f"self.{name}({x}.permute(2, 0, 1){flip})[0]{flip}.permute(1, 2, 0)"


def _recurrent_arrays(layer: Any, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the parameters of a recurrent layer by PyTorch's names, which has two biases for each gate."""
    found = {"weight_ih_l0": arrays["weight"], "weight_hh_l0": arrays["recurrent_weight"]}
    if layer.bias:
        found["bias_ih_l0"], found["bias_hh_l0"] = arrays["bias"], np.zeros_like(arrays["bias"])
        if "recurrent_bias" in arrays:
            found["bias_hh_l0"][-layer.features :] = arrays["recurrent_bias"]
    return found


def _places(layer: Any) -> str:
    """Write the places of a slice; axes that are read backwards are turned."""
    texts, turned = [":"], []
    for axis, (begin, count, step) in enumerate(zip(layer.begin, layer.size, layer.step, strict=True), start=1):
        first, last = sorted((begin, begin + (count - 1) * step))
        texts.append(f"{first}:{last + 1}" + (f":{abs(step)}" if abs(step) != 1 else ""))
        turned += [axis] if step < 0 else []
    return f"[{', '.join(texts)}]" + (f".flip({turned})" if turned else "")


MODULES: dict[type[Layer], Writing] = {
    Convolution: _convolution,
    TransposedConvolution: _transposed,
    MaxPooling: _pool,
    AvgPooling: _pool,
    AdaptivePooling: lambda s: f"nn.{type(s.layer).__name__}({s.shape[1:]})",
    layers.Linear: _linear,
    layers.BatchNorm: _batch_norm,
    layers.GroupNorm: lambda s: f"nn.GroupNorm({s.layer.groups}, {s.shape[0]}, eps={s.layer.epsilon!r})",  # type: ignore[attr-defined]
    layers.PReLU: lambda s: f"nn.PReLU({s.parameters[0].spec.size})",
    layers.LocalResponseNorm: lambda s: (
        f"nn.LocalResponseNorm({s.layer.size}, {s.layer.alpha}, {s.layer.beta}, {s.layer.k})"  # type: ignore[attr-defined]
    ),
    Recurrent: _recurrent,
    layers.Dropout: lambda s: f"nn.Dropout({s.layer.rate})",  # type: ignore[attr-defined]
}
"""Layers that are modules: what is written into ``__init__``."""
FUNCTIONS: dict[type[Layer], Callable[[Any, list[str]], str]] = {
    layers.Identity: lambda layer, x: x[0],
    layers.ReLU: lambda layer, x: f"F.relu({x[0]})",
    layers.LeakyReLU: lambda layer, x: f"F.leaky_relu({x[0]}, {layer.slope!r})",
    layers.ELU: lambda layer, x: f"F.elu({x[0]}, {layer.alpha!r})",
    layers.SELU: lambda layer, x: f"F.selu({x[0]})",
    layers.CELU: lambda layer, x: f"F.celu({x[0]}, {layer.alpha!r})",
    layers.GELU: lambda layer, x: f"F.gelu({x[0]}, approximate={layer.approximate!r})",
    layers.SiLU: lambda layer, x: f"F.silu({x[0]})",
    layers.Mish: lambda layer, x: f"F.mish({x[0]})",
    layers.Softplus: lambda layer, x: f"F.softplus({x[0]}, {layer.beta!r})",
    layers.Round: lambda layer, x: f"{layer.step!r} * torch.round({x[0]} / {layer.step!r})",
    layers.Absolute: lambda layer, x: f"torch.abs({x[0]})",
    layers.Exp: lambda layer, x: f"torch.exp({x[0]})",
    layers.Log: lambda layer, x: f"torch.log({x[0]})",
    layers.Sqrt: lambda layer, x: f"torch.sqrt({x[0]})",
    layers.Erf: lambda layer, x: f"torch.erf({x[0]})",
    layers.Power: lambda layer, x: f"{x[0]} ** {layer.exponent!r}",
    layers.Sin: lambda layer, x: f"torch.sin({x[0]})",
    layers.Softsign: lambda layer, x: f"F.softsign({x[0]})",
    layers.Sigmoid: lambda layer, x: f"torch.sigmoid({x[0]})",
    layers.Tanh: lambda layer, x: f"torch.tanh({x[0]})",
    layers.ScaledTanh: lambda layer, x: f"{layer.amplitude!r} * torch.tanh({layer.slope!r} * {x[0]})",
    layers.HardSigmoid: lambda layer, x: f"F.hardsigmoid({x[0]})",
    layers.HardSwish: lambda layer, x: f"F.hardswish({x[0]})",
    layers.HardTanh: lambda layer, x: f"torch.clamp({x[0]}, {layer.low!r}, {layer.high!r})",
    layers.Softmax: lambda layer, x: f"torch.softmax({x[0]}, 1)",
    layers.LogSoftmax: lambda layer, x: f"torch.log_softmax({x[0]}, 1)",
    layers.Flatten: lambda layer, x: f"{x[0]}.flatten(1)",
    layers.Reshape: lambda layer, x: f"{x[0]}.reshape(-1, {', '.join(map(str, layer.shape))})",
    layers.Permute: lambda layer, x: f"{x[0]}.permute(0, {', '.join(str(axis + 1) for axis in layer.order)})",
    layers.Slice: lambda layer, x: f"{x[0]}{_places(layer)}",
    layers.Select: lambda layer, x: f"{x[0]}[{':, ' * (layer.axis + 1)}{list(layer.indices)}]",
    layers.MatMul: lambda layer, x: f"{x[0]} @ {x[1]}",
    layers.Maximum: lambda layer, x: f"torch.maximum({x[0]}, {x[1]})",
    layers.Minimum: lambda layer, x: f"torch.minimum({x[0]}, {x[1]})",
    layers.Where: lambda layer, x: f"torch.where({x[0]} > 0, {x[1]}, {x[2]})",
    layers.GlobalAvgPool: lambda layer, x: f"{x[0]}.flatten(2).mean(2)",
    layers.GlobalMaxPool: lambda layer, x: f"{x[0]}.flatten(2).amax(2)",
    layers.Concatenate: lambda layer, x: f"torch.cat([{', '.join(x)}], 1)",
    layers.Scale: lambda layer, x: f"{layer.factor!r} * {x[0]} + {layer.shift!r}",
    Regulariser: lambda layer, x: x[0],
}
"""Layers without weights: what is written into ``forward``."""


def weights_of(path: Path) -> Path:
    """Return the file of weights beside a source; its name is not that of a model of striate."""
    return path.with_name(f"{path.stem}_weights.safetensors")


def save(model: Model, path: Path) -> list[Path]:
    """Write ``model`` as Python source and its weights beside it; return both files.

    Raises
    ------
    ModelFileError
        If PyTorch has no such layer, or a file cannot be written.
    """
    network, weights = model.network, weights_of(path)
    names = {step.name: re.sub(r"\W", "_", step.name) for step in network.steps}
    text = _source(model, names, weights.name)
    arrays = {}
    for step in network.steps:
        own = {slot.spec.name: slot.view(model.theta) for slot in step.parameters}
        own |= {slot.spec.name: slot.view(model.states) for slot in step.states}
        if isinstance(step.layer, Recurrent):
            own = _recurrent_arrays(step.layer, own)
        for name, array in own.items():
            arrays[f"{names[step.name]}.{name.replace('running_variance', 'running_var')}"] = array
    return [write_atomically(path, text.encode()), save_arrays(weights, arrays)]


def _source(model: Model, names: dict[str, str], weights: str) -> str:
    network = model.network
    title = "".join(part.capitalize() for part in re.split(r"\W|_", network.name)) or "Network"
    title = title if title[0].isalpha() else f"Network{title}"
    note = "" if model.normalisation is None else ", which it normalises itself"
    lines = [HEAD.format(name=network.name, weights=weights, title=title, note=note,
                         shape=", ".join(map(str, network.input_shape)))]  # fmt: skip
    modules = [(names[s.name], text) for s in network.steps if (text := _module(s)) is not None]
    lines += [f"        self.{name} = {text}\n" for name, text in modules]
    if not modules:
        lines.append("        pass\n")
    lines += [
        "\n    def forward(self, x):\n",
        *_normalised(model),
        *_forward(model, names),
        TAIL.format(title=title, weights=weights),
    ]
    return "".join(lines)


def _module(step: Step) -> str | None:
    found = next((MODULES[cls] for cls in type(step.layer).__mro__ if cls in MODULES), None)
    return None if found is None else found(step)


def _normalised(model: Model) -> list[str]:
    if model.normalisation is None:
        return []
    rank, units = len(model.input_shape), model.normalisation
    return [f"        x = (x - {_tensor(units.mean, rank)}) / {_tensor(units.scale, rank)}\n"]


def _in_user_units(model: Model, value: str) -> str:
    """Return the output of a regression in the unit of its targets."""
    if model.output_units is None:
        return value
    scale, shift = (_tensor(values.tolist(), len(model.network.output_shape)) for values in model.output_units)
    return f"{value} * {scale} + {shift}"


def _tensor(values: Iterable[float], rank: int) -> str:
    return f"torch.tensor({list(values)}).reshape{(-1, *(1,) * (rank - 1))}"


def _forward(model: Model, names: dict[str, str]) -> list[str]:
    """Write the steps; a value that only the next step reads is called x."""
    network, readers = model.network, dict[str, int]()
    for step in network.steps:
        for source in step.inputs:
            readers[source] = readers.get(source, 0) + 1
    values, lines = {}, []
    for number, step in enumerate(network.steps):
        if isinstance(step.layer, InputLayer):
            values[step.name] = "x"
            continue
        text = _call(step, names, [values[source] for source in step.inputs])
        following = network.steps[number + 1].inputs if number + 1 < len(network.steps) else ()
        simple = readers.get(step.name, 0) <= 1 and (not following or step.name in following)
        waiting = any(values.get(s) == "x" for later in network.steps[number + 1 :] for s in later.inputs)
        values[step.name] = "x" if simple and not waiting else f"{names[step.name]}_out"
        if text != values[step.name]:
            lines.append(f"        {values[step.name]} = {text}\n")
    return [*lines, f"        return {_in_user_units(model, values[network.steps[-1].name])}\n"]


def _call(step: Step, names: dict[str, str], sources: list[str]) -> str:
    if isinstance(step.layer, layers.Add | layers.Multiply):
        sign = " + " if isinstance(step.layer, layers.Add) else " * "
        rank = len(step.shape)
        parts = zip(sources, step.input_shapes, strict=True)
        return sign.join(x if len(s) == rank else f"{x}[(...,) + (None,) * {rank - len(s)}]" for x, s in parts)
    if isinstance(step.layer, Recurrent):
        return _read_in_order(names[step.name], step.layer, sources[0])
    if _module(step) is not None:
        return f"self.{names[step.name]}({sources[0]})"
    found = next((FUNCTIONS[cls] for cls in type(step.layer).__mro__ if cls in FUNCTIONS), None)
    if found is None:
        raise ModelFileError(f"{step.name}: {type(step.layer).__name__} has no form in PyTorch. Export to ONNX.")
    return found(step.layer, sources)
