"""A training on samples that are streamed has the same bits as one on samples in memory."""

from __future__ import annotations

import numpy as np
import pytest

from striate.training.callbacks import Callback
from striate.training.run import DataConfig, ModelConfig, RunConfig, TrainingSettings, resume, train


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "images.npz"
    rng = np.random.default_rng(0)
    np.savez(path, x=rng.integers(0, 255, (150, 8, 8, 3), dtype=np.uint8), y=np.arange(150) % 3)
    return path


def config(data, read, **training) -> RunConfig:
    settings = {"epochs": 2, "batch_size": 16, "augmentation": "none", **training}
    return RunConfig(
        data=DataConfig(name=str(data), options={"read": read}),
        model=ModelConfig(name="mlp", options={"hidden": (8,)}),
        training=TrainingSettings(**settings),
        checkpoint={"every_steps": 3, "every_minutes": None},
    )


SETTINGS = {
    "plain": {},
    "augmented": {"augmentation": "rotation:10 brightness:0.2 mixup:0.2"},
    "balanced": {"sampling": "balanced"},
    "whole batch": {"batch_size": "full"},
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_the_bits_are_those_of_a_training_in_memory(data, tmp_path, kind):
    memory = train(config(data, "memory", **SETTINGS[kind]), tmp_path / "memory", report=False)
    for threads in (1, 2):
        place = tmp_path / f"stream-{threads}"
        streamed = train(config(data, "stream", threads=threads, **SETTINGS[kind]), place, report=threads == 2)
        assert streamed.model.theta.tobytes() == memory.model.theta.tobytes()
        assert streamed.evaluation.loss == memory.evaluation.loss
        assert "read while training" in streamed.splits.notes[-1]


class Stop(Callback):
    def on_step_end(self, state):
        if state.progress.step == 7:
            raise KeyboardInterrupt


def test_a_training_goes_on_exactly_and_may_change_how_it_reads(data, tmp_path):
    whole = train(config(data, "memory"), tmp_path / "whole", report=False)
    place = tmp_path / "stopped"
    stopped = train(config(data, "stream"), place, [Stop()], report=False)
    assert stopped.history.interrupted
    text = (place / "config.toml").read_text()
    (place / "config.toml").write_text(text.replace('read = "stream"', 'read = "memory"'))
    assert resume(place, report=False).model.theta.tobytes() == whole.model.theta.tobytes()
