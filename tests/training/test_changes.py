from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.errors import UsageError
from striate.training.run import DataConfig, ModelConfig, RunConfig, RunFolder, TrainingSettings, resume, train

COUNT = 24


@pytest.fixture
def run(tmp_path):
    """Return a folder of pictures, and the run that began with them."""
    rng = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(COUNT):
            pixels = rng.integers(0, 255, (8, 8), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / label / f"{number:02d}.png")
    config = RunConfig(
        data=DataConfig(name=str(tmp_path / "photos")),
        model=ModelConfig(name="mlp"),
        training=TrainingSettings(epochs=1, batch_size=8),
    )
    train(config, tmp_path / "run", report=False)
    return tmp_path / "photos", tmp_path / "run"


def refusal(folder) -> str:
    log = (folder / "log.jsonl").read_bytes()
    with pytest.raises(UsageError, match=r"^photos: a run continues with the data it began with; ") as caught:
        resume(folder, epochs=2, report=False)
    assert (folder / "log.jsonl").read_bytes() == log  # nothing is written or cut off
    assert RunConfig.load(folder / "config.toml").training.epochs == 1
    text = str(caught.value)
    found = re.fullmatch(r".*began with; (.*)\. Restore the data, or start a new run with striate train\.", text)
    assert found is not None
    return found[1]


def test_missing_and_new_files_are_named(run):
    photos, folder = run
    picture = (photos / "a" / "03.png").read_bytes()
    (photos / "a" / "03.png").unlink()
    assert refusal(folder) == "a/03.png is missing or unreadable"
    (photos / "b" / "04.png").unlink()
    (photos / "b" / "new.png").write_bytes(picture)
    assert refusal(folder) == "a/03.png and 1 other file are missing or unreadable and b/new.png is new"
    (photos / "b" / "05.png").unlink()
    assert refusal(folder).startswith("a/03.png and 2 other files are missing or unreadable and ")


def test_a_truncated_file_is_named(run):
    _, folder = run
    path = Path(RunFolder(folder).identities()["train"]["files"][5])
    path.write_bytes(path.read_bytes()[:60])
    assert refusal(folder) == f"{path.parent.name}/{path.name} is missing or unreadable"


def test_other_pixels_are_noticed_and_the_same_ones_continue(run):
    photos, folder = run
    before = {path: path.read_bytes() for path in photos.glob("*/*.png")}
    for path in before:
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(path)
    assert refusal(folder) == "some samples or targets have other values now"
    for path, content in before.items():
        path.write_bytes(content)
    assert len(resume(folder, epochs=2, report=False).history) == 2


def test_damaged_notes_of_the_files_hide_nothing(run):
    photos, folder = run
    (photos / "a" / "03.png").unlink()
    for text in ("", "[]", '{"train": {"files": 3, "samples": "many"}}', '{"train": {"files": [1, [2]]}}'):
        RunFolder(folder).splits.write_text(text)
        assert "now" in refusal(folder) or "new" in refusal(folder)
    RunFolder(folder).splits.write_text('{"train": {"samples": 1000}}')
    assert refusal(folder).startswith("it had 1,000 training samples and now has ")
