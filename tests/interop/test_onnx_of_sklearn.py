"""Scalers, linear models and networks that skl2onnx exports, against scikit-learn and ONNX Runtime."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.errors import ModelFileError
from striate.interop import onnx
from striate.interop.onnx.messages import Tensor
from support.onnx_graphs import message, node, read, value

skl2onnx: Any = pytest.importorskip("skl2onnx")
runtime: Any = pytest.importorskip("onnxruntime")
from sklearn.ensemble import RandomForestClassifier  # noqa: E402
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, Normalizer, StandardScaler  # noqa: E402

random = np.random.default_rng(3)
ROWS = (random.normal(size=(60, 5)) * [1, 20, 0.1, 3, 1] + [0, 5, 1, -2, 0]).astype(np.float32)
NUMBERS = (ROWS[:, 0] + ROWS[:, 3] > -2).astype(int) + (ROWS[:, 1] > 10)
NAMES = np.array(["oak", "beech", "lime"])[NUMBERS]
TYPES = {"": 17, "ai.onnx.ml": 3}


def network(**options: Any) -> Any:
    return MLPClassifier((7,), max_iter=20, random_state=0, **options)


def exported(estimator: Any, targets: np.ndarray, path: Path, zipmap: bool = True) -> Any:
    """Fit, write the file and return the estimator."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it has not converged
        estimator.fit(ROWS, targets)
    options = {} if zipmap else {"options": {id(estimator): {"zipmap": False}}}
    path.write_bytes(skl2onnx.to_onnx(estimator, ROWS[:1], target_opset=TYPES, **options).SerializeToString())
    return estimator


CLASSIFIERS = {
    "network": network,
    "two classes": lambda: network(activation="logistic"),
    "scaled": lambda: make_pipeline(StandardScaler(), network(activation="tanh")),
    "clipped": lambda: make_pipeline(MinMaxScaler(clip=True), network()),
    "largest": lambda: make_pipeline(MaxAbsScaler(), network()),
    "rows of length 1": lambda: make_pipeline(Normalizer(), network()),
    "rows of sum 1": lambda: make_pipeline(Normalizer("l1"), network()),
    "linear": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
}


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_give_probabilities_and_names(name: str, zipmap: bool, tmp_path: Path) -> None:
    targets = (NAMES == "oak").astype(int) if name == "two classes" else NAMES
    estimator = exported(CLASSIFIERS[name](), targets, tmp_path / "model.onnx", zipmap)
    model = onnx.load(tmp_path / "model.onnx")
    x = np.concatenate([ROWS, np.zeros((1, 5), np.float32)])
    np.testing.assert_allclose(model.outputs(x), estimator.predict_proba(x), atol=2e-6)
    assert model.classes == tuple(str(label) for label in estimator.classes_)


@pytest.mark.parametrize(
    "estimator",
    [
        LinearRegression(),
        make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=(6,), max_iter=20, random_state=0)),
    ],
    ids=["linear", "scaled"],
)
def test_regressors_agree_with_onnx_runtime(estimator: Any, tmp_path: Path) -> None:
    exported(estimator, ROWS[:, 0] * 3 - ROWS[:, 2], tmp_path / "model.onnx")
    session = runtime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    wanted = session.run(None, {"X": ROWS})[0]
    found = onnx.load(tmp_path / "model.onnx").outputs(ROWS)
    np.testing.assert_allclose(found, wanted, atol=1e-5 * np.abs(wanted).max())


def test_several_targets_are_numbers_of_one_sample(tmp_path: Path) -> None:
    """The file itself gives them below each other, for all samples."""
    targets = np.stack([ROWS[:, 0], 2 * ROWS[:, 2] - 1, ROWS.sum(axis=1)], axis=1)
    estimator = MLPRegressor(hidden_layer_sizes=(6,), max_iter=20, random_state=0)
    exported(estimator, targets, tmp_path / "m.onnx")
    model = onnx.load(tmp_path / "m.onnx")
    assert model.network.output_shape == (3,)
    np.testing.assert_allclose(model.outputs(ROWS), estimator.predict(ROWS), rtol=1e-4, atol=1e-4)


def test_several_labels_for_a_sample(tmp_path: Path) -> None:
    targets = np.stack([NUMBERS > 0, NUMBERS > 1], axis=1).astype(int)
    estimator = exported(network(), targets, tmp_path / "model.onnx", zipmap=False)
    found = onnx.load(tmp_path / "model.onnx").outputs(ROWS)
    likely = estimator.predict_proba(ROWS)
    np.testing.assert_allclose(found, np.concatenate([1 - likely, likely], axis=1), atol=2e-6)


def test_binarised_features(tmp_path: Path) -> None:
    from sklearn.preprocessing import Binarizer

    estimator = exported(make_pipeline(Binarizer(threshold=0.5), LinearRegression()), NUMBERS, tmp_path / "m.onnx")
    np.testing.assert_allclose(
        onnx.load(tmp_path / "m.onnx").outputs(ROWS)[:, 0], estimator.predict(ROWS), atol=1e-5
    )


def test_trees_are_no_networks(tmp_path: Path) -> None:
    exported(RandomForestClassifier(2, random_state=0), NAMES, tmp_path / "model.onnx")
    with pytest.raises(ModelFileError, match="TreeEnsembleClassifier 'TreeEnsembleClassifier': there is no such"):
        onnx.load(tmp_path / "model.onnx")


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ({"coefficients": [1.0] * 5, "classlabels_ints": [0, 1]}, "one row of coefficients for each class"),
        (
            {"coefficients": [1.0] * 10, "classlabels_ints": [0, 1], "post_transform": "PROBIT"},
            "the transformation 'PROBIT' of its scores is not supported",
        ),
    ],
)
def test_linear_classifiers_of_another_form(attributes: dict[str, Any], problem: str, tmp_path: Path) -> None:
    graph = message([node("LinearClassifier", "x", "label scores", **attributes)], "n", 5)
    graph.graph.node[0].output = ["label", "scores"]
    with pytest.raises(ModelFileError, match=problem):
        read(tmp_path / "model.onnx", graph, output="scores")


def test_text_is_no_number(tmp_path: Path) -> None:
    text = Tensor(dims=[1, 5], data_type=8, string_data=[b"a"] * 5, name="text")
    graph = message([node("Add", "text text", "sum"), node("Add", "x sum", "y")], "n", 5)
    graph.graph.initializer.append(text)
    with pytest.raises(ModelFileError, match="Add 'the_sum': it computes with text"):
        read(tmp_path / "model.onnx", graph)


def test_a_label_that_is_made_of_nothing(tmp_path: Path) -> None:
    graph = message([node("Relu", "x", "y"), node("Identity", "", "label")], "n", 5)
    graph.graph.output.insert(0, value("label"))
    assert read(tmp_path / "model.onnx", graph, output="y").classes == ()
    with pytest.raises(ModelFileError, match="Identity 'the_label': "):
        read(tmp_path / "model.onnx", graph)
