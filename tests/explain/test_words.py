"""Explanations of texts: in the space of the word vectors, summed over their channels."""

import numpy as np
import pytest

from striate.data.text import Vocabulary
from striate.explain.attribution import METHODS, attribute, attribute_all
from striate.explain.tracing import trace
from striate.explain.words import behind, embedding_of, vectors, words_of
from striate.model import Model
from striate.models import lenet5, text_cnn
from striate.report.explanation import explain_page

VOCABULARY = Vocabulary(("sea", "tree", "ship", "leaf"), 6)


@pytest.fixture
def model():
    """Classifies by the first number of each word's vector: sea and ship speak for class 0."""
    network = text_cnn(2, (1, 6), entries=6, dimensions=3, channels=0)
    found = Model(network, np.zeros(network.parameter_count, np.float32), classes=("water", "wood"))
    weights = found.parameters
    weights["embedding1.weight"][:, 0] = [0, 0, 2, -2, 1, -1]
    weights["linear1.weight"][:, 0] = [1, -1]
    found.metadata["preparation"] = {"text": VOCABULARY.to_dict()}
    return found


@pytest.fixture
def sample():
    return VOCABULARY.encode(["sea tree ship bird"])[0]


def test_the_rest_of_the_network_computes_the_same_from_vectors(model, sample):
    embedding = embedding_of(model.network)
    rest = behind(model, embedding)
    assert rest.input_shape == (3, 6)
    some = vectors(model, embedding, sample.astype(np.float64))
    np.testing.assert_allclose(rest.outputs(some[None].astype(np.float32)), model.outputs(sample[None]), atol=1e-6)
    assert embedding_of(lenet5()) is None


@pytest.mark.parametrize("method", ["gradient-x-input", "integrated-gradients", "occlusion"])
def test_words_get_what_they_add_to_the_score(model, sample, method):
    found = attribute(model, sample, method, "water")
    np.testing.assert_allclose(found.map(1), np.array([2, -2, 1, 0, 0, 0]) / 6, atol=1e-6)


def test_every_method_gives_a_number_for_each_word(model, sample):
    found = attribute_all(model, sample)
    assert set(found) == set(METHODS)
    assert {item.map(1).shape for item in found.values()} == {(6,)}


def test_a_score_sees_the_places_of_words_by_their_vectors(model, sample):
    field = trace(model, sample).field("linear1", (0,))
    np.testing.assert_allclose(field.weight, np.full(6, 1 / 6))


def test_words_stand_on_the_page(model, sample):
    assert words_of(model, sample) == ["sea", "tree", "ship", "?", "", ""]
    assert '"words":["sea","tree","ship","?","",""]' in explain_page(model, sample)
    assert words_of(Model(lenet5(), np.zeros(61706, np.float32)), np.zeros((1, 32, 32))) == []
