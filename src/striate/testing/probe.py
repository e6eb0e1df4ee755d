"""One operation inside a network in which every number that it makes can be read from outside.

The input of the network is one-hot, sample n has a 1 at place n, and a dense layer without bias turns it into
the input of the operation: that input is then the column of the dense layer's weight, exactly, and the
gradient of that column is the gradient of the input of sample n, exactly, because all other terms of the sum
are 0. So outputs, gradients of all inputs and gradients of all parameters are seen through the front door,
for any number of samples, shards and threads.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from striate.engine.inference_session import InferenceSession
from striate.engine.team import Team
from striate.engine.training_session import TrainingSession
from striate.layers import Input
from striate.network import Network
from striate.testing.bounds import Result
from striate.testing.experiments import LAYOUTS, READOUT, Experiment, network_of, rows_of


class Fast:
    """The engine's run of an experiment."""

    def __init__(self, experiment: Experiment, threads: int = 1) -> None:
        self.experiment = experiment
        self.network = network_of(experiment)
        self.session = TrainingSession(
            self.network,
            batch_size=experiment.setting.batch,
            loss="mean_squared_error",
            optimizer="gradient_descent",
            dtype=np.dtype(np.float32),
            threads=threads,
            lanes=experiment.setting.lanes,
            winograd=experiment.setting.winograd,
        )
        views = self.network.views(self.session.vectors.theta)
        for i, x in enumerate(experiment.values.inputs):
            if f"source{i}.weight" in views:
                views[f"source{i}.weight"][:] = rows_of(x).T
        for name, parameter in experiment.values.parameters.items():
            views[f"probe.{name}"][:] = parameter
        if experiment.readout is not None:
            views["readout.weight"][:] = experiment.readout

    def samples(self) -> np.ndarray:
        """Return what the network reads: one-hot rows, or the numbers of entries."""
        experiment = self.experiment
        indices = experiment.operation.indices
        samples = experiment.values.inputs[0] if indices else np.eye(experiment.setting.batch)
        return LAYOUTS[experiment.setting.layout](samples.astype(np.float32))

    def run(self, count: int | None = None, threads: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the losses of (the first ``count``) samples, and the gradient of all parameters."""
        experiment, session = self.experiment, self.session
        n = experiment.setting.batch if count is None else count
        if threads:
            session.team = Team(session.bound, threads)
        states = [s.ravel() for s in experiment.values.context.states.values()]
        session.vectors.states[: sum(map(len, states))] = np.concatenate([np.zeros(0), *states])
        weight = READOUT / 2 if experiment.readout is not None else experiment.targets.shape[1] / 2
        losses, _ = session.step(
            self.samples(),
            np.arange(n),
            experiment.targets[:n],
            (0.0,),
            np.full(n, weight, np.float32),
            seed=experiment.setting.seed,
            number=7,
        )
        session.team.rest()
        return losses.copy(), session.vectors.gradient[: self.network.parameter_count].copy()

    def result(self, gradient: np.ndarray) -> Result:
        """Return the gradients of inputs and parameters in the shapes of the operation (no output)."""
        views = self.network.views(gradient)
        values = self.experiment.values
        inputs = tuple(
            views[f"source{i}.weight"].T.reshape(x.shape) if f"source{i}.weight" in views else np.zeros_like(x)
            for i, x in enumerate(values.inputs)
        )
        return Result(np.zeros(0), inputs, {name: views[f"probe.{name}"] for name in values.parameters})


def infer(
    experiment: Experiment, threads: int = 1, direct: bool = False, kind: Any = InferenceSession
) -> np.ndarray:
    """Return the outputs of the forward pass; ``direct`` puts the operation at the network's input."""
    case, setting = experiment.case, experiment.setting
    if direct or experiment.operation.indices:
        (shape,) = case.shapes
        network = Network(dataclasses.replace(case.layer, name="probe")(Input(shape)))
        samples = experiment.values.inputs[0].astype(np.float32)
    else:
        network = network_of(dataclasses.replace(experiment, readout=None))
        samples = np.eye(setting.batch, dtype=np.float32)
    session = kind(
        network,
        batch_size=setting.batch,
        dtype=np.dtype(np.float32),
        threads=threads,
        lanes=setting.lanes,
        winograd=setting.winograd,
    )
    views = network.views(session.vectors.theta)
    for i, x in enumerate(experiment.values.inputs):
        if f"source{i}.weight" in views:
            views[f"source{i}.weight"][:] = rows_of(x).T
    for name, parameter in experiment.values.parameters.items():
        views[f"probe.{name}"][:] = parameter
    states = [s.ravel() for s in experiment.values.context.states.values()]
    session.vectors.states[: sum(map(len, states))] = np.concatenate([np.zeros(0), *states])
    session.pack()
    return np.asarray(session.run(LAYOUTS[setting.layout](samples), np.arange(setting.batch)))
