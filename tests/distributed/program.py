"""A training that every rank runs; rank 0 prints checksums of what was learnt.

With an argument, so many threads for each rank.
"""

import faulthandler
import hashlib
import sys

import numpy as np

from striate import Trainer
from striate.data.augmentation import Augmentation, Noise, Shift
from striate.data.dataset import Dataset
from striate.distributed import join
from striate.engine.lowering import dense
from striate.layers import BatchNorm, Conv2d, Dropout, Flatten, Input, Linear, MaxPool2d, ReLU
from striate.network import Network
from striate.training.settings.regularisation import Regularisation


def data(count: int, seed: int) -> Dataset:
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, count)
    images = random.integers(0, 200, (count, 1, 12, 12)).astype(np.uint8)
    images[np.arange(count), 0, labels * 3] = 255
    return Dataset(images, labels, ("a", "b", "c", "d"), "made")


def network() -> Network:
    """A network with batch normalisation, dropout, an auxiliary output, and a dense layer summed over the batch."""
    first = MaxPool2d(2)(ReLU()(BatchNorm()(Conv2d(6, 3, padding=1)(Input((1, 12, 12))))))
    second = ReLU()(BatchNorm()(Conv2d(8, 3, padding=1)(first)))
    hidden = Dropout(0.3)(ReLU()(Linear(40)(Flatten()(second))))
    return Network(Linear(4)(hidden), auxiliary=[Linear(4)(Flatten()(first))])


def main() -> None:
    faulthandler.dump_traceback_later(240, exit=True)  # a hang ends
    dense.LARGE = 40 * 288  # the hidden layer
    team = join()
    trainer = Trainer(
        network(),
        optimizer="adam",
        batch_size=320,  # 5 shards of 64 samples with 16 lanes: a tree with an odd number of leaves
        seed=3,
        threads=int(sys.argv[1]) if len(sys.argv) > 1 else None,
        augmentation=Augmentation((Shift(1), Noise(5.0))),
        regularisation=Regularisation(clip_norm=0.5, l2=1e-3, max_norm=2.0),
    )
    history = trainer.fit(data(680, 0), epochs=2, validation=data(700, 1))  # the last batch fills one shard
    arrays = [trainer.model.theta, trainer.model.states]
    if team is not None and not team.leads:
        return
    arrays += list(vars(trainer.state.optimizer).values())
    print(*(hashlib.sha256(array.tobytes()).hexdigest()[:16] for array in arrays))
    print([(r.loss, r.accuracy, r.val_loss, r.val_accuracy) for r in history.records])


main()
