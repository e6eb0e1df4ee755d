"""The meaning of transposed convolution: the adjoint of the convolution with the same weight."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.layers.transposed import TransposedConvolution
from striate.reference.convolution import correlate, correlate_backward, per_channel, sum_per_channel
from striate.reference.registry import Array, Arrays, Context, Gradients, Inputs, define


@define(TransposedConvolution)
class _TransposedConvolution:
    """``out[m, p*stride + t*dilation - padding] += weight[c, m, t] * x[c, p]``, then ``+ bias[m]``.

    With ``A`` the convolution from (M, *output) to (C, *input) with weight [C, M/groups, *kernel], the
    output is ``A' x + bias``; so the gradient with respect to x is ``A grad_output``.
    """

    @staticmethod
    def forward(layer: TransposedConvolution, parameters: Arrays, *inputs: Array, context: Context) -> Array:
        nothing = np.zeros((len(inputs[0]), *layer.output_shape(inputs[0].shape[1:])))
        out, _ = correlate_backward(nothing, parameters["weight"], inputs[0], **_geometry(layer))
        return out + per_channel(parameters["bias"], out.ndim) if layer.bias else out

    @staticmethod
    def backward(
        layer: TransposedConvolution,
        parameters: Arrays,
        inputs: Inputs,
        output: Array,
        grad_output: Array,
        context: Context,
    ) -> Gradients:
        weight = parameters["weight"]
        grad_x = correlate(grad_output, weight, **_geometry(layer))
        grad_x = grad_x[tuple(map(slice, inputs[0].shape))]  # output_padding may leave room for more positions
        _, grad_weight = correlate_backward(grad_output, weight, inputs[0], **_geometry(layer))
        gradients = {"weight": grad_weight}
        if layer.bias:
            gradients["bias"] = sum_per_channel(grad_output)
        return (grad_x,), gradients


def _geometry(layer: TransposedConvolution) -> dict[str, Any]:
    return {
        "stride": layer.stride,
        "padding": layer.padding,
        "dilation": layer.dilation,
        "groups": layer.groups,
    }
