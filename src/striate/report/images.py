"""Samples and filters as pictures inside a page."""

from __future__ import annotations

import base64
import io

import numpy as np

from striate.model import Model
from striate.report.html import Markup, empty_element

MOST_FILTERS = 64


def picture(values: np.ndarray, low: float, high: float, side: int, title: str = "") -> Markup:
    """Return an image or signal as an inline PNG, ``side`` pixels tall or wide on the page.

    Parameters
    ----------
    values : array [C, *space]
        One channel is shown in grey, three in colour, others by their mean; of a volume the middle slice.
    low, high : float
        What is black and white.
    """
    from PIL import Image

    plane = flat(values)
    span = (high - low) or 1.0
    levels = np.rint(np.clip((plane - low) / span, 0.0, 1.0) * 255.0).astype(np.uint8)
    store = io.BytesIO()
    Image.fromarray(levels).save(store, "PNG", optimize=True)
    source = "data:image/png;base64," + base64.b64encode(store.getvalue()).decode()
    tall, wide = plane.shape[:2]
    scale = side / max(tall, wide)
    size = {"width": max(1, round(wide * scale)), "height": max(1, round(tall * scale))}
    return empty_element("img", src=source, alt=title, title=title, **size)


def flat(values: np.ndarray) -> np.ndarray:
    """Return a sample as float64[rows, columns] or float64[rows, columns, 3]."""
    x = np.asarray(values, np.float64)
    while x.ndim > 3:
        x = x[:, x.shape[1] // 2]
    x = x[None] if x.ndim == 1 else x
    if x.ndim == 2:  # a signal: every channel a band
        return np.repeat(x, max(1, 24 // len(x)), axis=0)
    if len(x) == 3:
        return np.moveaxis(x, 0, 2)
    return x[0] if len(x) == 1 else x.mean(axis=0)


def first_filters(model: Model) -> tuple[str, list[np.ndarray]]:
    """Return the name of the first layer that learns and its filters, float32[C, *window] each.

    The weights of a dense layer that reads the samples themselves are shown in their shape. The list is
    empty if the first weights are nothing to look at.
    """
    for step in model.network.steps:
        slots = [slot for slot in step.parameters if slot.spec.name == "weight" and len(slot.spec.shape) >= 2]
        if not slots:
            continue
        weight = slots[0].view(model.theta)
        if weight.ndim == 2 and weight[0].size == np.prod(model.input_shape) and len(model.input_shape) > 1:
            weight = weight.reshape(len(weight), *model.input_shape)
        seen = weight.ndim >= 3 and np.prod(weight.shape[2:]) > 1  # a window of one value is nothing to look at
        return step.name, list(weight[:MOST_FILTERS]) if seen else []
    return "", []
