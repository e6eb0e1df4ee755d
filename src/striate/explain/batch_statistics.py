"""The running statistics that a network would have after training with other parameters."""

from __future__ import annotations

import numpy as np

from striate.data.dataset import Dataset
from striate.engine.memory import samples_at_once
from striate.model import Model


class BatchStatistics:
    """Computes the running statistics of batch normalisation for any parameters, from a batch of samples.

    Parameters
    ----------
    model : Model
        A model with running statistics.
    dataset : Dataset
        The batch: its first samples, as many as a plan for training takes.
    """

    def __init__(self, model: Model, dataset: Dataset) -> None:
        from striate.engine.training_session import TrainingSession

        network, count = model.network, min(len(dataset), samples_at_once(model.network))
        self._batch = dataset.take(np.arange(count))
        *below, _ = [step.name for step in network.steps if step.parameters]
        self._session = TrainingSession(
            network,
            batch_size=count,
            loss=model.loss_for(dataset.targets),
            optimizer="gradient_descent",
            dtype=dataset.inputs.dtype,
            frozen=below,  # gradients are not needed
            threads=model.threads,
        )
        if (units := model.normalisation) is not None:
            self._session.normalise(np.asarray(units.mean), np.asarray(units.scale))
        self._nothing = np.zeros(network.state_count, np.float32)
        self._momentum = np.ones(network.state_count)
        for step in network.steps:
            for slot in step.states:
                slot.view(self._momentum)[...] = getattr(step.layer, "momentum", 1.0)

    def at(self, theta: np.ndarray) -> np.ndarray:
        """Return the statistics with the parameters ``theta``, float32[state_count]."""
        self._session.load(theta, self._nothing)
        batch, count = self._batch, len(self._batch)
        self._session.step(batch.inputs, np.arange(count), batch.targets, (), update=False)
        states = self._session.vectors.states[: len(self._nothing)]
        return (states / self._momentum).astype(np.float32)
