"""Functions of a vector: exp, log, tanh and the activations, with their derivatives.

The polynomials are those of Cephes (Moshier 1989), single precision: errors of at most 2 units in the last
place over the range where the result is a normal number.
"""

from __future__ import annotations

from numba import float32 as f32
from numba import njit

from striate.kernels.vector import exponent, fma, power_of_two, select, splat, vabs, vround

inline = njit(inline="always")


@inline
def vexp(x):
    """e**x; 0 below -87.3 and 2.4e38 above 88.3; NaN stays NaN."""
    low, high = splat(x, f32(-87.33)), splat(x, f32(88.37))
    y = select(x < low, low, select(x > high, high, x))
    n = vround(y * f32(1.44269504088896341))
    r = fma(n, splat(x, f32(-0.693359375)), y)
    r = fma(n, splat(x, f32(2.12194440e-4)), r)
    p = splat(x, f32(1.9875691500e-4))
    p = fma(p, r, splat(x, f32(1.3981999507e-3)))
    p = fma(p, r, splat(x, f32(8.3334519073e-3)))
    p = fma(p, r, splat(x, f32(4.1665795894e-2)))
    p = fma(p, r, splat(x, f32(1.6666665459e-1)))
    p = fma(p, r, splat(x, f32(5.0000001201e-1)))
    value = (fma(p, r * r, r) + f32(1.0)) * power_of_two(n)
    return select(x < low, splat(x, f32(0.0)), value)


@inline
def vlog(x):
    """Natural logarithm of normal positive x."""
    one = splat(x, f32(1.0))
    e = exponent(x)
    last = e > splat(x, f32(126.0))  # 2**-127 is no normal number
    m = select(last, x * f32(0.5), x) * power_of_two(select(last, one, splat(x, f32(0.0))) - e)
    big = m > splat(x, f32(1.41421356))
    m = select(big, m * f32(0.5), m) - one
    e = select(big, e + one, e)
    p = splat(x, f32(7.0376836292e-2))
    p = fma(p, m, splat(x, f32(-1.1514610310e-1)))
    p = fma(p, m, splat(x, f32(1.1676998740e-1)))
    p = fma(p, m, splat(x, f32(-1.2420140846e-1)))
    p = fma(p, m, splat(x, f32(1.4249322787e-1)))
    p = fma(p, m, splat(x, f32(-1.6668057665e-1)))
    p = fma(p, m, splat(x, f32(2.0000714765e-1)))
    p = fma(p, m, splat(x, f32(-2.4999993993e-1)))
    p = fma(p, m, splat(x, f32(3.3333331174e-1)))
    z = m * m
    y = fma(p * m, z, e * f32(-2.12194440e-4)) - z * f32(0.5)
    return fma(e, splat(x, f32(0.693359375)), m + y)


@inline
def vtanh(x):
    """tanh(x): a polynomial near 0, where 1 - 2/(exp(2x) + 1) would lose digits."""
    one = splat(x, f32(1.0))
    a = vabs(x)
    far = one - f32(2.0) / (vexp(a * f32(2.0)) + one)
    far = select(x < splat(x, f32(0.0)), f32(0.0) - far, far)
    z = x * x
    p = splat(x, f32(-5.70498872745e-3))
    p = fma(p, z, splat(x, f32(2.06390887954e-2)))
    p = fma(p, z, splat(x, f32(-5.37397155531e-2)))
    p = fma(p, z, splat(x, f32(1.33314422036e-1)))
    p = fma(p, z, splat(x, f32(-3.33332819422e-1)))
    near = fma(p * z, x, x)
    return select(a < splat(x, f32(0.625)), near, far)


@inline
def vsigmoid(x):
    """1 / (1 + exp(-x))."""
    return f32(1.0) / (vexp(f32(0.0) - x) + f32(1.0))


@inline
def vcos_turn(t):
    """cos(2 pi t) for t from 0 to 1: a sine of at most a quarter turn."""
    quarter = splat(t, f32(0.25)) - vabs(t - f32(0.5))
    x = f32(0.0) - quarter * f32(6.283185307179586)
    z = x * x
    p = splat(t, f32(-2.5052108e-8))
    p = fma(p, z, splat(t, f32(2.7557319e-6)))
    p = fma(p, z, splat(t, f32(-1.9841270e-4)))
    p = fma(p, z, splat(t, f32(8.3333333e-3)))
    p = fma(p, z, splat(t, f32(-1.6666667e-1)))
    return fma(p * z, x, x)


@inline
def relu(x):
    """max(x, 0); NaN stays NaN."""
    zero = splat(x, f32(0.0))
    return select(x < zero, zero, x)


@inline
def relu_gradient(x, y, g):
    """g where y > 0."""
    zero = splat(x, f32(0.0))
    return select(y > zero, g, zero)


@inline
def sigmoid_gradient(x, y, g):
    """g y (1 - y)."""
    return g * y * (f32(1.0) - y)


@inline
def tanh_gradient(x, y, g):
    """g (1 - y^2)."""
    return g * (f32(1.0) - y * y)


ACTIVATIONS = {
    "ReLU": (relu, relu_gradient),
    "Sigmoid": (vsigmoid, sigmoid_gradient),
    "Tanh": (vtanh, tanh_gradient),
}
"""Forward f(x) and backward b(x, y, grad_y) -> grad_x of every activation, by name of its layer."""
