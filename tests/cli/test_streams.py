"""What reaches the terminal, and what happens where there is none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import striate
from striate.cli.streams import json_text, printable

PROGRAM = f"'{sys.executable}' -m striate"


def shell(line, **options):
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, timeout=120, **options)


@pytest.mark.parametrize(
    "line",
    [
        f"{PROGRAM} summary lenet5 >&-",
        f"{PROGRAM} summary lenet5 2>&-",
        f"{PROGRAM} summary nothing 2>&-",
        f"{PROGRAM} summary lenet5 <&-",
        f"{PROGRAM} train --help | head -1",
        f"{PROGRAM} summary vgg16 --json | head -c 1",
        f"{PROGRAM} summary vgg16 > /dev/full",
    ],
)
def test_streams_that_are_closed_or_full_end_without_a_traceback(line):
    done = shell(line)
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_closed_output_whose_number_a_library_has_taken():
    code = "import os; os.open('/dev/zero', os.O_RDONLY); from striate.cli.app import main; main()"
    done = shell(f"""'{sys.executable}' -c "{code}" summary lenet5 >&-""")
    assert (done.returncode, done.stderr) == (0, "")


def endless_training(run: Path) -> subprocess.Popen[str]:
    """Start a training; return it when its first epoch has ended."""
    arguments = ["train", "digits", "--epochs", "100000", "--out", str(run), "--no-report"]
    process = subprocess.Popen([sys.executable, "-m", "striate", *arguments], stderr=subprocess.PIPE, text=True)
    while not (run / "log.jsonl").exists() and process.poll() is None:
        time.sleep(0.02)
    return process


def ends_in_good_order(process: subprocess.Popen[str], *more: int) -> None:
    _, errors = process.communicate(timeout=120)
    assert "Traceback" not in errors
    assert process.returncode in (1, *more), errors
    assert "interrupted" in errors


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_stop_a_training_in_good_order(number, tmp_path):
    process = endless_training(tmp_path / "run")
    process.send_signal(number)
    ends_in_good_order(process)


def test_a_training_that_is_held_goes_on(tmp_path):
    process, log = endless_training(tmp_path / "run"), tmp_path / "run" / "log.jsonl"
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    held = log.stat().st_size
    process.send_signal(signal.SIGCONT)
    while log.stat().st_size == held and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    ends_in_good_order(process)


def test_a_second_interrupt_leaves_nothing_half_written(tmp_path):
    process = endless_training(tmp_path / "run")
    process.send_signal(signal.SIGINT)
    time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    ends_in_good_order(process, -signal.SIGINT)  # the second one may end Python itself
    assert not list((tmp_path / "run").rglob("*.part"))
    for written in (tmp_path / "run").rglob("*.safetensors"):
        assert striate.load(written).network.parameter_count


def test_escape_sequences_and_lone_surrogates_are_shown_as_text():
    assert printable("a\x1b[31m\x9b\r\n\tb\ud800\u202eü€") == "a\\x1b[31m\\x9b\\r\n\tb\\ud800\\u202eü€"
    name = {"class": "a\x1b[31m\x7f\ud800ü"}
    text = json_text(json.dumps(name, ensure_ascii=False))
    assert json.loads(text) == name
    assert text.encode().decode().isprintable()


def test_names_of_classes_cannot_change_the_terminal(run, tmp_path):
    import numpy as np

    path = tmp_path / "odd.npz"
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    names = np.array(["\x1b[31mred", "ok\ud800"])
    np.savez(path, x=rng.normal(size=(60, 1, 8, 8)) + y[:, None, None, None], y=y, classes=names)
    result = run("train", path, "--epochs", 1, "--model", "mlp", "--out", tmp_path / "run", "--no-report")
    assert "\x1b[31mred" not in result.output


def test_names_that_the_locale_cannot_show_are_escaped(tmp_path):
    network = striate.Sequential([striate.layers.Flatten(), striate.layers.Linear(2)], (1, 2, 2))
    model = striate.Model(network, [1.0] * 10, classes=("gr\u00fcn", "wei\u00df"))
    path = model.save(tmp_path / "m.safetensors")
    (tmp_path / "x.csv").write_text("1,2,3,4\n5,6,7,8\n")
    env = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = shell(f"{PROGRAM} predict {path} {tmp_path}/x.csv", env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert "gr\\xfcn" in done.stdout


def test_an_option_that_is_repeated_is_refused(refused, run):
    assert "--epochs: can be given only once; got it 2 times" in refused(
        "train", "digits", "--epochs", 1, "--epochs", 2, status=2
    )
    assert "--report: can be given only once" in refused("train", "--report", "--no-report", status=2)


def test_a_file_does_not_take_the_number_of_a_closed_stream(tmp_path):
    """What is written for people must not land in the first file that a command opens."""
    code = (
        "from striate.cli.streams import prepare_streams; prepare_streams(); "
        f"f = open({str(tmp_path / 'file')!r}, 'w'); print('for people'); print(f.fileno(), file=f)"
    )
    done = shell(f"'{sys.executable}' -c \"$CODE\" <&- >&- 2>&-", env={**os.environ, "CODE": code})
    assert done.returncode == 0
    assert int((tmp_path / "file").read_text()) > 2


def test_an_interrupt_that_was_caught_does_not_end_the_interpreter(tmp_path):
    lines = [
        "import sys",
        "from striate.cli.ending import _forget_interrupt",
        "try: exec('raise KeyboardInterrupt')",
        "except KeyboardInterrupt: pass",
        "_forget_interrupt()",
        "sys.exit(1)",
    ]
    (tmp_path / "interrupted_program.py").write_text("\n".join(lines), encoding="utf-8")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    command = [sys.executable, "-m", "interrupted_program"]
    assert subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False).returncode == 1
