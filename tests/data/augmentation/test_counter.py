from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from striate.data.augmentation.counter import Draw, philox


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ((0, 0, 0, 0), 0, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((2**32 - 1,) * 4, 2**64 - 1, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            0x299F31D0A4093822,
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers_of_the_random123_library(counter, key, words):
    got = philox(np.array(counter, np.uint64), key)
    assert " ".join(f"{int(word):08x}" for word in got) == words


def draw(seed: int = 0, epoch: int = 0, indices=range(1000), stream: int = 0) -> Draw:
    return Draw(seed, epoch, np.array(indices), stream)


def test_a_sample_draws_the_same_alone_and_in_any_company():
    together = draw().uniform(7)
    assert np.array_equal(draw(indices=[17]).uniform(7)[0], together[17])
    assert np.array_equal(draw(indices=[999, 3]).uniform(7), together[[999, 3]])
    assert np.array_equal(draw().uniform(3), together[:, :3])


@pytest.mark.parametrize("other", [{"seed": 1}, {"seed": 1 << 40}, {"epoch": 1}, {"stream": 1}])
def test_seed_epoch_and_stream_change_everything(other):
    same = draw().uniform(4) == draw(**other).uniform(4)
    assert same.mean() < 0.01


@pytest.mark.parametrize(("method", "distribution"), [("uniform", "uniform"), ("normal", "norm")])
def test_the_distribution_is_what_it_is_called(method, distribution):
    """One sample in a thousand fails a test at 0.1 %, so the chances of many samples are tested."""
    values = [getattr(draw(seed=seed), method)(50).ravel() for seed in range(60)]
    chances = [stats.kstest(sample, distribution).pvalue for sample in values]
    assert stats.kstest(chances, "uniform").pvalue > 0.001


def test_uniform_numbers_are_from_0_to_below_1_and_normal_ones_finite():
    uniform = draw().uniform(50)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    normal = draw().normal(51)
    assert normal.shape == (1000, 51)
    assert np.isfinite(normal).all()


def test_numbers_of_a_sample_and_of_neighbours_are_not_related():
    normal = draw().normal(20)
    assert np.abs(np.corrcoef(normal, rowvar=False) - np.eye(20)).max() < 5 / np.sqrt(1000)
    assert abs(np.corrcoef(normal[:-1].ravel(), normal[1:].ravel())[0, 1]) < 5 / np.sqrt(19980)
