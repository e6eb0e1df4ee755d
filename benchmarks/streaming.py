"""Training from a folder of JPEGs: streamed, in memory, and with PyTorch's DataLoader."""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

from benchmarks.networks import Case, initial_parameters
from benchmarks.ours import BETA1, BETA2, EPSILON, RATE
from benchmarks.report import table
from benchmarks.timing import Speeds, Work, alternate
from benchmarks.twin import twin
from striate.data.dataset import Dataset
from striate.data.folders import class_folders
from striate.data.options import Options
from striate.data.streaming import cache
from striate.machine import available_threads
from striate.training.trainer import Trainer

SIDE, BATCH, CLASSES, DETAIL = 96, 64, 10, 24  # the pictures are random squares, DETAIL on a side, enlarged
BATCHES = 20  # that one timing takes; fewer would count the start of an epoch too often


def streaming(options: argparse.Namespace) -> list[str]:
    """Time photo_cnn on JPEGs of 96x96 pixels, random ones in an epoch's order."""
    with ExitStack() as opened:
        place = opened.enter_context(tempfile.TemporaryDirectory())
        opened.enter_context(patch.object(cache, "decoded_folder", return_value=Path(place) / "cache"))
        folder = _make(Path(place) / "photos", options.pictures)
        begin = time.perf_counter()
        streamed = class_folders(folder, Options(read="stream", test_fraction=0), validation_fraction=0).train
        prepared = time.perf_counter() - begin
        case = Case("photo_cnn", CLASSES, (3, SIDE, SIDE), (BATCH,))
        chosen = np.random.default_rng(0).permutation(len(streamed))[: BATCHES * BATCH]
        memory = Dataset(np.asarray(streamed.inputs.take(chosen)), streamed.targets[chosen], streamed.classes)
        contestants = {"streamed": _epochs(case, streamed.take(chosen)), "in memory": _epochs(case, memory)}
        loaders = {f"PyTorch, {n} workers": _loader_epochs(case, folder, chosen, n) for n in range(3)}
        speeds = alternate(contestants | loaders, len(chosen), options.rounds, options.seconds)
    return _section(speeds, list(loaders), len(streamed), prepared)


def _section(speeds: Speeds, loaders: list[str], count: int, prepared: float) -> list[str]:
    own, best = speeds.median("streamed"), max(loaders, key=speeds.median)
    first = count / (prepared + count / own)
    rows = [(name, f"{speeds.median(name):,.0f}") for name in speeds.rounds]
    lost = 1 - speeds.ratio("streamed", "in memory")[0]
    return [
        f"### Training photo_cnn on {count:,} JPEGs of {SIDE}x{SIDE}, batches of {BATCH}, images/s",
        "",
        *table(("samples", "images/s"), rows),
        f"Reading takes {100 * lost:.1f} % of the time from the second epoch on. Decoding all files into the cache "
        f"takes {prepared:.1f} s, so the first epoch runs at {first:,.0f} images/s, "
        f"{first / speeds.median(best):.2f} times as fast as {best}.",
        "",
    ]


def _make(folder: Path, count: int) -> Path:
    """Write a folder of random pictures."""
    rng = np.random.default_rng(0)
    for label in range(CLASSES):
        (folder / str(label)).mkdir(parents=True)
    for number in range(count):
        squares = Image.fromarray(rng.integers(0, 256, (DETAIL, DETAIL, 3), np.uint8))
        squares.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(
            folder / str(number % CLASSES) / f"{number:06d}.jpg", quality=90
        )
    return folder


def _epochs(case: Case, data: Dataset) -> Work:
    trainer = Trainer(case.network(), batch_size=BATCH)

    def work(repetitions: int) -> None:
        trainer.fit(data, epochs=repetitions)

    return work


class _Files(torch.utils.data.Dataset):
    """What torchvision's ImageFolder does, with the decoding to bytes that it would do."""

    def __init__(self, folder: Path, chosen: np.ndarray) -> None:
        paths = sorted(folder.glob("*/*.jpg"))
        self.paths = [paths[number] for number in chosen]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        path = self.paths[number]
        with Image.open(path) as image:
            pixels = torch.from_numpy(np.asarray(image.convert("RGB")).copy())
        return pixels.permute(2, 0, 1), int(path.parent.name)


def _loader_epochs(case: Case, folder: Path, chosen: np.ndarray, workers: int) -> Work:
    torch.set_num_threads(available_threads())
    network = case.network()
    model = twin(network, initial_parameters(network)).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, betas=(BETA1, BETA2), eps=EPSILON, fused=True)
    persistent: dict[str, Any] = {"persistent_workers": True} if workers else {}
    loader = DataLoader(_Files(folder, chosen), BATCH, shuffle=True, num_workers=workers, **persistent)

    def work(repetitions: int) -> None:
        for _ in range(repetitions):
            for pixels, labels in loader:
                inputs = (pixels.float() / 255).contiguous(memory_format=torch.channels_last)
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(model(inputs), labels).backward()
                optimizer.step()

    return work
