"""The same bits in every process: Python orders sets of texts differently in each, which must reach no result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

WORDS = ("sea", "wave", "ship", "salt", "sail", "fish", "harbour", "tree", "leaf", "deer", "moss", "bark", "wind")
CLASSES = ("alpha", "beta", "gamma")
FOREIGN = (".pdf", ".doc", ".ppt", ".xyz", ".eml", ".tex")
SCRIPT = """
import hashlib, json, sys, warnings
from pathlib import Path
import numpy as np
from striate.data import registry
from striate.training.run import DataConfig, RunConfig, TrainingSettings, train

warnings.simplefilter("ignore")
root, found = Path(sys.argv[1]), {}
for path in sorted(root.iterdir()):
    splits = registry.load(path)
    parts = [part for part in (splits.train, splits.validation, splits.test) if part is not None]
    facts = [repr((part.classes, splits.notes, splits.preparation, splits.bad_files)).encode() for part in parts]
    arrays = [np.ascontiguousarray(array).tobytes() for part in parts for array in (part.inputs, part.targets)]
    settings = TrainingSettings(seed=1, epochs=1)
    config, out = RunConfig(data=DataConfig(name=str(path)), training=settings), Path("runs", path.name)
    train(config, out, report=False)
    model = (out / "model.safetensors").read_bytes()
    texts = b"".join([*facts, *arrays]), model
    found[path.name] = [hashlib.sha256(text).hexdigest() for text in texts]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of every kind whose reading handles words, names or endings of files."""
    root, random = tmp_path_factory.mktemp("kinds"), np.random.default_rng(0)
    for kind in ("texts", "pictures", "logs", "sounds"):
        for name in CLASSES:
            (root / kind / name).mkdir(parents=True)
    for name in CLASSES:
        for number in range(8):
            (root / "texts" / name / f"{number}.txt").write_text(" ".join([*random.choice(WORDS, 9), name]))
            pixels = random.integers(0, 255, (9 + number % 3, 12, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(root / "pictures" / name / f"{number}.png")
            rows = [f"{time},{random.normal():.3f},{random.normal():.3f}" for time in range(12)]
            (root / "logs" / name / f"{number}.csv").write_text("\n".join(["time,a,b", *rows]))
            soundfile.write(root / "sounds" / name / f"{number}.wav", random.normal(0, 0.1, 300), 8000)
    for ending in FOREIGN:
        (root / "pictures" / "alpha" / f"other{ending}").write_bytes(b"no picture")
    rows = [
        f"n{number},{random.choice(['Jena', 'Ulm', 'Kiel'])},{random.normal():.3f},{random.choice(CLASSES)}"
        for number in range(40)
    ]
    (root / "table.csv").write_text("\n".join(["name,town,size,label", *rows]))
    tags = [f"{' '.join(random.choice(WORDS, 5))},{'|'.join(random.permutation(CLASSES)[:2])}" for _ in range(40)]
    (root / "tags.csv").write_text("\n".join(["text,label", *tags]))
    return root


def results(data: Path, folder: Path, seed: int) -> dict[str, list[str]]:
    """Return digests of what a process with this seed of Python's hashes reads and learns."""
    environment = {**os.environ, "PYTHONHASHSEED": str(seed), "STRIATE_VERIFY": "0"}
    link = folder / "data"
    link.symlink_to(data, target_is_directory=True)
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, "data"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, list[str]] = json.loads(ended.stdout.splitlines()[-1])
    return found


def test_processes_read_and_learn_the_same(data, tmp_path_factory):
    first, second = (results(data, tmp_path_factory.mktemp("process"), seed) for seed in (1, 2))
    assert len(first) == 6
    assert first == second
