"""Write optimizer_traces.json: 100 steps of PyTorch's optimizers in float64 on a small nonlinear problem.

Run it by hand, with PyTorch installed, when an optimizer is added: ``python tests/training/make_traces.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

PATH = Path(__file__).with_name("optimizer_traces.json")
START = np.array([1.5, -2.0, 0.3])
RATE = 0.02
CASES = {
    "gradient_descent": ("SGD", {}, {}),
    "momentum": ("SGD", {"momentum": 0.9}, {"beta": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.8, "nesterov": True}, {"beta": 0.8}),
    "adam": ("Adam", {}, {}),
    "adamw": (
        "AdamW",
        {"weight_decay": 0.1, "betas": (0.8, 0.99)},
        {"weight_decay": 0.1, "beta1": 0.8, "beta2": 0.99},
    ),
    "rmsprop": ("RMSprop", {"alpha": 0.95}, {"rho": 0.95}),
    "rmsprop centred": (
        "RMSprop",
        {"alpha": 0.9, "centered": True, "eps": 1e-3},
        {"rho": 0.9, "centred": True, "epsilon": 1e-3},
    ),
    "rmsprop momentum": ("RMSprop", {"alpha": 0.9, "momentum": 0.5}, {"rho": 0.9, "momentum": 0.5}),
    "rmsprop both": (
        "RMSprop",
        {"alpha": 0.9, "momentum": 0.5, "centered": True, "eps": 1e-2},
        {"rho": 0.9, "momentum": 0.5, "centred": True, "epsilon": 1e-2},
    ),
    "adagrad": ("Adagrad", {}, {}),
    "adadelta": ("Adadelta", {"rho": 0.8, "eps": 1e-3}, {"rho": 0.8, "epsilon": 1e-3}),
    "nadam": ("NAdam", {"betas": (0.8, 0.99)}, {"beta1": 0.8, "beta2": 0.99}),
    "radam": ("RAdam", {"betas": (0.8, 0.99)}, {"beta1": 0.8, "beta2": 0.99}),
    "amsgrad": (
        "Adam",
        {"amsgrad": True, "betas": (0.8, 0.99)},
        {"beta1": 0.8, "beta2": 0.99},
    ),
    "adamax": ("Adamax", {"betas": (0.8, 0.99)}, {"beta1": 0.8, "beta2": 0.99}),
}
"""Our name, and a word for the form: PyTorch's class, its arguments, ours."""


def gradient(theta: np.ndarray) -> np.ndarray:
    """Return the gradient of ``(a-1)^2 + 5 (b - a^2)^2 + c^4/4 + a c`` at theta = (a, b, c)."""
    a, b, c = theta
    return np.array([2.0 * (a - 1.0) - 20.0 * a * (b - a * a) + c, 10.0 * (b - a * a), c**3 + a]) / 10.0


def torch_trace(name: str) -> np.ndarray:
    """Return theta after each of 100 steps, float64[100, 3]."""
    import torch

    cls, arguments, _ = CASES[name]
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # NAdam keeps a number of this type
    try:
        theta = torch.tensor(START, requires_grad=True)
        optimizer = getattr(torch.optim, cls)([theta], lr=RATE, **arguments)
        rows = []
        for _ in range(100):
            theta.grad = torch.tensor(gradient(theta.detach().numpy()))
            optimizer.step()
            rows.append(theta.detach().numpy().copy())
    finally:
        torch.set_default_dtype(before)
    return np.array(rows)


if __name__ == "__main__":
    traces = {name: torch_trace(name).tolist() for name in CASES}
    PATH.write_text(json.dumps(traces, indent=0).replace("\n", "") + "\n")
