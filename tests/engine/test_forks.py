"""Forked processes, pickles and copies of what was used before."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from striate import Trainer
from striate.data.dataset import Dataset
from striate.engine.inference_session import InferenceSession
from striate.errors import UsageError
from support.small import FLOAT, model, network, samples

USED = """
import os, sys
import numpy as np
from support.small import model, samples
used, batch = model(threads=2), samples(300)
expected = used.outputs(batch)
"""
FORK = (
    USED
    + """
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        same = all(np.array_equal(used.outputs(batch), expected) for _ in range(20))
        os._exit(0 if same else 1)
    children.append(child)
    assert np.array_equal(used.outputs(batch), expected)
sys.exit(max(os.waitpid(child, 0)[1] for child in children) and 1)
"""
)
FORK_WHILE_PREDICTING = (
    USED
    + """
import threading
stop = threading.Event()
def predict():
    while not stop.is_set():
        used.outputs(batch)
thread = threading.Thread(target=predict)
thread.start()
status = 0
for _ in range(20):
    child = os.fork()
    if child == 0:
        os._exit(0 if np.array_equal(used.outputs(batch), expected) else 1)
    status |= os.waitpid(child, 0)[1]
stop.set()
thread.join()
sys.exit(1 if status else 0)
"""
)
POOL = (
    USED
    + """
import multiprocessing
def predict(part):
    return used.outputs(part)
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert np.array_equal(np.concatenate(pool.map(predict, [batch[:100], batch[100:]])), expected)
with multiprocessing.get_context("spawn").Pool(1) as pool:
    assert np.array_equal(pool.apply(used.outputs, (batch,)), expected)
"""
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("program", [FORK, FORK_WHILE_PREDICTING, POOL], ids=["fork", "while predicting", "pool"])
def test_child_processes_simply_work(program: str) -> None:
    paths = f"import sys; sys.path[:0] = {sys.path!r}"
    command = [sys.executable, "-c", f"{paths}\n{program}"]
    done = subprocess.run(command, timeout=120, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_used_model_can_be_pickled_and_copied() -> None:
    used, batch = model(), samples(20)
    expected = used.outputs(batch)
    for other in (pickle.loads(pickle.dumps(used)), copy.deepcopy(used), copy.copy(used)):
        np.testing.assert_array_equal(other.outputs(batch), expected)
    other = copy.deepcopy(used)
    other.theta[:] = 0.0
    np.testing.assert_array_equal(used.outputs(batch), expected)
    assert pickle.loads(pickle.dumps(network())).describe() == network().describe()


def test_a_trainer_goes_on_after_pickling_and_copying() -> None:
    data = Dataset(samples(40), np.arange(40) % 5, tuple("abcde"), "six")
    trainer = Trainer(network(), seed=0, batch_size=16)
    trainer.fit(data, epochs=1)
    others = [pickle.loads(pickle.dumps(trainer)), copy.deepcopy(trainer)]
    trainer.fit(data, epochs=2)
    for other in others:
        other.fit(data, epochs=2)
        np.testing.assert_array_equal(other.model.theta, trainer.model.theta)
        assert other.history.records[-1].loss == trainer.history.records[-1].loss


def test_sessions_refuse_to_be_pickled_or_copied() -> None:
    session = InferenceSession(network(), batch_size=4, dtype=FLOAT)
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(UsageError, match="shared: sessions hold addresses and can be neither"):
            act(session)  # type: ignore[operator]
