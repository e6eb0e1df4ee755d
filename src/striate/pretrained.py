"""Pretrained networks by name: downloaded once, checked, and converted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from striate.data.download import failure
from striate.errors import DataError, UsageError, unknown_name
from striate.interop.reading import READERS, WEIGHTS, Wish, read
from striate.machine import cache_folder
from striate.model import Model
from striate.model import load as load_model

TORCHVISION = "https://download.pytorch.org/models/"
LICENCE = "BSD-3-Clause (torchvision); trained on ImageNet, whose images are for research"


@dataclass(frozen=True)
class Pretrained:
    """The source of a network's weights.

    Parameters
    ----------
    network : str
        Its name in ``striate.models``.
    file : str
        The published file; what stands after its last dash is how its SHA-256 begins.
    pixels : str
        Pixels that the network expects.
    origin : str
        The address of the folder of the file.
    licence : str
    """

    network: str
    file: str
    pixels: str = "imagenet"
    origin: str = TORCHVISION
    licence: str = LICENCE

    @property
    def checksum(self) -> str:
        """The beginning of the file's SHA-256, hexadecimal."""
        return Path(self.file).stem.rpartition("-")[2]


FILES = {
    "alexnet": "alexnet-owt-7be5be79.pth",
    "vgg11": "vgg11-8a719046.pth",
    "vgg13": "vgg13-19584684.pth",
    "vgg16": "vgg16-397923af.pth",
    "vgg19": "vgg19-dcbb9e9d.pth",
    "googlenet": "googlenet-1378be20.pth",
    "resnet18": "resnet18-f37072fd.pth",
    "resnet34": "resnet34-b627a593.pth",
    "resnet50": "resnet50-0676ba61.pth",
    "resnet101": "resnet101-63fe2227.pth",
    "resnet152": "resnet152-394f9c45.pth",
    "squeezenet1_0": "squeezenet1_0-b66bff10.pth",
    "squeezenet1_1": "squeezenet1_1-b8a52dc0.pth",
    "mobilenet_v2": "mobilenet_v2-b0353104.pth",
    "mobilenet_v3_small": "mobilenet_v3_small-047dcff4.pth",
    "mobilenet_v3_large": "mobilenet_v3_large-8738ca79.pth",
    "efficientnet_b0": "efficientnet_b0_rwightman-7f5810bc.pth",
}
"""torchvision's file of every network."""
REGISTRY: dict[str, Pretrained] = {
    f"{name}-imagenet": Pretrained(name, file, "-1..1" if name == "googlenet" else "imagenet")
    for name, file in FILES.items()
}
"""By the name users type."""


def load(name: str, file: str | Path | None = None) -> Model:
    """Return a pretrained model.

    Parameters
    ----------
    name : str
        One of ``REGISTRY``, such as "resnet18-imagenet".
    file : path, optional
        The published file, if it is here already; downloaded into the cache by default.

    Raises
    ------
    UsageError
        If there is no such name.
    DataError
        If the file cannot be downloaded, or is another one.
    """
    if name not in REGISTRY:
        raise unknown_name("pretrained network", name, REGISTRY)
    entry = REGISTRY[name]
    path = fetch(entry) if file is None else Path(file)
    _check(entry, path)
    model = read(path, Wish(network=entry.network, pixels=entry.pixels)).model
    model.metadata["preparation"] = {"fit": "crop"}
    model.metadata["origin"] = {"pretrained": name, "file": entry.file, "licence": entry.licence}
    return model


def open_model(name: str, network: str | None = None) -> Model:
    """Return the model called ``name``: a pretrained one, a file of any format that is read, or a run's folder.

    Parameters
    ----------
    name : str
    network : str, optional
        The network whose weights a file holds, where the file holds nothing else.

    Raises
    ------
    UsageError
        If there is no such name, or the file needs ``network``.
    DataError, ModelFileError
        If the file cannot be downloaded or read.
    """
    path = Path(name)
    known = name in REGISTRY and REGISTRY[name].network != network
    if network is not None and (known or path.is_dir() or (path.suffix.lower() not in WEIGHTS and path.exists())):
        raise UsageError(f"{name}: says itself which network it is; got {network!r} too. Leave out --model.")
    if path.is_dir() or (path.suffix.lower() == ".safetensors" and network is None):
        return load_model(path)
    if path.suffix.lower() in READERS:
        return read(path, Wish(network=network, option="--model")).model
    if path.is_file():
        raise DataError(
            f"{name}: not a supported kind of file; models are read from {', '.join(READERS)}. Rename it."
        )
    return load(name)


def fetch(entry: Pretrained, folder: Path | None = None) -> Path:
    """Return the published file, downloaded into the cache if it is not there yet.

    Raises DataError if it cannot be downloaded, or is another file.
    """
    import pooch

    folder = cache_folder() / "pretrained" if folder is None else folder
    try:
        pooch.get_logger().setLevel("WARNING")
        path = Path(pooch.retrieve(entry.origin + entry.file, None, entry.file, folder))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{entry.file}: cannot be downloaded from {entry.origin} ({failure(error)}). Download it, and "
            f"use --start {entry.file} --model {entry.network}."
        ) from None
    try:
        _check(entry, path)
    except DataError:
        path.unlink()
        raise
    return path


def _check(entry: Pretrained, path: Path) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read; {error.strerror}. Check the path.") from None
    if not found.startswith(entry.checksum):
        raise DataError(
            f"{path}: the SHA-256 must begin with {entry.checksum}; got {found[:8]}. Download {entry.file} again."
        )
