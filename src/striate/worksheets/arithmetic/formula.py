"""The size formula of an axis as a lecturer writes it: symbols, numbers, rounding, result."""

from __future__ import annotations

from striate.worksheets.arithmetic.axis import Axis, transposed_numerator


def symbols(axis: Axis) -> str:
    """Return the formula in symbols: n input, k kernel, s stride, p padding, d dilation.

    Examples
    --------
    >>> symbols(Axis("rows", "convolution", 227, 11, stride=4))
    'floor((n + 2p - k)/s) + 1'
    """
    if axis.kind == "transposed":
        extra = " + output_padding" if axis.output_padding else ""
        return f"(n - 1)s - {_padding_symbols(axis, ' - ')} + {_kernel_symbols(axis, ' + ')}{extra}"
    rounding = "ceil" if axis.ceil_mode else "floor"
    return f"{rounding}((n + {_padding_symbols(axis, ' + ')} - {_kernel_symbols(axis, ' - ')})/s) + 1"


def filled(axis: Axis) -> str:
    """Return the formula with its numbers, the rounding, and the result.

    Examples
    --------
    >>> filled(Axis("rows", "convolution", 227, 11, stride=4))
    'floor((227 + 2*0 - 11)/4) + 1 = floor(54) + 1 = 55'
    """
    if axis.kind == "transposed":
        extra = f" + {axis.output_padding}" if axis.output_padding else ""
        terms = f"({axis.input} - 1)*{axis.stride} - {_padding_numbers(axis, ' - ')}"
        return f"{terms} + {_kernel_numbers(axis, ' + ')}{extra} = {transposed_numerator(axis) + 1}"
    rounding = "ceil" if axis.ceil_mode else "floor"
    span = axis.input + sum(axis.padding) - axis.effective_kernel
    numbers = f"({axis.input} + {_padding_numbers(axis, ' + ')} - {_kernel_numbers(axis, ' - ')})/{axis.stride}"
    steps = [f"{rounding}({numbers}) + 1", f"{rounding}({span / axis.stride:.6g}) + 1"]
    if axis.last_window_dropped:
        steps.append(f"{axis.output + 1}, less the window that would start beyond the input")
    return " = ".join([*steps, str(axis.output)])


def _padding_symbols(axis: Axis, sign: str) -> str:
    before, after = axis.padding
    return "2p" if before == after else f"p_before{sign}p_after"


def _padding_numbers(axis: Axis, sign: str) -> str:
    before, after = axis.padding
    return f"2*{before}" if before == after else f"{before}{sign}{after}"


def _kernel_symbols(axis: Axis, sign: str) -> str:
    return "k" if axis.dilation == 1 else f"d(k - 1){sign}1"


def _kernel_numbers(axis: Axis, sign: str) -> str:
    if axis.dilation == 1:
        return str(axis.kernel)
    return f"{axis.dilation}*({axis.kernel} - 1){sign}1"
