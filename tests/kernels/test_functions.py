"""exp, log, expm1, log1p, tanh and sigmoid of vectors against float64, in units in the last place."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from .native import FUNCTIONS, LANES, native

EXACT = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1.0 / (1.0 + np.exp(-x)),
}
ULPS = {"exp": 2.0, "expm1": 2.5, "log": 2.0, "log1p": 3.0, "tanh": 2.0, "sigmoid": 4.0}
"""The polynomials promise 2 units, and a further rounding half a unit; sigmoid, whose last place may be half as
large as that of exp, twice that."""
TINY, HUGE = np.finfo(np.float32).tiny, np.finfo(np.float32).max


def evaluate(values: np.ndarray, lanes: int) -> dict[str, np.ndarray]:
    """Return every function of ``values`` (float32), which are repeated to fill whole vectors."""
    x = np.resize(np.asarray(values, np.float32), -(-len(values) // 16) * 16).copy()
    out = {name: np.zeros_like(x) for name in FUNCTIONS}
    native("every_function", lanes)(x, *out.values(), len(x))
    return {name: array[: len(values)] for name, array in out.items()}


def ulps(values: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Return the errors of float32 ``values`` in units in the last place of the exact ones."""
    unit = np.spacing(np.maximum(np.abs(exact), TINY).astype(np.float32)).astype(np.float64)
    return np.abs(values.astype(np.float64) - exact) / unit


@functools.cache
def arguments(name: str) -> np.ndarray:
    """Return float32 numbers over the whole range where the result is a normal number, dense where it bends."""
    rng = np.random.default_rng(0)
    bits = rng.integers(0x00800000, 0x7F800000, 100_000).astype(np.uint32)  # every positive normal exponent
    anywhere = bits.view(np.float32)
    if name == "log":
        near = np.float32(1.0) + rng.normal(0, [[1e-6], [1e-3], [0.1]], (3, 20_000)).astype(np.float32).ravel()
        return np.concatenate([anywhere, near, [TINY, HUGE, 1.0]]).astype(np.float32)
    if name == "log1p":
        return np.concatenate([anywhere[anywhere < 1e30], rng.uniform(0, 2, 50_000)]).astype(np.float32)
    both = np.concatenate([anywhere, -anywhere])
    low, high = {"exp": (-87.33, 88.37), "expm1": (-HUGE, 88.37), "tanh": (-HUGE, HUGE), "sigmoid": (-87.0, HUGE)}[
        name
    ]
    dense = np.concatenate([rng.uniform(-88, 88, 100_000), rng.normal(0, 1, 100_000)]).astype(np.float32)
    x = np.concatenate([both, dense, [0.0, 0.625, -0.625]]).astype(np.float32)
    return x[(x >= low) & (x <= high)]


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_error_is_within_the_stated_units(name: str, lanes: int) -> None:
    x = arguments(name)
    exact = EXACT[name](x.astype(np.float64))
    errors = ulps(evaluate(x, lanes)[name], exact)
    worst = int(errors.argmax())
    assert errors[worst] <= ULPS[name], f"{name}({x[worst]!r}) is {errors[worst]:.2f} units off"


@pytest.mark.parametrize("lanes", LANES)
def test_results_do_not_depend_on_the_lanes(lanes: int) -> None:
    x = np.concatenate([arguments(name) for name in FUNCTIONS])
    for name, values in evaluate(x, lanes).items():
        np.testing.assert_array_equal(values, evaluate(x, 8)[name], err_msg=name)


@pytest.mark.parametrize("lanes", LANES)
def test_extremes(lanes: int) -> None:
    out = evaluate(np.array([-np.inf, -HUGE, -88.0, 0.0, 88.37, 89.0, HUGE, np.inf], np.float32), lanes)
    exp, tanh, sigmoid = out["exp"], out["tanh"], out["sigmoid"]
    np.testing.assert_array_equal(exp[:4], [0.0, 0.0, 0.0, 1.0])
    assert np.all(np.isfinite(exp[4:]))
    np.testing.assert_allclose(exp[4:], 2.4e38, rtol=0.02)
    np.testing.assert_array_equal(tanh, [-1, -1, -1, 0, 1, 1, 1, 1])
    np.testing.assert_array_equal(sigmoid[3:], [0.5, 1, 1, 1, 1])
    assert np.all((sigmoid[:3] >= 0) & (sigmoid[:3] < 6.1e-39))


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_nan_stays_nan_in_its_own_lane(name: str, lanes: int) -> None:
    x = np.linspace(0.1, 3, 48, dtype=np.float32)
    x[[0, 5, 21, 47]] = np.nan
    np.testing.assert_array_equal(np.isnan(evaluate(x, lanes)[name]), np.isnan(x))


@pytest.mark.parametrize("lanes", LANES)
def test_known_values(lanes: int) -> None:
    out = evaluate(np.array([0.0, 1.0], np.float32), lanes)
    assert out["exp"][0] == 1.0
    assert out["log"][1] == 0.0
    assert out["tanh"][0] == 0.0
    assert out["sigmoid"][0] == 0.5
    assert abs(out["exp"][1] - np.e) < 3e-7


@pytest.mark.parametrize("lanes", LANES)
def test_symmetry_and_monotony(lanes: int) -> None:
    x = np.linspace(0, 12, 4096, dtype=np.float32)
    plus, minus = evaluate(x, lanes), evaluate(-x, lanes)
    np.testing.assert_array_equal(plus["tanh"], -minus["tanh"])
    assert np.all(np.diff(plus["exp"]) > 0)
    assert np.all(np.abs(plus["tanh"]) <= 1)
    assert np.all((plus["sigmoid"] <= 1) & (minus["sigmoid"] >= 0))


def test_the_measure_of_error_sees_a_wrong_digit() -> None:
    exact = np.array([1.0, 3.0])
    np.testing.assert_array_equal(ulps(np.array([1.0, 3.0], np.float32), exact), 0.0)
    assert ulps(np.nextafter(np.float32([1.0, 3.0]), np.float32(9)), exact).min() == 1.0
