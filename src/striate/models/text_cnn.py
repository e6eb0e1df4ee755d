"""A network for texts."""

from __future__ import annotations

from collections.abc import Sequence

from striate.layers import (
    Concatenate,
    Conv1d,
    Dropout,
    Embedding,
    GlobalAvgPool,
    GlobalMaxPool,
    Input,
    Linear,
    ReLU,
    Softmax,
)
from striate.models.arguments import class_count, grid_shape, share_dropped
from striate.network import Network


def text_cnn(
    classes: int = 2,
    input_shape: int | Sequence[int] = (1, 200),
    *,
    entries: int = 20_000,
    dimensions: int = 64,
    channels: int = 16,
    dropout: float = 0.5,
) -> Network:
    """Return a network that reads words: their vectors' mean beside the strongest responses to three in a row.

    The mean of the vectors is what fastText classifies by, and learns from few texts; the convolution adds phrases.

    Parameters
    ----------
    classes : int
    input_shape : (1, length)
        A row of symbols.
    entries : int
        How many symbols there are.
    dimensions : int
        Of the vector of a word.
    channels : int
        Of the convolution; 0 for none, which suits few texts.
    dropout : float
        Of the vectors. Few channels and much dropout keep the convolution from learning single texts by heart.

    References
    ----------
    Kim (2014), "Convolutional neural networks for sentence classification"; Joulin, Grave, Bojanowski and Mikolov
    (2017), "Bag of tricks for efficient text classification".

    Examples
    --------
    >>> text_cnn(classes=4, input_shape=(1, 50), entries=100).output_shape
    (4,)
    """
    shape = grid_shape("text_cnn", input_shape, least=1, rank=1)
    vectors = Dropout(share_dropped(dropout))(Embedding(entries, dimensions)(Input(shape)))
    found = GlobalAvgPool()(vectors)
    if channels:
        phrases = GlobalMaxPool()(ReLU()(Conv1d(channels, 3, padding="same")(vectors)))
        found = Dropout(0.2)(Concatenate()(found, phrases))
    return Network(Softmax()(Linear(class_count("text_cnn", classes))(found)), "text_cnn")
