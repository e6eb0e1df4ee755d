"""An ONNX file as a model."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from striate.data.normalisation import Normalisation
from striate.errors import ModelFileError, UsageError, suggestion
from striate.interop.onnx.messages import ValueInfo
from striate.interop.onnx.reading import operators
from striate.interop.onnx.reading.constants import filled
from striate.interop.onnx.reading.file import File, read
from striate.interop.onnx.reading.importer import Importer
from striate.interop.onnx.reading.labels import scores_and_classes
from striate.interop.onnx.reading.values import MOST_AXES, Unsupported, Value, reshaped
from striate.interop.onnx.tensors import DTYPES, to_shape
from striate.interop.protobuf import MalformedError
from striate.layers import Identity, Input, Slice
from striate.layers.base import Node, Shape
from striate.model import Model
from striate.network import Network

Shapes = Sequence[int] | Mapping[str, Sequence[int]] | None
"""The shape of a sample, or of each input by name."""
RECURRENT = ("RNN", "LSTM", "GRU")
"""Operators whose samples lie along the second axis."""
ANY = 7919  # how many samples a model for any number is read with: a number that no shape has by chance
SHOWN = 8  # problems in one message
__all__ = ["load", "operators"]


def load(
    path: str | Path,
    *,
    input_shape: Shapes = None,
    constants: Mapping[str, ArrayLike] | None = None,
    output: str | None = None,
    samples: bool = True,
) -> Model:
    """Return the model of an ONNX file: an ordinary model to predict with, look into, fine-tune and save.

    A model with several inputs becomes one whose samples are rows that hold them one after the other;
    ``metadata["origin"]["inputs"]`` says how. Pictures that the file wants with channels last come in with
    channels first, as everywhere in striate.

    Parameters
    ----------
    path : path
    input_shape : sequence of int, or mapping of them, optional
        The shape of a sample, where the file leaves sides open; by the names of inputs if there are several.
    constants : mapping of numbers or arrays, optional
        Inputs that are always the same, by name.
    output : str, optional
        The value of the graph to take as output, such as what a layer before the last gives; the first output by
        default, with the others as auxiliary ones. Labels of classes are left out: their names become the
        classes of the model.
    samples : bool
        Whether the first axis of inputs counts samples; if False, the whole input is one.

    Raises
    ------
    ModelFileError
        If the file is damaged, or its graph needs what striate does not have: all of that at once.
    UsageError
        If the graph has no input or value of a name given.
    """
    return load_file(read(path), input_shape=input_shape, constants=constants, output=output, samples=samples)


def load_file(
    file: File,
    *,
    input_shape: Shapes = None,
    constants: Mapping[str, ArrayLike] | None = None,
    output: str | None = None,
    samples: bool = True,
) -> Model:
    """Return the model of a checked graph; for the arguments see ``load``."""
    given = input_shape if isinstance(input_shape, Mapping) else {}
    names = [item.name for item in file.graph.input]
    for name in (*given, *(constants or ())):
        if name not in names:
            raise UsageError(f"{file.path}: there is no input {name!r}; known: {', '.join(names)}.")
    fixed = {
        item.name: _constant(file, item, constants[item.name])
        for item in file.graph.input
        if constants and item.name in constants
    }
    made = [name for item in file.graph.node for name in item.output]
    if output is not None and output not in made:
        outputs = ", ".join(item.name for item in file.graph.output)
        hint = suggestion(output, made) or f"its outputs are {outputs}."
        raise UsageError(f"{file.path}: there is no value {output!r} to end with; {hint}")
    attempts = [(ANY, 0), (1, 0)] if samples else [(0, 0)]
    if samples and any(node.op_type in RECURRENT for node in file.graph.node):
        sides = next((_sides(item) for item in file.graph.input if item.name not in file.constants), None)
        positions = bool(sides and (sides[0] or 1) > 1)  # as many as declared are no single sample
        attempts = [(ANY, 0), (ANY, 1)] if positions else [(ANY, 0), (ANY, 1), (1, 0)]
    errors = {}
    for count, axis in attempts:
        try:
            with np.errstate(all="ignore"):  # of numbers that a damaged file may hold
                return _load(file, count, axis, input_shape, fixed, output)
        except (ModelFileError, MalformedError, Unsupported, UsageError, RecursionError) as error:
            text = str(error)
            errors[count, axis] = text if text.startswith(str(file.path)) else f"{file.path}: {text}"
    raise ModelFileError(min((text for (_, axis), text in errors.items() if not axis), key=len)) from None


def _constant(file: File, item: ValueInfo, given: ArrayLike) -> np.ndarray:
    """Return what an input always is; one number fills an input whose sides are known."""
    kind = item.type.tensor_type if item.type else None
    found = np.asarray(given, DTYPES.get(kind.elem_type if kind else 1, np.float32))
    sides = _sides(item)
    if found.ndim or sides is None:
        return found
    shape = [side for side in sides if side is not None]
    if len(shape) < len(sides):
        raise UsageError(f"{file.path}: the input {item.name!r} has open sides; give an array (constants=).")
    return np.broadcast_to(found, shape)


def _load(
    file: File, count: int, axis: int, input_shape: Shapes, constants: dict[str, np.ndarray], output: str | None
) -> Model:
    importer = Importer(file)
    fixed = {**file.constants, **constants}
    entries = [item for item in file.graph.input if item.name not in fixed]
    if not entries:
        raise ModelFileError(f"{file.path}: a model has an input; this graph has none.")
    inputs = _inputs(file, entries, count, axis, input_shape)
    importer.values.update(constants)
    importer.values.update(inputs)
    scores, labels = scores_and_classes(file)
    names = scores if output is None else [output]
    importer.run(names)
    if importer.problems:
        raise ModelFileError(_report(file, importer))
    network = _network(file, importer, names)
    origin = _origin(file, entries, inputs, count)
    return _model(file, importer, network, origin, labels)


def _report(file: File, importer: Importer) -> str:
    """Return an error that lists what is not supported: each kind of operator once, with the names of nodes."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for name, (kind, reason) in importer.problems.items():
        kinds.setdefault((kind, reason.rstrip(".")), []).append(name)
    items = []
    for (kind, reason), names in list(kinds.items())[:SHOWN]:
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        items.append(f"{kind} {names[0][:60]!r}{more}: {reason[:160]}")
    rest = len(kinds) - SHOWN
    tail = f"; and {rest} other problems" if rest > 0 else ""
    total = len(importer.problems)
    return f"{file.path}: {total} of {len(file.graph.node)} nodes are not supported; {'; '.join(items)}{tail}."


def _sides(item: ValueInfo) -> list[int | None] | None:
    """Return the declared sides of an input, None for those left open; raises MalformedError if too many."""
    kind = item.type.tensor_type if item.type else None
    if kind is None or kind.shape is None:
        return None
    sides = to_shape([side.dim_value or 0 for side in kind.shape.dim], item.name)
    return [side if side > 0 else None for side in sides]


def _inputs(file: File, entries: list[ValueInfo], count: int, first: int, input_shape: Shapes) -> dict[str, Value]:
    """Return the value of every input: nodes of their own, or parts of one row."""
    shapes: dict[str, tuple[Shape, int, int]] = {}
    opened: dict[str, list[int | None]] = {}
    without: list[str] = []
    for item in entries:
        sides = _sides(item)
        if isinstance(input_shape, Mapping):
            given = tuple(input_shape.get(item.name, ()))
        else:
            given = tuple(input_shape or ()) if len(entries) == 1 else ()
        if sides is None:
            sides = [None, *given]
        axis, batch = _axis_of_samples(item, entries[0], first), count
        if count and len(sides) <= axis:
            sides = []
        if count == ANY and sides and sides[axis] is not None:
            batch = sides[axis] or count
        if count and not sides:
            without.append(item.name)
            continue
        sample = [*sides[:axis], *sides[axis + 1 :]] if count else sides
        if given and len(given) == len(sample):
            sample = [wanted if side is None else side for side, wanted in zip(sample, given, strict=True)]
        if None in sample:
            opened[item.name] = sample
        shapes[item.name] = (tuple(int(side) for side in sample if side is not None), axis, batch)
    if opened or without:
        raise Unsupported(_incomplete(opened, without, len(entries)))
    return _apart(shapes, whole=not count)


def _incomplete(opened: dict[str, list[int | None]], without: list[str], count: int) -> str:
    """Return an error that names every input with open sides or without samples, and what to write."""
    shown, examples = [], []
    for name, sample in opened.items():
        shown.append(f"{name!r} ({'x'.join('?' if side is None else str(side) for side in sample)})")
        example = "x".join("224" if side is None else str(side) for side in sample)
        examples.append(f"--input {name}={example}" if count > 1 else f"--input {example}")
    subject = f"input {', '.join(shown)} has" if len(shown) == 1 else f"inputs {', '.join(shown)} have"
    advice = f"give the shape of a sample, such as {' '.join(examples)} (input_shape=)"
    texts = [f"the {subject} open sides; {advice}"] if opened else []
    texts += [
        f"the input {name!r} has no axis of samples; if it is always the same number, give it, such as "
        f"--constant {name}=1 (constants=)"
        for name in without
    ]
    return "; ".join(texts) + "."


def _axis_of_samples(item: ValueInfo, first: ValueInfo, axis: int) -> int:
    """Return the axis that is declared as the one of samples of the first input is; the first where none is."""
    if item is first:
        return axis
    axes, wanted = _declared(item), _declared(first)[axis : axis + 1]
    return axes.index(wanted[0]) if wanted and wanted[0] in axes else 0


def _declared(item: ValueInfo) -> list[tuple[int | None, str | None]]:
    kind = item.type.tensor_type if item.type else None
    sides = kind.shape.dim if kind and kind.shape else []
    return [(side.dim_value or None, side.dim_param or None) for side in sides]


def _apart(shapes: dict[str, tuple[Shape, int, int]], whole: bool) -> dict[str, Value]:
    if len(shapes) == 1:
        ((name, (shape, axis, batch)),) = shapes.items()
        return {name: _entry(shape, axis, batch, whole)}
    row = Input((sum(math.prod(shape) for shape, _, _ in shapes.values()),))
    begin, found = 0, {}
    for name, (shape, axis, batch) in shapes.items():
        size = math.prod(shape)
        node: Node = Slice((begin,), (size,))(row)
        found[name] = Value(node, shape, tuple(range(len(shape))), None if whole else axis, batch)
        begin += size
    return found


def _entry(shape: Shape, axis: int, batch: int, whole: bool) -> Value:
    """Return an input; a picture with channels last becomes one with channels first."""
    place = None if whole else axis
    if len(shape) == 3 and shape[2] in (1, 3, 4) and shape[0] not in (1, 3, 4) and place == 0:
        rows, columns, channels = shape
        return Value(Input((channels, rows, columns)), (channels, rows, columns), (1, 2, 0), place, batch)
    own = shape if len(shape) <= MOST_AXES else (math.prod(shape),)
    return Value(Input(own or (1,)), shape, tuple(range(len(shape))), place, batch)


def _network(file: File, importer: Importer, names: list[str]) -> Network:
    if not names:
        raise ModelFileError(f"{file.path}: its graph has no outputs. Export the model again.")
    nodes: list[Node] = []
    for name in names:
        value = importer.values.get(name)
        if not isinstance(value, Value):
            if len(names) == 1 or (not nodes and name == names[-1]):
                raise ModelFileError(f"{file.path}: the output {name!r} does not depend on the input.")
            continue
        nodes.append(_end(_with_targets_last(value) if file.producer.startswith("skl2onnx") else value))
    main, *others = nodes
    if not main.inputs or any(main is other for other in others) or _before(main, others):
        main = Identity()(main)
    auxiliary = [node for i, node in enumerate(others) if node.inputs and all(node is not n for n in others[:i])]
    title = "".join(c if c.isalnum() or c in "_-" else "_" for c in file.path.stem) or "model"
    return Network(main, title, auxiliary)


def _with_targets_last(value: Value) -> Value:
    """Return targets that stand below each other, sample after sample, as the numbers of one sample."""
    column = value.batch is None and value.count == 1 and value.rank == 2 and value.shape[1] == 1
    return value.reshape(value.shape[:1]) if column else value


def _end(value: Value) -> Node:
    """Return an output as the foreign model gives it, the axis of samples first."""
    if value.batch not in (None, 0):
        value = value.transposed([value.batch, *(a for a in range(value.rank) if a != value.batch)])
    value = value.straight()
    if len(value.base) > MOST_AXES:
        return reshaped(value.node, (math.prod(value.base),))
    return reshaped(value.node, value.base or (1,))


def _before(node: Node, others: list[Node]) -> bool:
    """Return whether one of ``others`` depends on ``node``."""
    stack, seen = list(others), set()
    while stack:
        here = stack.pop()
        if here is node:
            return True
        if id(here) not in seen:
            seen.add(id(here))
            stack.extend(here.inputs)
    return False


def _origin(file: File, entries: list[ValueInfo], inputs: dict[str, Value], count: int) -> dict[str, Any]:
    described = []
    for item in entries:
        value = inputs[item.name]
        last = value.order == (1, 2, 0)
        entry = {"name": item.name, "shape": list(value.sample), "layout": "channels last" if last else "as is"}
        described.append(entry | ({"samples_axis": value.batch} if value.batch else {}))
    return {
        "format": "onnx",
        "producer": file.producer[:200],
        "opset": file.opset,
        "inputs": described,
        "samples": "any" if count == ANY else "one" if count == 0 else "first axis",
    }


def _model(
    file: File, importer: Importer, network: Network, origin: dict[str, Any], labels: tuple[str, ...]
) -> Model:
    try:
        theta, states = filled(network, importer.arrays)
    except Unsupported as error:
        raise ModelFileError(f"{file.path}: {error}.") from None
    known = _known(file, labels)
    classes = known.get("classes", ())
    fits = len(classes) == math.prod(network.output_shape)
    normalisation = known.get("normalisation")
    metadata = {"origin": origin} | ({"preparation": known["preparation"]} if "preparation" in known else {})
    return Model(
        network,
        theta,
        states,
        classes if fits else (),
        Normalisation.from_dict(normalisation) if normalisation else None,
        metadata=metadata,
    )


def _known(file: File, labels: tuple[str, ...]) -> dict[str, Any]:
    """Return what the metadata of the file says of classes and preprocessing; ``labels`` are those of its nodes."""
    known: dict[str, Any] = {}
    for key in ("classes", "normalisation", "preparation"):
        text = file.metadata.get(f"striate.{key}")
        if text is not None:
            try:
                known[key] = json.loads(text)
            except (ValueError, RecursionError):
                raise ModelFileError(f"{file.path}: its metadata {key!r} is not JSON.") from None
    if "classes" not in known and labels:
        known["classes"] = labels
    if "classes" not in known and len(file.metadata.get("names", "")) < 100_000:
        try:  # as YOLO writes them: {0: 'person', 1: 'bicycle'}
            names = ast.literal_eval(file.metadata.get("names", "()"))
            known["classes"] = [str(names[i]) for i in range(len(names))]
        except (ValueError, SyntaxError, KeyError, TypeError, RecursionError, MemoryError):
            pass
    return known
