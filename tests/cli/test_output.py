"""Text and JSON for results."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from typer.main import get_command

from striate.cli.app import app
from striate.cli.output import Output, confusion_lines, evaluation_text
from striate.model.evaluation import Evaluation
from striate.wording import duration, percent


def _evaluation(confusion, classes):
    targets = np.repeat(np.arange(len(classes)), np.sum(confusion, axis=1))
    right = np.trace(confusion) / np.sum(confusion)
    return Evaluation(0.25, float(right), classes, np.array(confusion), None, targets, None)


def _without_json(command, path=()):
    for name, below in getattr(command, "commands", {}).items():
        yield from _without_json(below, (*path, name))
    if path and not hasattr(command, "commands") and all("--json" not in part.opts for part in command.params):
        yield " ".join(path)


def test_every_command_prints_json_but_those_that_run_until_they_are_stopped():
    assert set(_without_json(get_command(app))) == {"launch", "serve"}


def test_confusion_matrix_lines_up():
    lines = confusion_lines(np.array([[1200, 0], [3, 5]]), ["a", "b"])
    assert lines == ["         a  b", "  a  1,200  .", "  b      3  5"]


def test_long_class_names_are_cut():
    lines = confusion_lines(np.eye(2, dtype=int), ["short", "a very long name"])
    assert len({len(line) for line in lines}) == 1
    assert "a very long…" in lines[0]


def test_evaluation_in_words():
    text = evaluation_text(_evaluation([[8, 2], [1, 9]], ("cat", "dog")), "test")
    assert text.startswith("test accuracy 85.00 % (17 of 20), loss 0.2500")
    assert "  cat taken for dog: 2\n  dog taken for cat: 1" in text
    assert "confusion matrix" in text


def test_a_rare_class_that_is_never_predicted_is_named():
    said = "never predicted: dog (class weights"
    assert said in evaluation_text(_evaluation([[20, 0], [3, 0]], ("cat", "dog")), "test")
    assert said not in evaluation_text(_evaluation([[19, 1], [3, 0]], ("cat", "dog")), "test")
    assert said not in evaluation_text(_evaluation([[4, 0], [3, 0]], ("cat", "dog")), "test")


def test_large_confusion_matrices_are_left_out():
    text = evaluation_text(_evaluation(np.eye(30, dtype=int), tuple(map(str, range(30)))), "test")
    assert "confusion matrix" not in text


def test_figures_of_a_regression():
    outputs, targets = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [2.0], [3.0]])
    result = Evaluation(0.5, None, (), None, outputs, targets, np.zeros(3), "huber")
    assert evaluation_text(result, "test") == (
        "test R2 0.5000, mean absolute error 0.3333, root mean squared error 0.5774; loss 0.5 (huber)"
    )
    result = dataclasses.replace(result, variances=np.array([[1.0], [1.0], [0.1]]))
    assert "66.67 % within 1.96 standard deviations" in evaluation_text(result, "test")


def test_figures_of_several_targets():
    outputs, targets = np.array([[1.0, 10.0], [2.0, 30.0]]), np.array([[1.0, 10.0], [2.0, 20.0]])
    result = Evaluation(0.5, None, (), None, outputs, targets, np.zeros(2), "huber", target_names=("age", "size"))
    lines = evaluation_text(result, "test").splitlines()
    assert [line.split() for line in lines[-2:]] == [
        ["age", "1.0000", "0", "0"],
        ["size", "-1.0000", "5", "7.071"],
    ]


def test_figures_of_labels():
    result = Evaluation(
        0.5, 0.75, (), None, np.zeros((2, 2)), np.zeros((2, 2)), np.zeros(2), "binary_cross_entropy"
    )
    assert evaluation_text(result, "test") == (
        "test accuracy of labels 75.00 %, all labels right 100.00 %, macro F1 0.0000, loss 0.5000"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.0 s"), (59.94, "59.9 s"), (60, "1 min 0 s"), (3661, "1 h 1 min")]
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_percent_does_not_round_up_to_all():
    assert percent(1.0) == "100.00 %"
    assert percent(0.5) == "50.00 %"


def test_json_has_no_nan(capsys):
    Output(as_json=True).result({"a": float("nan"), "b": [1.5, float("inf")], "c": "é"})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [1.5, None], "c": "é"}


def test_text_is_not_taken_for_markup(capsys):
    Output().line("[bold]file[/bold].png")
    assert capsys.readouterr().out == "[bold]file[/bold].png\n"


def test_without_json_results_are_not_printed(capsys):
    Output().result({"a": 1})
    assert capsys.readouterr().out == ""


def test_a_row_number_is_no_emoji(capsys):
    Output().line("table.csv:100: 7")
    assert capsys.readouterr().out == "table.csv:100: 7\n"


def test_a_class_that_does_not_occur_has_no_scores():
    lines = evaluation_text(_evaluation([[3, 0, 0], [0, 1, 0], [0, 0, 0]], ("ant", "bee", "cow")), "").splitlines()
    assert lines[1] == "balanced accuracy 100.00 %, macro F1 1.0000"
    assert next(line for line in lines if "cow" in line).split() == ["cow", "-", "-", "-", "0"]
