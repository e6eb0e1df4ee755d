from __future__ import annotations

import copy
import json
import math
import random
import struct

import numpy as np
import pytest

import striate
from striate import Model, Trainer, load
from striate.data.dataset import Dataset
from striate.data.normalisation import Normalisation
from striate.errors import DataError, ModelFileError, ShapeError, UsageError
from striate.layers import BatchNorm, Conv2d, Flatten, Linear, LogSoftmax, ReLU, Softmax
from striate.network import Sequential
from striate.reference.executor import forward
from striate.storage import container
from striate.training.initialisation import initialise
from support.files import read_container, rewrite


def network(classes: int = 4):
    return Sequential([Conv2d(3, 3), ReLU(), Flatten(), Linear(classes), Softmax()], (2, 6, 6), "tiny")


@pytest.fixture
def model() -> Model:
    net = network()
    theta, states = initialise(net, seed=1)
    return Model(net, theta, states, "wxyz", Normalisation((100.0, 120.0), (50.0, 60.0)), {"seed": 1})


@pytest.fixture
def pictures() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (70, 2, 6, 6)).astype(np.uint8)


def test_probabilities_are_those_of_the_reference(model, pictures):
    x = model.normalisation.apply(pictures, np.float64)
    expected = forward(model.network, model.theta, x).output
    np.testing.assert_allclose(model.predict_proba(pictures), expected, atol=1e-6)
    assert np.array_equal(model.predict(pictures), expected.argmax(axis=1))


def test_a_network_that_ends_in_a_softmax_or_its_logarithm_tells_classes_apart():
    x, theta = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32), np.linspace(-1, 1, 15)
    plain, logarithm = (Model(Sequential([Linear(3), end], 4), theta) for end in (Softmax(), LogSoftmax()))
    assert plain.kind == logarithm.kind == "classes"
    np.testing.assert_array_equal(logarithm.predict(x), plain.predict(x))
    np.testing.assert_allclose(logarithm.predict_proba(x), plain.predict_proba(x), rtol=1e-5)


def test_kind_and_number_of_samples_change_nothing(model, pictures):
    expected = model.predict_proba(pictures)
    assert np.array_equal(model.predict_proba(pictures, batch_size=16), expected)
    np.testing.assert_allclose(model.predict_proba(pictures.astype(float)), expected, atol=1e-6)
    strided = np.repeat(pictures, 2, axis=3)[:1, :, :, ::2]
    np.testing.assert_allclose(model.predict_proba(strided), expected[:1], atol=1e-6)
    assert model.predict_proba(pictures[:0]).shape == (0, 4)


def test_new_parameters_are_used_at_once(model, pictures):
    before = model.predict_proba(pictures)
    model.parameters["conv1.weight"][:] *= -1
    assert not np.allclose(model.predict_proba(pictures), before)


def test_arrays_are_evaluated_as_a_data_set_is(model, pictures):
    targets = np.random.default_rng(1).integers(0, 4, 70)
    expected = model.evaluate(Dataset(pictures, targets))
    for given in (targets, [model.classes[number] for number in targets]):
        found = model.evaluate(pictures, given)
        assert (found.loss, found.accuracy) == (expected.loss, expected.accuracy)
    with pytest.raises(
        UsageError, match="evaluate: needs a Dataset, or arrays of samples and targets; got ndarray"
    ):
        model.evaluate(pictures)


def test_evaluation_counts(model, pictures):
    targets = np.random.default_rng(1).integers(0, 4, 70)
    evaluation = model.evaluate(Dataset(pictures, targets, tuple("wxyz")))
    shares, predicted = model.predict_proba(pictures), model.predict(pictures)
    assert evaluation.accuracy == np.mean(predicted == targets)
    assert evaluation.loss == pytest.approx(-np.log(shares[np.arange(70), targets]).mean(), rel=1e-5)
    for true in range(4):
        for called in range(4):
            assert evaluation.confusion[true, called] == np.sum((targets == true) & (predicted == called))
    pairs = evaluation.worst_pairs(3)
    assert [count for *_, count in pairs] == sorted((count for *_, count in pairs), reverse=True)
    true, called, count = pairs[0]
    assert count == evaluation.confusion["wxyz".index(true), "wxyz".index(called)]
    assert count == (evaluation.confusion - np.diag(evaluation.confusion.diagonal())).max()
    mistakes = evaluation.mistakes()
    assert set(mistakes) == set(np.flatnonzero(predicted != targets))
    confidence = shares[mistakes].max(axis=1)
    assert np.all(np.diff(confidence) <= 0)


def test_regressions_are_evaluated_by_squared_errors():
    net = Sequential([Flatten(), Linear(2)], (3, 1, 1))
    model = Model(net, initialise(net)[0])
    x = np.random.default_rng(0).normal(size=(9, 3, 1, 1)).astype(np.float32)
    data = Dataset(x, np.zeros((9, 2), np.float32))
    evaluation = model.evaluate(data)
    assert evaluation.loss == pytest.approx((model.predict(x) ** 2).mean(), rel=1e-6)
    assert evaluation.accuracy is None
    assert evaluation.worst_pairs() == []
    assert len(evaluation.mistakes()) == 0


def test_a_hopeless_prediction_has_a_finite_loss(model, pictures):
    model.theta[:] *= 1e4
    assert math.isfinite(model.evaluate(Dataset(pictures, np.arange(70) % 4, tuple("wxyz"))).loss)


@pytest.mark.parametrize("shape", [(2, 6, 6), (1, 2, 6, 7), (1, 72)])
def test_samples_of_another_shape_are_refused(model, shape):
    with pytest.raises(ShapeError, match=r"tiny: takes samples N x 2 x 6 x 6; got"):
        model.predict(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(("shape", "advice"), [
    ((2, 6, 6), r"Give one sample as x\[None\]"),
    ((6, 6, 2), r"Put the channels first and give one sample as np.moveaxis\(x, -1, 0\)\[None\]"),
    ((9, 6, 6, 2), r"Put the channels first: np.moveaxis\(x, -1, 1\)"),
    ((9, 2, 5, 6), "Resize or reshape them"),
])  # fmt: skip
def test_says_how_samples_become_those_of_the_model(model, shape, advice):
    with pytest.raises(ShapeError, match=advice):
        model.predict(np.zeros(shape, np.uint8))


def test_vectors_of_another_length_are_refused():
    with pytest.raises(ShapeError, match=r"tiny: parameters: needs a vector of 253 numbers; got shape \[3\]"):
        Model(network(), np.zeros(3))


def test_vectors_of_another_length_replace_none(model, pictures):
    before = model.predict_proba(pictures)
    with pytest.raises(ShapeError, match=r"tiny: parameters: needs a vector of 253 numbers; got shape \[3\]"):
        model.theta = np.zeros(3)
    with pytest.raises(ShapeError, match=r"tiny: states: needs a vector of 0 numbers; got shape \[3\]"):
        model.states = np.zeros(3)
    np.testing.assert_array_equal(model.predict_proba(pictures), before)


def test_an_array_that_was_resized_in_place_replaces_none(model, pictures):
    """NumPy lets the owner of an array cut its memory away."""
    vector = np.array(model.theta)
    model.theta = vector
    model.predict(pictures)
    vector.resize(3, refcheck=False)
    with pytest.raises(ShapeError, match=r"needs vectors of 253 parameters and 0 states; got shapes \[3\]"):
        model.predict(pictures)


@pytest.mark.parametrize(
    ("theta", "rule"),
    [
        ("x", "an array of numbers; got str"),
        ([[1.0], [2.0, 3.0]], "an array of numbers; setting"),
        (["a"] * 253, "real numbers; got <U1"),
        (np.zeros(253, complex), "real numbers; got complex128"),
    ],
)
def test_parameters_that_are_no_numbers_are_refused(theta, rule):
    with pytest.raises(DataError, match=f"tiny: parameters: must be {rule}"):
        Model(network(), theta)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (("a", "b"), "needs a name for each of 4 outputs; got 2"),
        (5, "must be a list of names; got 5"),
        (range(3), "must be a list of names; got range"),
    ],
)
def test_names_of_classes_fit_the_outputs(classes, message):
    with pytest.raises(UsageError, match=f"tiny: classes: {message}"):
        Model(network(), np.zeros(network().parameter_count), classes=classes)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_samples_without_a_finite_answer_have_no_class(model, pictures, value):
    wrong = pictures.astype(float)
    wrong[2, 0, 3, 3] = value
    with pytest.raises(DataError, match="tiny: sample 2: the outputs must be finite; got NaN or infinity"):
        model.predict(wrong)


def test_samples_that_are_no_array_of_numbers_are_refused(model, pictures):
    with pytest.raises(DataError, match="tiny: samples: must have no masked values; got 1"):
        model.predict(np.ma.masked_array(pictures, np.arange(pictures.size) == 7))
    with pytest.raises(DataError, match="tiny: samples: must be an array of numbers; "):
        model.predict([[1], [2, 3]])


def test_a_batch_size_that_is_none_is_refused(model, pictures):
    with pytest.raises(UsageError, match="batch size"):
        model.predict(pictures, batch_size=0)


def test_saved_models_come_back_whole(model, pictures, tmp_path):
    path = model.save(tmp_path / "model.safetensors")
    loaded = load(path)
    assert loaded.network.describe() == model.network.describe()
    assert np.array_equal(loaded.theta, model.theta)
    assert (loaded.classes, loaded.metadata) == (model.classes, model.metadata)
    assert loaded.normalisation == model.normalisation
    assert np.array_equal(loaded.predict_proba(pictures), model.predict_proba(pictures))
    assert loaded.save(tmp_path / "again").read_bytes() == path.read_bytes()
    assert repr(loaded) == "<Model 'tiny', 253 parameters, 4 classes>"


def test_a_single_output_for_two_classes_comes_back_from_its_file(tmp_path):
    single = Model(Sequential([Flatten(), Linear(1)], (1, 2, 2)), np.ones(5), classes=("no", "yes"))
    assert load(single.save(tmp_path / "model.safetensors")).classes == ("no", "yes")
    with pytest.raises(ModelFileError, match="its classes, input or normalisation do not fit its network"):
        load(rewrite(tmp_path / "model.safetensors", lambda c, t: c.update(classes=["a", "b", "c"])))


def test_states_are_saved_too(tmp_path):
    net = Sequential([Conv2d(3, 3), BatchNorm(), Flatten(), Linear(4)], (2, 6, 6))
    theta, states = initialise(net)
    states[:] = np.arange(len(states))
    loaded = load(Model(net, theta, states).save(tmp_path / "model"))
    assert len(states) > 0
    assert np.array_equal(loaded.states, states)


def test_a_model_that_was_trained_goes_on_from_its_file(data, tmp_path):
    trainer = Trainer(network(), batch_size=16)
    trainer.fit(data, epochs=1)
    loaded = load(trainer.model.save(tmp_path / "model"))
    further = Trainer(loaded)
    further.fit(data, epochs=1)
    assert further.model.normalisation == trainer.model.normalisation
    assert loaded.metadata["epochs"] == 1


@pytest.fixture
def data(pictures) -> Dataset:
    return Dataset(pictures, np.arange(70) % 4, tuple("wxyz"), "noise")


def layer(content, kind):
    return next(item for item in content["network"]["layers"] if item["type"] == kind)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c, t: c.pop("network"), "must describe a model; a part is missing"),
        (lambda c, t: c.update(network=[]), "must describe a model; "),
        (lambda c, t: layer(c, "Conv2d").update(type="os.system"), "must be known to striate; got"),
        (
            lambda c, t: layer(c, "Linear").update(out_features=10**15),
            "a value has at most 2",
        ),
        (lambda c, t: layer(c, "Conv2d").update(out_channels=4), r"conv1.weight must be F32 \[4, 2, 3, 3\]"),
        (lambda c, t: t.pop("conv1.bias"), "it lacks the tensor 'conv1.bias'"),
        (lambda c, t: t.update(odd=np.zeros(3)), "it describes no tensor 'odd'"),
        (lambda c, t: t.update({"conv1.bias": np.zeros(3)}), r"conv1.bias must be F32 .* got F64 \[3\]"),
        (lambda c, t: c.update(classes=["a"]), "classes, input or normalisation do not fit"),
        (lambda c, t: c.update(classes=True), "classes, input or normalisation do not fit"),
        (lambda c, t: c.update(classes=4), "classes, input or normalisation do not fit"),
        (lambda c, t: c.update(classes=[1, 2, 3, 4]), "classes, input or normalisation do not fit"),
        (lambda c, t: c.update(input_shape=[2, 6, 7]), "classes, input or normalisation do not fit"),
        (lambda c, t: c.update(normalisation={"mean": [1], "scale": [1]}), "do not fit its network"),
        (lambda c, t: c.update(normalisation={"mean": "x"}), "must describe a model; normalisation: needs lists"),
        (lambda c, t: c.update(metadata=3), "do not fit its network"),
        (
            lambda c, t: c["metadata"].update(loss_function=5),
            "metadata is damaged; a value is of the wrong",
        ),
        (lambda c, t: c["metadata"].update(loss_function=[["a"]]), "its metadata is damaged"),
        (
            lambda c, t: c["metadata"].update(loss_function={"name": "odd"}),
            "was trained with the loss",
        ),
        (lambda c, t: c["metadata"].update(targets="colours"), "metadata is damaged; targets must be classes"),
        (lambda c, t: c["metadata"].update(preparation=7), "damaged; preparation: must be an object of fit, lab"),
        (lambda c, t: c["metadata"].update(preparation={"size": 3}), "preparation: must be an object of fit, lab"),
        (
            lambda c, t: c["metadata"].update(preparation={"fit": []}),
            r"preparation: fit must be one of .*; got",
        ),
        (lambda c, t: c["metadata"].update(preparation={"rate": 10**9}), "rate must be a whole number of hertz"),
        (lambda c, t: c["metadata"].update(preparation={"labels": [3]}), "labels must be names of columns; got"),
        (lambda c, t: c["metadata"].update(preparation={"table": 3}), "the record of its columns is damaged"),
        (
            lambda c, t: t["conv1.bias"].fill(np.nan),
            "must be finite; conv1.bias are not. Use an",
        ),
        (
            lambda c, t: t["conv1.bias"].fill(np.inf),
            "must be finite; conv1.bias are not. Use an",
        ),
    ],
)
def test_descriptions_that_disagree_are_refused(model, tmp_path, change, message):
    path = rewrite(model.save(tmp_path / "model.safetensors"), change)
    with pytest.raises(ModelFileError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_metadata_of_version_0_1_is_read(model, tmp_path):
    model.metadata = {"epochs": 3}
    path = rewrite(model.save(tmp_path / "model.safetensors"), lambda c, t: c.update(facts=c.pop("metadata")))
    assert load(path).metadata == {"epochs": 3}


ODD = [
    None, True, 0, -1, 2, 10**9, 10**30, 0.5, float("nan"), float("inf"), 1e308, "", "same", "0" * 5000, [], [1, 2],
    [[1, 2], [3]], {}, {"a": 1}, ["input", "input"], "InputLayer", "Conv2d", "Linear", "__import__('os')",
]  # fmt: skip


def places(item, path=()):
    """Return the way to everything in a description."""
    below = item.items() if isinstance(item, dict) else enumerate(item) if isinstance(item, list) else ()
    return [path, *(found for key, value in below for found in places(value, (*path, key)))]


def spoilt(content, rng):
    """Return a copy with one thing replaced, left out or doubled."""
    content = copy.deepcopy(content)
    *way, last = rng.choice([path for path in places(content) if path])
    holder = content
    for key in way:
        holder = holder[key]
    how = rng.random()
    if how < 0.2:
        del holder[last]
    elif how < 0.3 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[last]))
    else:
        holder[last] = rng.choice(ODD)
    return content


def test_whatever_a_description_says_it_is_one_line_or_a_model(model, tmp_path):
    path = model.save(tmp_path / "model.safetensors")
    content, tensors = read_container(path)
    refusals = []
    for seed in range(600):
        container.write(path, spoilt(content, random.Random(seed)), tensors)
        try:
            load(path)
        except ModelFileError as error:
            refusals.append(str(error))
    assert len(refusals) > 300
    assert not [line for line in refusals if "\n" in line or len(line) > 700]


def test_a_huge_description_allocates_nothing(model, tmp_path, monkeypatch):
    path = rewrite(model.save(tmp_path / "m"), lambda c, t: layer(c, "Linear").update(out_features=10**15))
    monkeypatch.setattr(np, "empty", lambda *_: pytest.fail("allocated"))
    with pytest.raises(ModelFileError):
        load(path)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(ModelFileError, match=r"none.safetensors: cannot be read \(No such file or directory\)"):
        load(tmp_path / "none.safetensors")


def test_the_header_holds_the_shapes_that_others_expect(model, tmp_path):
    data = model.save(tmp_path / "m").read_bytes()
    header = json.loads(data[8 : 8 + struct.unpack("<Q", data[:8])[0]])
    assert header["linear1.weight"]["shape"] == [4, 48]


def test_names_of_the_package_are_imported_when_asked_for():
    assert "Trainer" in dir(striate)
    with pytest.raises(AttributeError, match="module 'striate' has no attribute 'nothing'"):
        striate.nothing  # noqa: B018


def test_classes_without_names_are_numbered(pictures):
    network = Sequential([Flatten(), Linear(3)], (2, 6, 6))
    theta = np.zeros(network.parameter_count)
    assert Model(network, theta, metadata={"targets": "classes"}).output_names == ("0", "1", "2")
    assert Model(network, theta, metadata={"targets": "labels"}).output_names == ("label 1", "label 2", "label 3")
    assert Model(network, theta).output_names == ("target 1", "target 2", "target 3")
    assert Model(network, theta, classes=("a", "b", "c")).output_names == ("a", "b", "c")


def test_numbers_have_no_probabilities(pictures):
    network = Sequential([Flatten(), Linear(3)], pictures.shape[1:])
    with pytest.raises(UsageError, match=r"probabilities: need a model of classes or labels; got a regression"):
        Model(network, np.zeros(network.parameter_count)).predict_proba(pictures)


def test_metrics_of_ones_own():
    network = Sequential([Flatten(), Linear(1)], (2, 1, 1))
    model = Model(network, np.array([1.0, 1.0, 0.0]), target_normalisation=Normalisation((10.0,), (2.0,)))
    data = Dataset(np.ones((3, 2, 1, 1), np.float32), np.array([[14.0], [13.0], [17.0]], np.float32))
    found = model.evaluate(data, metrics={"bias": lambda outputs, targets: (outputs - targets).mean()})
    assert found.metrics == {"bias": pytest.approx(-2 / 3)}
    for metric, got in ((lambda o, t: o - t, r"an array of shape \[3, 1\]"), (lambda o, t: "good", "'good'")):
        with pytest.raises(UsageError, match=f"metrics: 'mine' must return a number; got {got}"):
            model.evaluate(data, metrics={"mine": metric})
    with pytest.raises(UsageError, match=r"metrics: must be functions by name, .* got list"):
        model.evaluate(data, metrics=["f1"])
