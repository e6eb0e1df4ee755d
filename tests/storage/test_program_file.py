"""Programs as text, and in files that another process replays."""

from __future__ import annotations

import struct
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from striate.engine.inference_session import InferenceSession
from striate.engine.program import BUFFERS, Place
from striate.errors import ModelFileError, ProgramError
from striate.layers import BatchNorm, Conv2d, Dropout, Embedding, Flatten, Linear, ReLU
from striate.layers.base import Layer, Shape
from striate.network import Network, Sequential
from striate.storage.program_file import read_program, write_program
from support.programs import training_program
from support.small import FLOAT, model, samples

REPLAY = """
import sys
import numpy as np
from striate.engine.binding import Bound
from striate.storage.program_file import read_program
from striate.engine.team import Team

folder = sys.argv[1]
bound = Bound(read_program(folder + "/program.npz"))
given = dict(np.load(folder + "/given.npz"))
inputs = given.pop("inputs")
for name, array in given.items():
    bound.memory[name][:] = array
bound.attach("inputs", inputs.ctypes.data)
Team(bound, 2).run()
np.save(folder + "/outputs.npy", bound.memory["outputs"])
"""


def network() -> Network:
    return Sequential([Conv2d(5, 3), BatchNorm(), ReLU(), Dropout(0.5), Flatten(), Linear(4)], (2, 8, 8))


def test_a_program_of_another_process_gives_the_same_bits(tmp_path: Path) -> None:
    own, batch = model(), samples(40)
    session = InferenceSession(own.network, batch_size=40, dtype=FLOAT, threads=2)
    session.load(own.theta, own.states)
    expected = session.run(batch, np.arange(40))
    write_program(session.program, tmp_path / "program.npz")
    names = ("parameters", "states", "index", "present", "filled", "scale", "mean")
    np.savez(tmp_path / "given.npz", inputs=batch, **{name: session.bound.memory[name] for name in names})
    subprocess.run([sys.executable, "-c", REPLAY, str(tmp_path)], check=True, timeout=120)
    outputs = np.load(tmp_path / "outputs.npy")[: expected.size].reshape(expected.shape)
    np.testing.assert_array_equal(outputs, expected)


@pytest.mark.parametrize("made", [
    lambda: training_program(network(), 8),
    lambda: training_program(Sequential([Embedding(10, 3), Flatten(), Linear(2)], (4,)), 4),
])  # fmt: skip
def test_a_file_holds_all_of_a_program(tmp_path: Path, made) -> None:  # type: ignore[no-untyped-def]
    program = made()
    again = read_program(write_program(program, tmp_path / "program.npz"))
    assert str(again) == str(program)
    assert again.checks == program.checks
    assert [phase.tasks for phase in again.phases] == [phase.tasks for phase in program.phases]
    for name, segment in program.segments.items():
        if segment.contents is not None:
            np.testing.assert_array_equal(again.segments[name].contents, segment.contents)


def test_text_names_segments_sections_layers_and_tables() -> None:
    text = str(training_program(network(), 8))
    for part in (
        "program: 8 lanes, up to 3 shards",
        "parameters",
        "512 bytes, elsewhere",
        "3 tasks, 1 for each shard",
        "  forward\n    input: batch.load_floats(x=inputs, index=index+[index], out=arena, scale=scale",
        "conv1: correlation.correlate[",
        "  loss\n    linear1: loss.mean_squared_error(outputs=arena+",
        "rows=tables+",
        "  gradient\n",
        "update.sum_shards(shards=gradients+[chunk], stride=832, shard_count=1 | 2 | 3, count=[summed])",
        "  update\n    update.adam(theta=parameters+[chunk]",
    ):
        assert part in text, part


@dataclass(frozen=True, repr=False)
class Doubled(Layer):
    """A layer without kernels."""

    kind: ClassVar[str] = "doubled"

    def output_shape(self, *inputs: Shape) -> Shape:
        return inputs[0]


def test_layers_that_run_in_python_stay_in_this_process(tmp_path: Path) -> None:
    program = training_program(Sequential([Doubled(), Linear(2)], (4,)), 4)
    assert "Python (arena" in str(program)
    with pytest.raises(ProgramError, match=r"only kernels can run elsewhere; got a layer or loss"):
        write_program(program, tmp_path / "program.npz")


def test_a_damaged_or_foreign_file_is_refused(tmp_path: Path) -> None:
    path = write_program(training_program(network(), 4), tmp_path / "program.npz")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelFileError, match=r"must be a program of striate; got"):
        read_program(path)
    np.savez(tmp_path / "other.npz", header=np.zeros(3))
    with pytest.raises(ModelFileError, match=r"must be a program of striate; got"):
        read_program(tmp_path / "other.npz")


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("{'descr': '|u1', 'shape': (9,", id="unfinished Python"),
        pytest.param("{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,), }", id="a terabyte"),
        pytest.param("{'descr': '|O', 'fortran_order': False, 'shape': (9,), }", id="Python objects"),
    ],
)
def test_a_header_that_cannot_be_trusted_is_refused(tmp_path: Path, header: str) -> None:
    with zipfile.ZipFile(tmp_path / "program.npz", "w") as archive:
        text = header.encode().ljust(117) + b"\n"
        archive.writestr("header.npy", b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text + b"\0" * 9)
    with pytest.raises(ModelFileError, match=r"must be a program of striate; got DataError\("):
        read_program(tmp_path / "program.npz")


def test_a_program_that_reaches_outside_is_refused(tmp_path: Path) -> None:
    program = training_program(network(), 4)
    row = next(row for row in program.rows if "out" in row.arguments)
    row.arguments["out"] = Place(BUFFERS, 2**30)
    with pytest.raises(ProgramError, match="must stay inside arena"):
        read_program(write_program(program, tmp_path / "program.npz"))


@pytest.mark.parametrize("offset", [float("nan"), 2.0, 2**63, "0"])
def test_a_place_that_is_no_whole_number_is_refused(tmp_path: Path, offset: object) -> None:
    program = training_program(network(), 4)
    row = next(row for row in program.rows if "out" in row.arguments)
    row.arguments["out"] = Place(BUFFERS, offset)  # type: ignore[arg-type]
    with pytest.raises(ModelFileError, match=r"must be a program of striate; got ValueError"):
        read_program(write_program(program, tmp_path / "program.npz"))
