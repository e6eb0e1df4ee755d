"""Programs are proven before their first run, and once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from striate.engine import proof
from striate.engine.binding import Bound
from striate.engine.program import Place, Program
from striate.engine.segments import OUTPUTS
from striate.engine.team import Team
from striate.errors import ProgramError
from striate.layers import Conv2d, Linear
from striate.model import Model
from striate.models import lenet5
from striate.network import Sequential
from support.programs import changed, inference_program


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIATE_VERIFY", "1")
    monkeypatch.setattr(proof, "open_folder", lambda: tmp_path)
    monkeypatch.setattr(proof, "_proven", set())


def program(channels: int = 2) -> Program:
    return inference_program(Sequential([Conv2d(channels, 3)], (1, 5, 5)), 4, 32)


def wrong() -> Program:
    return changed(program(), "store_rows", out=Place(OUTPUTS))


def test_a_wrong_program_is_refused_before_its_first_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProgramError, match="must belong to one task of a phase"):
        Team(Bound(wrong()), 1).run()
    monkeypatch.setenv("STRIATE_VERIFY", "0")
    proof.prove(wrong())


def test_a_program_is_proven_once(monkeypatch: pytest.MonkeyPatch) -> None:
    proof.prove(program())
    monkeypatch.setattr(proof.verify, "verify", lambda *arguments: pytest.fail("proven again"))
    proof.prove(program())
    monkeypatch.setattr(proof, "_proven", set())  # another process finds what this one wrote
    proof.prove(program())


def test_fingerprints_differ_where_programs_do() -> None:
    found = {proof.fingerprint(p) for p in (program(), wrong(), program(3))}
    found.add(proof.fingerprint(inference_program(Sequential([Linear(2)], (25,)), 4, 32)))
    assert len(found) == 4
    assert proof.fingerprint(program()) == proof.fingerprint(program())


@pytest.mark.parametrize("count", [1, 2, 3, 8, 20])
def test_models_run_on_batches_of_any_size(count: int) -> None:
    network = lenet5(10, (1, 8, 8))
    model = Model(network, np.zeros(network.parameter_count, np.float32))
    assert model.outputs(np.ones((count, 1, 8, 8), np.float32)).shape == (count, 10)
