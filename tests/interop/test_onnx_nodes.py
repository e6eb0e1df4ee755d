"""The ONNX project's own cases for single operators, in the reference and in the engine.

A case passes if every output of its node agrees. Its first axis counts samples if possible; otherwise the whole
input is one sample. What does not pass stands in ``REASONS``, and nothing else does.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate import reference
from striate.errors import StriateError
from striate.interop.onnx import load
from striate.model import Model

pytest.importorskip("onnx")

OPERATORS = """
    Conv ConvTranspose Gemm MatMul BatchNormalization InstanceNormalization LayerNormalization
    GroupNormalization LRN MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool MaxUnpool Relu LeakyRelu
    PRelu Elu Selu Celu Gelu Mish Clip Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign Softmax LogSoftmax
    Add Sub Mul Div Sum Max Min Mean Pow Sqrt Exp Log Abs Neg Concat Split Slice Pad Resize Upsample
    DepthToSpace SpaceToDepth Reshape Flatten Transpose Squeeze Unsqueeze Expand ReduceMean ReduceSum ReduceMax
    ReduceMin Dropout Identity
"""
REASONS = {
    "values of a network are float32; this is arithmetic of whole numbers": """
        test_div_int8 test_div_int16 test_div_int32_trunc test_div_uint8 test_div_uint16 test_div_uint32
        test_div_uint64 test_sub_uint8 test_sub_uint16 test_sub_uint32 test_sub_uint64""",
    "a Model computes what a network computes after training; this is training mode": """
        test_batchnorm_example_training_mode test_batchnorm_epsilon_training_mode test_training_dropout_default
        test_training_dropout_default_mask test_training_dropout test_training_dropout_mask""",
    "a layer has at least one output; these are arrays without values": """
        test_reduce_max_empty_set test_reduce_max_empty_set_bool test_reduce_min_empty_set
        test_reduce_sum_empty_set test_reduce_sum_empty_set_non_reduced_axis_zero
        test_reshape_allowzero_reordered test_slice_start_out_of_bounds test_split_zero_size_splits_opset13
        test_split_zero_size_splits_opset18""",
    "places of maxima are known only between a MaxPool and its MaxUnpool": """
        test_maxpool_with_argmax_2d_precomputed_pads test_maxpool_with_argmax_2d_precomputed_strides
        test_maxunpool_export_without_output_shape test_maxunpool_export_with_output_shape""",
    "a region of interest is cropped and resized in one": """
        test_resize_tf_crop_and_resize test_resize_tf_crop_and_resize_extrapolation_value
        test_resize_tf_crop_and_resize_axes_2_3 test_resize_tf_crop_and_resize_axes_3_2""",
    "a value is an array; this is a sequence, or optional": "test_identity_sequence test_identity_opt",
    "NumPy has no bfloat16 for the input": "test_celu_bfloat16",
}
seen: Counter[str] = Counter()


def cases() -> list[Any]:
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = collect_testcases(None)
    return [c for c in found if len(c.model.graph.node) == 1 and c.model.graph.node[0].op_type in OPERATORS.split()]


def rows_of(model: Model, data: dict[str, np.ndarray], samples: bool) -> np.ndarray:
    """Return the inputs of a case as samples of the model."""
    count = len(next(iter(data.values()))) if samples else 1
    rows = []
    for item in model.metadata["origin"]["inputs"]:
        array = np.asarray(data[item["name"]], np.float32)
        array = np.moveaxis(array, -1, 1) if item["layout"] == "channels last" else array
        rows.append(array.reshape(count, -1))
    return np.concatenate(rows, axis=1).reshape(count, *model.input_shape)


def check(case: Any, path: Path, samples: bool, fixed: set[str]) -> None:
    """Compare every output of a case, with the inputs ``fixed`` as constants; raises if it cannot be."""
    graph = case.model.graph
    inputs, outputs = case.data_sets[0]
    arrays = {item.name: np.asarray(array) for item, array in zip(graph.input, inputs, strict=True)}
    constants = {name: arrays.pop(name) for name in fixed}
    for item, wanted in zip(graph.output, outputs, strict=True):
        model = load(path, constants=constants, output=item.name, samples=samples)
        x, truth = rows_of(model, arrays, samples), np.asarray(wanted).astype(np.float64)
        meant = reference.forward(model.network, model.theta, x, states=model.states.astype(np.float64)).output
        largest = float(np.abs(truth[np.isfinite(truth)]).max(initial=1e-6))
        for found in (meant, model.outputs(x)):
            assert found.size == truth.size
            np.testing.assert_allclose(
                found.reshape(truth.shape), truth, rtol=max(case.rtol, 1e-4), atol=1e-5 * largest
            )


def passes(case: Any, path: Path) -> bool:
    """Return whether a case agrees in one of the ways in which its inputs can be samples and constants."""
    path.write_bytes(case.model.SerializeToString())
    arrays = case.data_sets[0][0]
    names = [item.name for item in case.model.graph.input]
    floats = {n for n, a in zip(names, arrays, strict=True) if np.asarray(a).dtype.kind == "f" and np.ndim(a)}
    for samples, fixed in ((True, set(names) - floats), (True, set(names[1:])), (False, set(names) - floats),
                           (False, set(names[1:]))):  # fmt: skip
        try:
            check(case, path, samples, fixed)
            return True
        except (StriateError, AssertionError, IndexError, ValueError):
            continue
    return False


def test_cases_of_all_operators(tmp_path: Path) -> None:
    failed = set()
    for case in cases():
        kind = case.model.graph.node[0].op_type
        good = passes(case, tmp_path / "case.onnx")
        seen[f"{kind} {'passed' if good else 'listed'}"] += 1
        if not good:
            failed.add(case.name)
    passed = sum(count for key, count in seen.items() if key.endswith("passed"))
    print(f"{passed} of {sum(seen.values())} cases of {len(OPERATORS.split())} operators pass")
    assert failed == {name for names in REASONS.values() for name in names.split()}
    assert passed >= 400
