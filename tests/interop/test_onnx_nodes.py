"""The ONNX project's own cases for single operators, in the reference and in the engine.

A case passes if every output of its node agrees. Its first axis counts samples if possible; otherwise the whole
input is one sample. What does not pass stands in ``REASONS``, and nothing else does.
"""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from .onnx_cases import Case, passes

pytest.importorskip("onnx")

OPERATORS = """
    Conv ConvTranspose Gemm MatMul BatchNormalization InstanceNormalization LayerNormalization
    GroupNormalization LRN MaxPool AveragePool LpPool GlobalAveragePool GlobalMaxPool MaxUnpool Relu LeakyRelu
    PRelu Elu Selu Celu Gelu Mish Clip Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign Softmax LogSoftmax
    Add Sub Mul Div Sum Max Min Mean Pow Sqrt Exp Log Abs Neg Concat Split Slice Pad Resize Upsample
    DepthToSpace SpaceToDepth Reshape Flatten Transpose Squeeze Unsqueeze Expand ReduceMean ReduceSum ReduceMax
    ReduceMin Dropout Identity
    Erf Gather Col2Im RMSNormalization Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor Where Sign
    ThresholdedRelu Reciprocal GlobalLpPool ReduceL1 ReduceL2 ReduceSumSquare ReduceLogSum ReduceLogSumExp
    ArgMax ArgMin GridSample
    RNN LSTM GRU GatherElements ScatterElements GatherND ScatterND Round Floor Ceil Binarizer
    Einsum OneHot CumSum Trilu Mod Sin Cos Tan
    QuantizeLinear DequantizeLinear QLinearConv QLinearMatMul ConvInteger MatMulInteger DynamicQuantizeLinear
"""
REASONS = {
    "values of a network are float32; these are whole numbers that start again at 0": """
        test_sub_uint8 test_sub_uint16 test_sub_uint32 test_sub_uint64""",
    "divisors of 0": """
        test_mod_float_edge_cases_fmod_0_float16 test_mod_float_edge_cases_fmod_0_float32
        test_mod_float_edge_cases_fmod_0_float64""",
    "an axis is named once for each operand": """
        test_einsum_batch_diagonal""",
    "a model has an input with numbers in it, and samples along an axis of it": """
        test_einsum_scalar test_triu_zero test_tril_zero""",
    "a Model computes what a network computes after training; this is training mode": """
        test_batchnorm_example_training_mode test_batchnorm_epsilon_training_mode test_training_dropout_default
        test_training_dropout_default_mask test_training_dropout test_training_dropout_mask""",
    "a layer has at least one output; these are arrays without values": """
        test_reduce_max_empty_set test_reduce_max_empty_set_bool test_reduce_min_empty_set
        test_reduce_sum_empty_set test_reduce_sum_empty_set_non_reduced_axis_zero test_reduce_l1_empty_set
        test_reduce_l2_empty_set test_reduce_sum_square_empty_set test_reduce_log_sum_empty_set
        test_reduce_log_sum_exp_empty_set
        test_reshape_allowzero_reordered test_slice_start_out_of_bounds test_split_zero_size_splits_opset13
        test_split_zero_size_splits_opset18""",
    "indices must choose, not add up: what is put at one place twice has no layer": """
        test_scatter_elements_with_duplicate_indices test_scatter_elements_with_reduction_mul
        test_scatter_elements_with_reduction_max test_scatter_elements_with_reduction_min test_scatternd_add
        test_scatternd_multiply test_scatternd_max test_scatternd_min test_scatternd_max_with_element_indices
        test_scatternd_min_with_element_indices""",
    "numbers of 2 and 4 bits or 8-bit floats, and scales of blocks for what is no constant": """
        test_dequantizelinear_e4m3fn test_dequantizelinear_e4m3fn_float16 test_dequantizelinear_e4m3fn_zero_point
        test_dequantizelinear_e5m2 test_dequantizelinear_uint4 test_dequantizelinear_int4
        test_dequantizelinear_uint2 test_dequantizelinear_int2 test_dequantizelinear_float4e2m1
        test_dequantizelinear_blocked test_quantizelinear_e4m3fn test_quantizelinear_e5m2
        test_quantizelinear_uint4 test_quantizelinear_int4 test_quantizelinear_uint2 test_quantizelinear_int2
        test_quantizelinear_float4e2m1 test_quantizelinear_blocked_asymmetric
        test_quantizelinear_blocked_symmetric""",
    "a matrix of weights for each of several matrices of a sample": """
        test_qlinearmatmul_3D_uint8_float32 test_qlinearmatmul_3D_uint8_float16
        test_qlinearmatmul_3D_int8_float32 test_qlinearmatmul_3D_int8_float16""",
    "x / scale is rounded twice where the scale is one of the sample, so halves may go the other way": """
        test_dynamicquantizelinear""",
    "a value is an array of numbers; this is a sequence, optional, or text": """
        test_identity_sequence test_identity_opt test_equal_string test_equal_string_broadcast""",
}
seen: Counter[str] = Counter()


def cases() -> list[Any]:
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = collect_testcases(None)
    return [c for c in found if len(c.model.graph.node) == 1 and c.model.graph.node[0].op_type in OPERATORS.split()]


def as_case(case: Any, path: Path) -> Case:
    """Write the graph of a case of the wheel."""
    path.write_bytes(case.model.SerializeToString())
    inputs, outputs = case.data_sets[0]
    graph = case.model.graph
    return Case(
        path,
        {item.name: array for item, array in zip(graph.input, inputs, strict=True)},
        {item.name: array for item, array in zip(graph.output, outputs, strict=True)},
        case.rtol,
    )


def test_cases_of_all_operators(tmp_path: Path) -> None:
    failed = set()
    for case in cases():
        kind = case.model.graph.node[0].op_type
        good = passes(as_case(case, tmp_path / "case.onnx"))
        seen[f"{kind} {'passed' if good else 'listed'}"] += 1
        if not good:
            failed.add(case.name)
    passed = sum(count for key, count in seen.items() if key.endswith("passed"))
    print(f"{passed} of {sum(seen.values())} cases of {len(OPERATORS.split())} operators pass")
    assert failed == {name for names in REASONS.values() for name in names.split()}
    assert passed >= 727
