"""What is served: the newest file, whatever becomes of the one before."""

from pathlib import Path

import numpy as np

from striate import Model, Sequential, layers
from striate.server.source import Source
from striate.training.run.folder import RunFolder


def save(path: Path, value: float) -> Path:
    return Model(Sequential([layers.Linear(2)], (3,)), np.full(8, value, np.float32)).save(path)


def test_a_checkpoint_that_is_removed_for_a_newer_one_is_replaced_by_it(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.config.write_text("")
    run.checkpoints.mkdir()
    first, source = save(run.checkpoints / "1.safetensors", 1.0), Source(tmp_path)
    known = source.loaded()
    assert source.unchanged() is known is source.loaded()
    save(run.checkpoints / "2.safetensors", 2.0)
    first.unlink()
    assert source.unchanged() is None
    assert source.loaded().model.theta[0] == 2.0
