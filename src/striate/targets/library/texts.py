"""The texts of a library: its header, an example in C and a Makefile."""

from __future__ import annotations

import math
from importlib import resources
from string import Template

from striate import __version__
from striate.layers.base import format_shape
from striate.losses import CLASSES, NUMBERS
from striate.model import Model
from striate.targets.inputs import input_lines
from striate.targets.library.compile import Compiled, Job

_AXES = ("channels", "rows", "columns")
_ANSWERS = {CLASSES: "the probability of each class", NUMBERS: "the predicted numbers"}


def texts(model: Model, target: str, job: Job, made: Compiled) -> dict[str, bytes]:
    """Return the files by name."""
    values = _values(model, target, job, made)
    classes = _filled("classes.h", values) if job.classes else ""
    files = {
        f"{job.name}.h": _filled("header.h", values | {"classes": classes}),
        "example.c": _filled("example.c", values),
        "Makefile": _filled("Makefile", values),
    }
    return {name: text.encode() for name, text in files.items()}


def _filled(template: str, values: dict[str, object]) -> str:
    text = (resources.files("striate.targets.library") / "templates" / template).read_text("utf-8")
    return Template(text).substitute(values)


def _values(model: Model, target: str, job: Job, made: Compiled) -> dict[str, object]:
    name, cpu, shape = job.name, job.processor, model.input_shape
    lines = input_lines(model)
    objects = f"lib{name}.a" if cpu.is_elf else f"{name}.o {name}_data.o"
    return {
        "name": name,
        "guard": name.upper(),
        "network": _plain(model.network.name),
        "version": __version__,
        "target": target,
        "triple": cpu.triple,
        "cpu": cpu.cpu,
        "input": format_shape(shape),
        "output": format_shape(model.network.output_shape),
        "inputs": math.prod(shape),
        "outputs": job.sizes["outputs"],
        "sample": _layout(shape),
        "meanings": "".join(f" *   {_plain(line)}\n" for line in lines) + " *\n" * bool(lines),
        "pixels": " (pixels from 0 to 255)" if len(shape) == 3 and shape[0] in (1, 3) else "",
        "answer": _ANSWERS.get(model.kind, "the probability of each label"),
        "constants": f"{job.sizes['data']:,}",
        "code": f"{len(made.code):,}",
        "workspace": job.sizes["workspace"],
        "stack": f"{made.stack:,}",
        "compiler": cpu.compiler,
        "objects": objects,
        "show": "%s" if job.classes else "",
        "shown": f", {name}_classes[{name}_classify(x)]" if job.classes else "",
    }


def _layout(shape: tuple[int, ...]) -> str:
    sides = "".join(f"[{side}]" for side in shape)
    names = _AXES[: len(shape)] if len(shape) <= len(_AXES) else ()
    return f"float32 or unsigned 8-bit numbers {sides}" + (f" ({', '.join(names)})" if names else "")


def _plain(text: str) -> str:
    """Return text that can neither end a comment nor begin one."""
    return text.replace("*/", "* /").replace("/*", "/ *").replace("\n", " ")
