"""A model as a C library: linked by C compilers and run, here or under QEMU, it gives the numbers of the model."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests.targets.test_javascript import NETWORKS, model_of, samples_for

from striate import Model, Sequential, layers
from striate.data.normalisation import Normalisation
from striate.data.tables import Schema
from striate.data.tables.columns import Column
from striate.errors import DataError, StriateError, UsageError
from striate.layers import Flatten, Linear
from striate.machine import default_lanes
from striate.targets import answers, library
from striate.targets.library import compile as compiling
from striate.targets.library.archive import archive
from striate.targets.library.processors import processor

EMULATORS = {
    "x86-64-v2": [],
    "native": [],
    "aarch64": ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu"],
    "armv7": ["qemu-arm", "-L", "/usr/arm-linux-gnueabihf"],
    "riscv64": ["qemu-riscv64", "-L", "/usr/riscv64-linux-gnu"],
}


SMALL = [layers.Conv2d(6, 3), layers.PReLU(), layers.Flatten(), Linear(4), layers.Softmax()]


def compiler_of(target: str) -> list[str]:
    """Return the C compiler for a target; skips the test without it or the emulator."""
    compiler = processor(target).compiler.split()
    for program in [compiler[0], *EMULATORS[target][:1]]:
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    return compiler


def answers_of(folder: Path, target: str, samples: np.ndarray) -> list[list[str]]:
    """Return the lines that the example prints, in words."""
    compiler_of(target)
    subprocess.run(["make", "-s"], cwd=folder, check=True)
    text = "\n".join(map(str, samples.ravel()))
    command = [*EMULATORS[target], str(folder / "example")]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    return [line.split() for line in done.stdout.splitlines()]


@pytest.mark.skipif(shutil.which("make") is None, reason="builds the example")
@pytest.mark.parametrize(
    "target", [pytest.param(name, marks=pytest.mark.slow if name == "riscv64" else ()) for name in EMULATORS]
)
def test_gives_the_probabilities_of_the_model(target: str, tmp_path: Path) -> None:
    compiler_of(target)
    network = NETWORKS["lenet5"]() if target == "native" else Sequential(SMALL, (3, 9, 8))
    channels, classes = network.input_shape[0], [f"class {i}" for i in range(network.output_shape[0])]
    normalisation = Normalisation((120.0,) * channels, (64.0,) * channels)
    model = model_of(network, normalisation=normalisation, classes=classes)
    library.write(model, tmp_path, target)
    samples = samples_for(model)
    expected = model.predict_proba(samples)
    for words, shares in zip(answers_of(tmp_path, target, samples), expected, strict=True):
        found = np.array(words[: len(shares)], np.float64)
        np.testing.assert_allclose(found, shares, rtol=0, atol=1e-5 * shares.max())
        assert " ".join(words[len(shares) :]) == model.classes[int(shares.argmax())]


@pytest.mark.parametrize("target", ["cortex-m4", pytest.param("cortex-m7", marks=pytest.mark.slow)])
def test_microcontrollers_give_the_probabilities_of_the_model(target: str, tmp_path: Path) -> None:
    """As a program of Linux, whose linker takes these objects once they no longer say what they are."""
    tools = {name: f"arm-linux-gnueabihf-{name}" for name in ("gcc", "ar", "objcopy")}
    if any(shutil.which(program) is None for program in [*tools.values(), "qemu-arm"]):
        pytest.skip("needs gcc for arm-linux-gnueabihf and qemu-arm")
    model = model_of(Sequential(SMALL, (3, 9, 8)), classes=[f"class {i}" for i in range(4)])
    library.write(model, tmp_path, target)

    def run(tool: str, *arguments: str) -> None:
        subprocess.run([tools[tool], *arguments], cwd=tmp_path, check=True)

    run("ar", "x", "libmodel.a")
    objects = sorted(path.name for path in tmp_path.glob("*.o"))
    for name in objects:
        run("objcopy", "--remove-section", ".ARM.attributes", name)
    run("gcc", "-static", "-mthumb", "example.c", *objects, "-o", "example")
    samples = samples_for(model)
    text = "\n".join(map(str, samples.ravel()))
    command = ["qemu-arm", str(tmp_path / "example")]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    expected = model.predict_proba(samples)
    found = np.array([line.split()[:4] for line in done.stdout.splitlines()], np.float64)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * expected.max())


CHECK = """
#include <stdio.h>
#include <string.h>
#include "digits.h"
static char workspace[DIGITS_WORKSPACE_BYTES];
static float x[DIGITS_INPUTS], y[DIGITS_OUTPUTS], z[DIGITS_OUTPUTS];
static unsigned char b[DIGITS_INPUTS];
int main(void) {
  for (int i = 0; i < DIGITS_INPUTS; i++) x[i] = b[i] = (i * 37) % 256;
  digits_predict(x, y);
  for (int run = 0; run < 3; run++) {
    digits_predict_bytes_in(workspace, b, z);
    if (memcmp(y, z, sizeof y)) return 1;
  }
  digits_predict_bytes(b, z);
  if (memcmp(y, z, sizeof y)) return 2;
  if (digits_classify(x) != digits_classify_bytes(b)) return 3;
  return strcmp(digits_classes[1], "\\"*/\\xc3\\xa9\\\\") ? 4 : 0;
}
"""


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a library that is called digits, one of whose classes has a name full of traps."""
    folder = tmp_path_factory.mktemp("digits")
    classes = ["a", '"*/é\\', *"cdefghij"]
    library.write(model_of(NETWORKS["lenet5"](), classes=classes), folder, "x86-64-v2", "digits")
    return folder


def test_every_function_gives_the_same(digits: Path) -> None:
    (compiler,) = compiler_of("x86-64-v2")
    (digits / "check.c").write_text(CHECK, "utf-8")
    program = digits / "check"
    command = [compiler, "-Wall", "-Werror", "-pedantic", "-o", program, digits / "check.c", digits / "libdigits.a"]
    subprocess.run(command, check=True)
    assert subprocess.run([program], check=False).returncode == 0


def test_needs_nothing_and_says_what_memory_it_takes(digits: Path) -> None:
    header = (digits / "digits.h").read_text("utf-8")
    numbers = {
        name: int(n.replace(",", "")) for name, n in re.findall(r"\* +(\w+) +(?:at most )?([\d,]+) bytes", header)
    }
    weights = 4 * model_of(NETWORKS["lenet5"]()).network.parameter_count
    assert set(numbers) == {"constants", "code", "workspace", "stack"}
    assert weights < numbers["constants"] < 1.3 * weights
    assert numbers["code"] < 300_000
    assert 4 * 6 * 28 * 28 <= numbers["workspace"] < 100_000
    assert 0 < numbers["stack"] < 4096
    if shutil.which("nm"):
        listed = subprocess.run(["nm", digits / "libdigits.a"], capture_output=True, text=True, check=True).stdout
        assert re.findall(r" U (\w+)", listed) == ["digits_data"]


def test_the_header_names_the_columns_of_a_table(tmp_path: Path) -> None:
    columns = (
        Column("price */ /*", fill=9.5),
        Column("town", ("Bern", "Köln")),
        Column("built", fill=0.0, date="year-month-day"),
        Column("size"),
    )
    table = {"table": Schema(columns, ("y",), (), True, (5, 1)).to_dict()}
    model = model_of(Sequential([Flatten(), Linear(2)], (5, 1)), metadata={"preparation": table})
    library.write(model, tmp_path, "x86-64-v2", "m")
    header = (tmp_path / "m.h").read_text("utf-8")
    assert header[: header.index("Nothing")].endswith(
        """ * Normalisation is inside.
 *
 *   x[0]  price * / / *: a number; 9.5 where it is missing
 *   x[1]  town=Bern: 1 if so, else 0
 *   x[2]  town=Köln: 1 if so, else 0
 *   x[3]  built: a date, in days since 1970; 0 where it is missing
 *   x[4]  size: a number
 *
 * """
    )
    assert header.count("/*") == header.count("*/")


def test_writes_numbers_in_the_units_of_the_targets() -> None:
    network = Sequential([Linear(2)], (3,))
    model = model_of(network, target_normalisation=Normalisation((200.0, 1.0), (50.0, 2.0)))
    samples = samples_for(model) / 255
    np.testing.assert_allclose(answers.answering(model).outputs(samples), model.predict(samples), rtol=1e-6)


@pytest.mark.parametrize("last", [[], [layers.Softmax()], [layers.LogSoftmax()], [layers.Sigmoid()]])
@pytest.mark.parametrize(("targets", "loss"), [("classes", "cross_entropy"), ("labels", "binary_cross_entropy")])
@pytest.mark.parametrize("outputs", [1, 3])
def test_answers_are_the_probabilities(last: list, targets: str, loss: str, outputs: int) -> None:
    metadata = {"targets": targets, "loss_function": {"name": loss}}
    model = model_of(Sequential([Linear(outputs), *last], (4,)), metadata=metadata)
    samples = samples_for(model) / 255
    try:
        expected = model.predict_proba(samples)
    except StriateError:
        pytest.skip("this loss does not read such outputs")
    np.testing.assert_allclose(answers.answering(model).outputs(samples), expected, atol=1e-6)


@pytest.mark.parametrize("target", ["aarch64-linux-android", "arm64-apple-macosx11"])
def test_takes_triples(target: str) -> None:
    assert processor(target).triple == "aarch64-" + target.partition("-")[2]
    assert processor("native").lanes == default_lanes()


@pytest.mark.parametrize("target", ["cortex-m5", "vax", "x86_64", "aarch64-", "aarch64-../../x-y"])
def test_refuses_unknown_targets(target: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--target: unknown name .*Known: aarch64, "):
        library.write(model_of(Sequential([Linear(1)], (3,))), tmp_path, target)


def test_refuses_names_that_are_none_in_c(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--name: must be a name of C"):
        library.write(model_of(Sequential([Linear(1)], (3,))), tmp_path, name="2 nets")


def test_refuses_layers_without_kernels(tmp_path: Path) -> None:
    class Cube(layers.Layer):
        kind = "cube"

        def output_shape(self, *inputs: tuple[int, ...]) -> tuple[int, ...]:
            return inputs[0]

    with pytest.raises(UsageError, match=r"cube1 \(Cube\)"):
        library.write(model_of(Sequential([Cube(), Linear(1)], (3,))), tmp_path)


def test_says_where_a_folder_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = compiling.Compiled(b"", compiling.MARK * 50, 0)
    monkeypatch.setattr("striate.targets.library.writing.compile_library", lambda job: made)
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=r"cannot be created"):
        library.write(model_of(Sequential([Linear(1)], (3,))), tmp_path / "file" / "library")


def test_reports_what_llvm_cannot_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "LLVM ERROR: cannot select")
    monkeypatch.setattr(subprocess, "run", lambda *args, **options: failed)
    job = compiling.Job("model", processor("armv7"), [], {}, [], {}, [])
    with pytest.raises(
        StriateError, match=r"armv7.*: LLVM cannot compile the library \(LLVM ERROR: cannot select\)"
    ):
        compiling.compile_library(job)


def test_archives_are_those_of_ar(tmp_path: Path) -> None:
    if shutil.which("ar") is None:
        pytest.skip("needs ar")
    path = tmp_path / "a.a"
    path.write_bytes(archive([("one.o", b"12345", ["f", "g"]), ("two.o", b"678", ["h"])]))
    subprocess.run(["ar", "x", path], cwd=tmp_path, check=True)
    assert (tmp_path / "one.o").read_bytes() == b"12345"
    assert (tmp_path / "two.o").read_bytes() == b"678"


@pytest.mark.skipif(shutil.which("make") is None, reason="builds the example")
@pytest.mark.parametrize("target", ["native", "aarch64", "armv7"])
def test_gives_the_integers_of_a_quantised_model(target: str, tmp_path: Path) -> None:
    """A last layer with multipliers of 1 shows its sums, so that equal text means equal integers."""
    compiler_of(target)
    network = Sequential(
        [
            layers.Quantise(0.02, 128),
            layers.QuantisedConv2d(20, 3, padding=1, input_zero_point=128, output_scale=1.0, output_zero_point=3),
            layers.MaxPool2d(2),
            layers.Flatten(),
            layers.QuantisedLinear(7, input_zero_point=3),
        ],
        (3, 9, 8),
    )
    rng = np.random.default_rng(0)
    theta = rng.integers(-127, 128, network.parameter_count).astype(np.float32)
    for slot in network.parameters:
        if slot.spec.name == "multiplier":
            slot.view(theta)[...] = 2.0**-8 if slot.name.startswith("conv") else 1.0
    model = Model(network, theta)
    library.write(model, tmp_path, target)
    samples = rng.normal(size=(3, 3, 9, 8)).astype(np.float32)
    expected = model.outputs(samples)
    assert len(np.unique(expected)) == expected.size
    found = np.array([words[:7] for words in answers_of(tmp_path, target, samples)], np.float32)
    np.testing.assert_array_equal(found, expected)
