"""The same operations in PyTorch: a function (layer, inputs, parameters, values) -> output for each family."""

from __future__ import annotations

import math
from typing import Any

from striate.reference.convolution import full_weight
from striate.testing.bounds import Values
from support.peers import torch_or_skip

torch = torch_or_skip()
torch.set_num_threads(1)
F = torch.nn.functional
MODES = {"zeros": "constant", "replicate": "replicate", "reflect": "reflect", "circular": "circular"}


def explicit(x: Any, pairs: Any, mode: str = "zeros", value: float = 0.0) -> Any:
    """Pad by (before, after) per axis; PyTorch lists the last axis first."""
    flat = [number for pair in reversed(list(pairs)) for number in pair]
    return F.pad(x, flat, value=value) if mode == "zeros" else F.pad(x, flat, mode=MODES[mode])


def rank_of(x: Any) -> int:
    return int(x.ndim - 2)


def by_rank(stem: str, x: Any) -> Any:
    return getattr(F, f"{stem}{rank_of(x)}d")


def convolution(layer: Any, x: Any, p: Any, values: Values) -> Any:
    window = layer.window(tuple(x.shape[1:]))
    weight = p["weight"]
    if layer.connections is not None:
        mask = full_weight(layer, torch.ones_like(weight).detach().numpy(), x.shape[1])
        full = torch.zeros(mask.shape, dtype=torch.float64)
        weight = full.masked_scatter(torch.tensor(mask > 0), weight)
    padded = explicit(x, window.padding, layer.padding_mode)
    return by_rank("conv", x)(padded, weight, p.get("bias"), window.stride, 0, window.dilation, layer.groups)


def transposed(layer: Any, x: Any, p: Any, values: Values) -> Any:
    """PyTorch takes symmetric padding only: compute without, then cut, or add the zeros of output_padding."""
    full = by_rank("conv_transpose", x)(x, p["weight"], None, layer.stride, 0, 0, layer.groups, layer.dilation)
    cut = [(-b, extra - a) for (b, a), extra in zip(layer.padding, layer.output_padding, strict=True)]
    out = explicit(full, cut)
    return out if "bias" not in p else out + p["bias"].reshape(-1, *[1] * rank_of(x))


def max_pooling(layer: Any, x: Any, p: Any, values: Values) -> Any:
    window = layer.window(tuple(x.shape[1:]))
    pool = by_rank("max_pool", x)
    if layer.ceil_mode:
        pads = tuple(before for before, _ in window.padding)
        return pool(x, window.kernel, window.stride, pads, window.dilation, ceil_mode=True)
    padded = explicit(x, window.padding, value=-math.inf)
    return pool(padded, window.kernel, window.stride, 0, window.dilation)


def window_sums(layer: Any, x: Any) -> Any:
    window = layer.window(tuple(x.shape[1:]))
    ones = torch.ones((x.shape[1], 1, *window.kernel), dtype=torch.float64)
    padded = explicit(x, window.padding)
    return by_rank("conv", x)(padded, ones, None, window.stride, 0, window.dilation, x.shape[1])


def average_pooling(layer: Any, x: Any, p: Any, values: Values) -> Any:
    window = layer.window(tuple(x.shape[1:]))
    if layer.ceil_mode:
        pads = tuple(before for before, _ in window.padding)
        return by_rank("avg_pool", x)(x, window.kernel, window.stride, pads, True, layer.count_padding)
    if layer.count_padding:
        return window_sums(layer, x) / math.prod(window.kernel)
    return window_sums(layer, x) / window_sums(layer, torch.ones_like(x))


def lp_pooling(layer: Any, x: Any, p: Any, values: Values) -> Any:
    if layer.ceil_mode:
        return None
    return window_sums(layer, x.abs() ** layer.power) ** (1 / layer.power)


def subsampling(layer: Any, x: Any, p: Any, values: Values) -> Any:
    if layer.ceil_mode:
        return None
    shape = (-1, *[1] * rank_of(x))
    return window_sums(layer, x) * p["weight"].reshape(shape) + p["bias"].reshape(shape)


def unpooling(layer: Any, x: Any, source: Any, p: Any, values: Values) -> Any:
    """The adjoint of the selection: what PyTorch's own max pooling sends back."""
    leaf = source.detach().requires_grad_()
    pooled = max_pooling(layer.pool(), leaf, {}, values)
    (out,) = torch.autograd.grad(pooled, leaf, x, create_graph=True)
    return out


def adaptive(layer: Any, x: Any, p: Any, values: Values) -> Any:
    return by_rank("adaptive_avg_pool", x)(x, layer.output_size)


def adaptive_maximum(layer: Any, x: Any, p: Any, values: Values) -> Any:
    return by_rank("adaptive_max_pool", x)(x, layer.output_size)


def gathering(layer: Any, x: Any, source: Any, p: Any, values: Values) -> Any:
    """Values at the indices that PyTorch's own max pooling returns, where it has such a pooling."""
    pool = layer.pool()
    window = pool.window(tuple(source.shape[1:]))
    padding = [before for before, _ in window.padding]
    if pool.ceil_mode or any(a != b or 2 * a > k for (a, b), k in zip(window.padding, window.kernel, strict=True)):
        return None
    _, places = by_rank("max_pool", source)(
        source, window.kernel, window.stride, padding, window.dilation, return_indices=True
    )
    return x.flatten(2).gather(2, places.flatten(2)).view(places.shape)


def grid_sample(layer: Any, x: Any, grid: Any, p: Any, values: Values) -> Any:
    mode = {"linear": "bilinear", "cubic": "bicubic"}.get(layer.mode, layer.mode)
    return F.grid_sample(x, grid, mode, layer.padding, layer.align_corners)


def batch_norm(layer: Any, x: Any, p: Any, values: Values) -> Any:
    states = {key: torch.tensor(value) for key, value in values.context.states.items()}
    return F.batch_norm(
        x, states["running_mean"], states["running_variance"], p.get("weight"), p.get("bias"),
        values.context.training, layer.momentum, layer.epsilon,
    )  # fmt: skip


def layer_norm(layer: Any, x: Any, p: Any, values: Values) -> Any:
    if layer.over == "sample":
        return F.layer_norm(x, x.shape[1:], p.get("weight"), p.get("bias"), layer.epsilon)
    last = F.layer_norm(x.movedim(1, -1), x.shape[1:2], p.get("weight"), p.get("bias"), layer.epsilon)
    return last.movedim(-1, 1)


def group_norm(layer: Any, x: Any, p: Any, values: Values) -> Any:
    if x.shape[0] * x[0].numel() // layer.groups == 1:
        return None
    return F.group_norm(x, layer.groups, p.get("weight"), p.get("bias"), layer.epsilon)


def instance_norm(layer: Any, x: Any, p: Any, values: Values) -> Any:
    if math.prod(x.shape[2:]) == 1:
        return None
    return F.instance_norm(x, weight=p.get("weight"), bias=p.get("bias"), eps=layer.epsilon)


def local_response_norm(layer: Any, x: Any, p: Any, values: Values) -> Any:
    if x.ndim < 3:
        return None
    return F.local_response_norm(x, layer.size, layer.alpha, layer.beta, layer.k)


def upsample(layer: Any, x: Any, p: Any, values: Values) -> Any:
    if rank_of(x) < 1:
        return None
    factors = tuple(float(f) for f in layer.factors(tuple(x.shape[1:])))
    if layer.mode == "nearest":
        return F.interpolate(x, scale_factor=factors, mode="nearest")
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[rank_of(x)]
    return F.interpolate(x, scale_factor=factors, mode=mode, align_corners=False)


def stretched(xs: Any) -> list[Any]:
    ndim = max(x.ndim for x in xs)
    return [x.reshape(*x.shape, *[1] * (ndim - x.ndim)) for x in xs]


def add(layer: Any, *arguments: Any) -> Any:
    *xs, _, _ = arguments
    return sum(stretched(xs))


def multiply(layer: Any, *arguments: Any) -> Any:
    *xs, _, _ = arguments
    return math.prod(stretched(xs))


def concatenate(layer: Any, *arguments: Any) -> Any:
    *xs, _, _ = arguments
    return torch.cat(xs, 1)


def crop(layer: Any, x: Any, p: Any, values: Values) -> Any:
    return explicit(x, [(-b, -a) for b, a in layer.pairs(tuple(x.shape[1:]))])


def embedding(layer: Any, x: Any, p: Any, values: Values) -> Any:
    return F.embedding(x.detach().reshape(len(x), -1).long(), p["weight"]).movedim(2, 1)


def elementwise(function: Any) -> Any:
    return lambda layer, x, p, values: function(layer, x)


def recurrent(layer: Any, x: Any, p: Any, values: Values) -> Any:
    """PyTorch has a second bias for every gate, and no GRU that resets before the product."""
    kind, size = type(layer).__name__, layer.features
    if kind == "GRU" and not layer.reset_after:
        return None
    options = {"nonlinearity": layer.activation} if kind == "RNN" else {}
    module = getattr(torch.nn, kind)(x.shape[1], size, bias=layer.bias, dtype=torch.float64, **options)
    weights = {"weight_ih_l0": p["weight"], "weight_hh_l0": p["recurrent_weight"]}
    if layer.bias:
        zeros = torch.zeros(len(p["bias"]) - (size if kind == "GRU" else 0), dtype=torch.float64)
        weights["bias_ih_l0"] = p["bias"]
        weights["bias_hh_l0"] = torch.cat([zeros, p["recurrent_bias"]]) if kind == "GRU" else zeros
    series = x.permute(2, 0, 1)
    found, _ = torch.func.functional_call(module, weights, (series.flip(0) if layer.reverse else series,))
    return (found.flip(0) if layer.reverse else found).permute(1, 2, 0)


PEERS: dict[str, Any] = {
    "recurrent": recurrent,
    "convolution": convolution,
    "transposed convolution": transposed,
    "max pooling": max_pooling,
    "average pooling": average_pooling,
    "Lp pooling": lp_pooling,
    "subsampling": subsampling,
    "unpooling": unpooling,
    "global average": elementwise(lambda layer, x: x.flatten(2).mean(2)),
    "global maximum": elementwise(lambda layer, x: x.flatten(2).amax(2)),
    "adaptive average": adaptive,
    "adaptive maximum": adaptive_maximum,
    "gathering": gathering,
    "grid sample": grid_sample,
    "linear": lambda layer, x, p, values: F.linear(x, p["weight"], p.get("bias")),
    "batch norm": batch_norm,
    "layer norm": layer_norm,
    "group norm": group_norm,
    "instance norm": instance_norm,
    "local response norm": local_response_norm,
    "relu": elementwise(lambda layer, x: F.relu(x)),
    "leaky relu": elementwise(lambda layer, x: F.leaky_relu(x, layer.slope)),
    "parametric relu": lambda layer, x, p, values: F.prelu(x, p["weight"]),
    "elu": elementwise(lambda layer, x: F.elu(x, layer.alpha)),
    "selu": elementwise(lambda layer, x: F.selu(x)),
    "gelu": elementwise(lambda layer, x: F.gelu(x, approximate=layer.approximate)),
    "silu": elementwise(lambda layer, x: F.silu(x)),
    "softplus": elementwise(lambda layer, x: F.softplus(x, layer.beta, threshold=1000)),
    "sigmoid": elementwise(lambda layer, x: torch.sigmoid(x)),
    "tanh": elementwise(lambda layer, x: torch.tanh(x)),
    "scaled tanh": elementwise(lambda layer, x: layer.amplitude * torch.tanh(layer.slope * x)),
    "hard sigmoid": elementwise(lambda layer, x: F.relu6(x + 3) / 6),  # F.hardsigmoid rounds 1/6 to float32
    "hard tanh": elementwise(lambda layer, x: F.hardtanh(x, layer.low, layer.high)),
    "hard swish": elementwise(lambda layer, x: F.hardswish(x)),
    "softmax": elementwise(lambda layer, x: F.softmax(x, 1)),
    "log softmax": elementwise(lambda layer, x: F.log_softmax(x, 1)),
    "flatten": elementwise(lambda layer, x: x.flatten(1)),
    "reshape": elementwise(lambda layer, x: x.reshape(len(x), *layer.shape)),
    "pad": elementwise(lambda layer, x: explicit(x, layer.pairs(tuple(x.shape[1:])), layer.mode, layer.value)),
    "crop": crop,
    "upsample": upsample,
    "concatenate": concatenate,
    "add": add,
    "multiply": multiply,
    "embedding": embedding,
}
