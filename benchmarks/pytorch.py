"""PyTorch's side, in the setting that is fastest for it on this machine."""

from __future__ import annotations

import shutil

import numpy as np
import torch

from benchmarks.networks import Case, initial_parameters
from benchmarks.ours import BETA1, BETA2, EPSILON, RATE
from benchmarks.timing import Work, timed
from benchmarks.twin import twin
from striate.layers.base import Shape
from striate.machine import available_threads

TRIAL_SECONDS = 0.3
COMPILED = ", compiled"


def training(case: Case, x: np.ndarray, y: np.ndarray, batch: int) -> tuple[Work, str]:
    """Return the work of training steps on float tensors that are ready, and the setting chosen for it.

    All cores, fused Adam, gradients set to None; eager or compiled, channels_last or not, whichever is faster.
    """
    torch.set_num_threads(available_threads())
    return faster({name: steps(case, x, y, batch, name) for name in settings(case.input_shape)})


def inference(case: Case, x: np.ndarray, batch: int) -> tuple[Work, str]:
    """Return the work of inference on float tensors that are ready, and the setting chosen for it."""
    torch.set_num_threads(available_threads())
    return faster({name: _passes(case, x, batch, name) for name in settings(case.input_shape)})


def tensors(case: Case, x: np.ndarray, batch: int, layout: str) -> list[torch.Tensor]:
    """Return the batches of ``x``, scaled to 0 to 1."""
    inputs = torch.from_numpy(x).float() / 255
    return [
        piece.contiguous(memory_format=memory_format(layout))
        for piece in inputs.split(batch)
        if len(piece) == batch
    ]


def steps(case: Case, x: np.ndarray, y: np.ndarray, batch: int, layout: str) -> Work:
    """Return the work of training steps in one memory layout."""
    model = _model(case, layout).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPSILON, fused=True)
    data = list(zip(tensors(case, x, batch, layout), torch.from_numpy(y).split(batch), strict=False))
    count = 0

    def work(repetitions: int) -> None:
        nonlocal count
        for _ in range(repetitions):
            inputs, labels = data[count % len(data)]
            count += 1
            optimizer.zero_grad(set_to_none=True)
            torch.nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()

    return work


def _passes(case: Case, x: np.ndarray, batch: int, layout: str) -> Work:
    model = _model(case, layout, logits=False).eval()
    data = tensors(case, x, batch, layout)

    def work(repetitions: int) -> None:
        with torch.inference_mode():
            for i in range(repetitions):
                model(data[i % len(data)])

    return work


def _model(case: Case, layout: str, logits: bool = True) -> torch.nn.Module:
    network = case.network()
    model = twin(network, initial_parameters(network), logits).to(memory_format=memory_format(layout))
    return torch.compile(model) if layout.endswith(COMPILED) else model


def layouts(shape: Shape) -> list[str]:
    """Return the memory layouts that PyTorch has for samples of ``shape``."""
    return ["contiguous", "channels_last"] if len(shape) == 3 else ["contiguous"]


def settings(shape: Shape) -> list[str]:
    """Return the layouts, and each with ``torch.compile`` where there is the compiler that it needs."""
    names = layouts(shape)
    return names + [name + COMPILED for name in names if shutil.which("g++")]


def memory_format(layout: str) -> torch.memory_format:
    """Return PyTorch's object for a layout."""
    return torch.channels_last if layout.startswith("channels_last") else torch.contiguous_format


def faster(settings: dict[str, Work]) -> tuple[Work, str]:
    """Return the setting that does most in a short trial; each gets three turns."""
    seconds = dict.fromkeys(settings, float("inf"))
    for work in settings.values():
        work(3)
    for _ in range(3):
        for name, work in settings.items():
            count = max(1, round(TRIAL_SECONDS / 3 / max(timed(work, 1), 1e-4)))
            seconds[name] = min(seconds[name], timed(work, count) / count)
    best = min(seconds, key=seconds.__getitem__)
    return settings[best], best
