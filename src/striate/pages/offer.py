"""The networks that a page can train: those of a list of layers, or one given by the user."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from striate.data.dataset import Dataset
from striate.errors import ShapeError
from striate.losses.choice import usual_loss
from striate.model import Model
from striate.network import Network
from striate.pages.choices import Choice, choices_for, network_of
from striate.training.ending import with_ending
from striate.training.run.build import network_or_model
from striate.training.run.config import DataConfig, ModelConfig, RunConfig
from striate.training.run.start import starting_model

PARAMETERS = "parameters"
"""The choice between the parameters of a saved model and new ones."""


@dataclass(frozen=True)
class Offer:
    """Networks to choose from.

    Parameters
    ----------
    choices : dict of str to Choice
        The lines of a list.
    networks : dict of str to Network or Model
        By the values of the choices, with commas between them; a model begins with its own parameters.
    """

    choices: Mapping[str, Choice]
    networks: Mapping[str, Network | Model]

    @property
    def is_fixed(self) -> bool:
        """Whether no layers can be chosen."""
        return set(self.choices) <= {PARAMETERS}


def usual(train: Dataset) -> Offer:
    """Return the lists of layers for a data set, with every network that fits its samples; of texts one network.

    Examples
    --------
    >>> from striate.data.digits import digits
    >>> len(usual(digits().train).networks)
    64
    """
    if train.symbols:  # the lists are of layers that read numbers
        return _of(ModelConfig(name="text_cnn", options={"entries": train.symbols}), train)
    choices, loss = choices_for(train.sample_shape, train.targets.ndim), usual_loss(train)
    assert choices is not None
    networks = dict[str, Network | Model]()
    for values in itertools.product(*(choice.values for choice in choices.values())):
        chosen = dict(zip(choices, values, strict=True))
        try:
            network = network_of(choices, chosen, train.sample_shape, loss.output_count(train))
        except ShapeError:
            continue  # a small picture is too small for so many layers
        networks[",".join(map(str, values))] = with_ending(network, train, loss)
    return Offer(choices, networks)


def own(name: str, train: Dataset) -> Offer:
    """Return the network of a name, a TOML file or a saved model, for a data set.

    A saved model can begin with its own parameters or with new ones.

    Raises
    ------
    StriateError
        If there is no such network, its file cannot be read, or it does not take such samples.
    """
    return _of(ModelConfig(name=name), train)


def _of(model: ModelConfig, train: Dataset) -> Offer:
    config = RunConfig(data=DataConfig(name=train.name), model=model)
    found = network_or_model(config, train, starting_model(model))
    if not isinstance(found, Model):
        return Offer({}, {"": found})
    parameters = Choice("parameters", {"saved": "as saved", "new": "new, random"})
    return Offer({PARAMETERS: parameters}, {"saved": found, "new": found.network})
