"""Summaries: the numbers a textbook prints, and the table they are printed in."""

from __future__ import annotations

import json
import re

import pytest

from striate.errors import UsageError
from striate.layers import BatchNorm, Conv2d, Linear, MaxPool2d, ReLU
from striate.models import digit_recogniser, lenet5, mlp
from striate.network import Sequential
from striate.summary import format_bytes, summarize


def parameters(summary_rows: object) -> list[int]:
    return [row.parameters for row in summary_rows if row.parameters]  # type: ignore[attr-defined]


def cells(line: str) -> list[str]:
    return re.split(r"  +", line)


def test_lenet_numbers() -> None:
    summary = summarize(lenet5(input_shape=(1, 32, 32), bias=False))
    assert parameters(summary.rows) == [150, 2400, 48120, 10164, 850]
    rows = {row.layer: row for row in summary.rows}
    names = ("input", "conv1", "pool1", "conv2", "pool2")
    assert [rows[name].output_shape[1] for name in names] == [32, 28, 14, 10, 5]
    assert [rows[name].receptive_field for name in names] == [(n, n) for n in (1, 5, 6, 14, 16)]
    assert rows["linear1"].receptive_field == (32, 32)
    assert rows["conv1"].multiply_adds == 28 * 28 * 6 * 25
    assert rows["conv2"].multiply_adds == 10 * 10 * 16 * 6 * 25
    assert rows["linear1"].multiply_adds == 48000
    assert rows["conv1"].activation_bytes == 4 * 6 * 28 * 28
    assert summary.parameters == 61684
    assert summary.multiply_adds == sum(row.multiply_adds for row in summary.rows)


def test_dense_network_numbers() -> None:
    summary = summarize(mlp(10, 784))
    assert summary.parameters == 89610
    assert [row.receptive_field for row in summary.rows][:3] == [(1,), (784,), (784,)]


def test_digit_recogniser_numbers() -> None:
    assert parameters(summarize(digit_recogniser(hidden=(256, 100))).rows)[:4] == [208, 1168, 200960, 25700]


def test_table_has_one_line_per_layer_and_the_totals() -> None:
    lines = str(summarize(lenet5())).splitlines()
    assert lines[0] == "lenet5: 61,706 parameters (246.8 kB)"
    header = ["layer", "type", "output shape", "parameters", "multiply-adds", "receptive field", "activations"]
    assert cells(lines[1]) == header
    assert len(lines) == 1 + 1 + 1 + 14 + 1 + 1
    assert cells(lines[4]) == ["conv1", "Conv2d", "6 x 28 x 28", "156", "117,600", "5 x 5", "18.8 kB"]
    assert lines[-1].startswith("total")
    assert len({len(line) for line in lines[1:]}) == 1


def test_numbers_that_are_not_trained_are_counted() -> None:
    network = Sequential([Conv2d(4, 3, name="first"), BatchNorm(), ReLU(), Conv2d(2, 3)], (1, 8, 8))
    found = summarize(network, freeze=["first"])
    assert (found.parameters, found.trainable, found.states, found.non_trainable) == (122, 82, 8, 48)
    assert str(found).endswith("\ntrainable 82, non-trainable 48 (40 frozen and 8 running statistics)")
    assert str(summarize(network)).endswith("\ntrainable 122, non-trainable 8 (8 running statistics)")
    assert found.to_dict()["non_trainable"] == 48
    with pytest.raises(UsageError, match="a pattern must match a parameter; got 'second'"):
        summarize(network, freeze=["second"])


def test_dictionary_is_json() -> None:
    data = json.loads(json.dumps(summarize(lenet5()).to_dict()))
    assert data["parameters"] == 61706
    assert data["layers"][1]["output_shape"] == [6, 28, 28]
    assert data["parameter_bytes"] == 4 * 61706


def test_summary_of_unpadded_chain() -> None:
    network = Sequential(
        [Conv2d(2, 3, stride=2), ReLU(), MaxPool2d(3, stride=1), Conv2d(2, 3, dilation=2)], (3, 40, 40)
    )
    assert [row.receptive_field[0] for row in summarize(network).rows] == [1, 3, 3, 7, 15]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (999, "999 B"), (2_500_000_000, "2.5 GB"), (10**13, "10000.0 GB")]
)
def test_bytes_for_people(count: int, text: str) -> None:
    assert format_bytes(count) == text


def test_receptive_field_of_a_row_of_features() -> None:
    assert summarize(Sequential([Linear(3)], 5)).rows[-1].receptive_field == (5,)
