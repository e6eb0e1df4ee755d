"""Train the Neocognitron of 2003."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from striate.data.normalisation import Normalisation
from striate.errors import DataError, UsageError
from striate.model import Model
from striate.model.part import part_of
from striate.models.neocognitron import neocognitron_2003
from striate.models.neocognitron.y2003 import BLUR_KERNEL, CONTRAST_KERNEL, EDGE_KERNEL, KERNELS, ORIENTATIONS
from striate.network import Network
from striate.training.neocognitron.cells import set_similarity
from striate.training.neocognitron.competition import learn_planes
from striate.training.neocognitron.connections import centre_surround, disk, edge_picture
from striate.training.neocognitron.teaching import Taught

LEARNING_THRESHOLDS = (0.75, 0.87, 0.9)
SPREADS = (1.5, 1.6, 1.0)  # sigma of c in the first three S-layers, in cells
BLURS = (1.5, 1.5, 3.0)  # sigma of the C-layers' connections, in cells
STRENGTH = 4.0  # sum of the connections of a C-cell
AREA = 2
CHUNK = 2000


def train_2003(
    images: np.ndarray,
    labels: np.ndarray,
    *,
    classes: Sequence[str] | None = None,
    unsupervised: int = 1500,
    epochs: int = 1,
    learning_thresholds: Sequence[float] = LEARNING_THRESHOLDS,
    report: Callable[[str], None] | None = None,
) -> Model:
    """Return a Neocognitron of 2003 that has learnt from labelled pictures.

    The edge layer learns pictures of straight edges, the second and third stage learn from the first pictures
    without their labels, the fourth from all of them with their labels. There is no gradient and nothing random:
    the same pictures in the same order give the same model.

    Parameters
    ----------
    images : uint8 or float[N, 1, rows, columns]
        Bright on dark; bytes from 0 to 255, others from 0 to 1.
    labels : int[N]
    classes : sequence of str, optional
        Their names; the numbers of the labels if left out.
    unsupervised : int
        Pictures that the second and third stage learn from.
    epochs : int
        How often the fourth stage sees all pictures.
    learning_thresholds : (float, float, float)
        theta of the second, third and fourth S-layer while they learn.
    report : function of a line of text, optional
        Called after each stage.

    Raises
    ------
    UsageError, DataError
        For settings out of their range, or pictures and labels that do not fit.

    References
    ----------
    Fukushima (2003), "Neocognitron for handwritten digit recognition", Neurocomputing 51, 161-180.
    """
    images, labels = _checked(images, labels)
    if unsupervised < 1 or epochs < 1:
        raise UsageError(f"train_2003: unsupervised and epochs must be at least 1; got {unsupervised}, {epochs}.")
    names = tuple(classes or map(str, range(int(labels.max()) + 1)))
    say = report or (lambda _: None)
    learner = _Learner(images, names, report=say)
    learner.learn_edges()
    for stage in (0, 1):
        learner.learn_stage(stage, unsupervised, learning_thresholds[stage])
    return learner.teach(labels, epochs, learning_thresholds[2])


def _checked(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    images, labels = np.asarray(images), np.asarray(labels)
    if images.ndim != 4 or images.shape[1] != 1 or labels.shape != images.shape[:1] or not len(images):
        raise DataError(
            f"train_2003: needs grey images [N, 1, rows, columns] and a label for each; got {images.shape} "
            f"and {labels.shape}. Reshape them."
        )
    if labels.dtype.kind not in "iu" or labels.min() < 0:
        raise DataError(f"train_2003: labels are whole numbers from 0 on; got {labels.dtype}. Number the classes.")
    missing = sorted(set(range(int(labels.max()) + 1)) - set(labels.tolist()))
    if missing:
        raise DataError(f"train_2003: every class needs a picture; got none of {missing[0]}. Renumber the classes.")
    return images, labels


class _Learner:
    """The model as far as it has learnt; every stage makes a larger one."""

    def __init__(self, images: np.ndarray, names: tuple[str, ...], report: Callable[[str], None]) -> None:
        self.images, self.names, self.report = images, names, report
        self.templates: list[np.ndarray] = []
        self.spreads = [disk(k, s) for k, s in zip((EDGE_KERNEL, *KERNELS), SPREADS, strict=True)]

    def model(self, tops: Sequence[int] | int = 1) -> Model:
        """Return the network with what has been learnt; planes that are still missing are one and empty."""
        counts = [len(found) for found in self.templates[1:3]] + [1, 1]
        shape = self.images.shape[1:]
        network = neocognitron_2003(len(self.names), shape, planes=counts[:2], top=tops)
        model = Model(network, np.zeros(network.parameter_count, np.float32), classes=self.names)
        if self.images.dtype == np.uint8:
            model.normalisation = Normalisation((0.0,), (255.0,))
        _set_fixed(model)
        for number, found in enumerate(self.templates[:3], start=1):
            set_similarity(model, f"s{number}", found, self.spreads[number - 1])
        return model

    def learn_edges(self) -> None:
        """Let the first S-layer learn edges of sixteen orientations."""
        side = 2 * (CONTRAST_KERNEL + EDGE_KERNEL)
        turns = 2 * np.pi * np.arange(ORIENTATIONS) / ORIENTATIONS
        pictures = np.stack([edge_picture(angle, side) for angle in turns])[:, None].astype(np.float32)
        network = neocognitron_2003(2, (1, side, side), planes=(1, 1), top=1)
        drawn = Model(network, np.zeros(network.parameter_count, np.float32))
        _set_fixed(drawn)
        contrast = part_of(drawn, "g").outputs(pictures)
        first = (contrast.shape[2] - EDGE_KERNEL) // 2
        middle = contrast[:, :, first : first + EDGE_KERNEL, first : first + EDGE_KERNEL]
        self.templates.append((middle * np.sqrt(self.spreads[0])).reshape(ORIENTATIONS, -1))

    def learn_stage(self, stage: int, count: int, threshold: float) -> None:
        """Let the second or third S-layer learn without a teacher."""
        maps = part_of(self.model(), f"c{stage + 1}").outputs(self.images[:count])
        self.templates.append(learn_planes(maps, self.spreads[stage + 1], threshold, AREA))
        self.report(f"s{stage + 2}: {len(self.templates[-1])} planes from {len(maps)} pictures")

    def teach(self, labels: np.ndarray, epochs: int, threshold: float) -> Model:
        """Let the fourth S-layer learn with a teacher, and return the model."""
        last = part_of(self.model(), "c3")
        spread = _top_spread(last.network)
        root = np.sqrt(spread)
        taught = Taught(int(np.prod(last.network.output_shape)), threshold)
        for epoch in range(epochs):
            wrong = 0
            for start in range(0, len(labels), CHUNK):
                features = last.outputs(self.images[start : start + CHUNK]) * root
                wrong += taught.teach(features.reshape(len(features), -1), labels[start : start + CHUNK])
            self.report(f"s4: epoch {epoch + 1}, {wrong} of {len(labels)} answered wrongly, {taught.count} planes")
        templates, owners = taught.sorted()
        model = self.model([int((owners == label).sum()) for label in range(len(self.names))])
        set_similarity(model, "s4", templates, spread)
        return model


def _top_spread(network: Network) -> np.ndarray:
    side = network.output_shape[-1]
    return disk(side, float(side))


def _set_fixed(model: Model) -> None:
    """Write the connections that are not learnt."""
    contrast = centre_surround(CONTRAST_KERNEL)
    model.parameters["g/filter.weight"][:, 0] = np.stack([contrast, -contrast])
    for number, sigma in enumerate(BLURS, start=1):
        model.parameters[f"c{number}/gathered.weight"][...] = STRENGTH * disk(BLUR_KERNEL, sigma)
