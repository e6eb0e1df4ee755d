"""Whatever system call on a run's folder fails, the run goes on from the last state and ends with the same bits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from faults import FaultyFolder, Killed
from striate.errors import StriateError
from striate.training.run import (
    CheckpointConfig,
    DataConfig,
    ModelConfig,
    RunConfig,
    TrainingSettings,
    resume,
    train,
)

STRIDE = 9  # of the calls one in so many fails; STRIATE_TEST_EXAMPLES divides it

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="tells files by /proc")


def config() -> RunConfig:
    return RunConfig(
        data=DataConfig(name="digits"),
        model=ModelConfig(name="mlp", options={"hidden": (8,)}),
        training=TrainingSettings(epochs=3, batch_size=400, learning_rate=0.01),
        checkpoint=CheckpointConfig(every_epochs=1, every_minutes=None, keep=2, least_seconds=0.0),
    )


def finished(folder: Path) -> bytes:
    """Bring the run in ``folder`` to its end, as a user would after the message; return the parameters."""
    if (folder / "config.toml").is_file():
        return resume(folder, report=False).model.theta.tobytes()
    return train(config(), folder, report=False).model.theta.tobytes()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[str]]:
    """The parameters that a run ends with, and the calls that touch its folder."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    calls = FaultyFolder(folder)
    with pytest.MonkeyPatch.context() as patch:
        calls.install(patch)
        run = train(config(), folder, report=False)
    return run.model.theta.tobytes(), calls.calls


def test_the_calls_of_a_run_are_seen(undisturbed: tuple[bytes, list[str]]) -> None:
    calls = [call.split()[0] for call in undisturbed[1]]
    assert {"open", "write", "fsync", "replace", "mkdir"} <= set(calls)
    assert any("checkpoints" in call for call in undisturbed[1])
    assert len(calls) > 40


@pytest.mark.parametrize("kind", FaultyFolder.KINDS)
def test_a_run_survives_every_failing_call(kind: str, undisturbed: tuple[bytes, list[str]], tmp_path: Path) -> None:
    expected, calls = undisturbed
    stride = max(1, round(STRIDE / float(os.environ.get("STRIATE_TEST_EXAMPLES", "1"))))
    for at in range(FaultyFolder.KINDS.index(kind), len(calls), stride):
        folder = tmp_path / str(at)
        faulty = FaultyFolder(folder, kind, at)
        told = None
        with pytest.MonkeyPatch.context() as patch:
            faulty.install(patch)
            try:
                train(config(), folder, report=False)
            except (StriateError, OSError) as error:
                told = error
            except Killed:
                pass
        where = f"{kind} at {faulty.calls[at]}"
        if told is not None:
            assert str(folder) in f"{told} {getattr(told, 'filename', '')}", where
        assert finished(folder) == expected, where
