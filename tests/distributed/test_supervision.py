"""Ranks that are killed, stopped or asked to stop."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.distributed.disturb import TRAIN, checksum, ranks_of, run

from striate.cli.app import main
from striate.distributed import heartbeat, supervision
from striate.distributed.beats import Beats
from striate.distributed.hosts import address_for, answering
from striate.distributed.supervision import Supervisor
from striate.errors import StriateError, UsageError

SHORT = ["--epochs", "6"]


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds processes in /proc")
def test_killed_rank_changes_nothing(tmp_path: Path) -> None:
    pytest.importorskip("mpi4py")
    with pytest.raises(SystemExit):
        main([*TRAIN, *SHORT, "--out", str(tmp_path / "whole")])
    assert run(tmp_path / "killed", signal.SIGKILL, 0.1, SHORT) == checksum(tmp_path / "whole")
    log = (tmp_path / "killed" / "launch.log").read_text()
    assert log.count("launch: starting 2 ranks") <= 2


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds processes in /proc")
def test_ranks_that_fail_again_and_again_become_fewer_and_change_nothing(tmp_path: Path) -> None:
    pytest.importorskip("mpi4py")
    folder = tmp_path / "run"
    with pytest.raises(SystemExit):
        main([*TRAIN, *SHORT, "--out", str(tmp_path / "whole")])
    launch = ["launch", "--ranks", "3", "--elastic", "--", *TRAIN, *SHORT, "--out", str(folder)]
    process = subprocess.Popen([sys.executable, "-m", "striate", *launch], stdout=subprocess.DEVNULL)
    try:
        for count in (3, 2):
            while len(ranks := ranks_of(folder)) < count and process.poll() is None:
                time.sleep(0.02)
            os.kill(ranks[-1], signal.SIGKILL)
            while set(ranks) & set(ranks_of(folder)) and process.poll() is None:
                time.sleep(0.02)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    assert checksum(folder) == checksum(tmp_path / "whole")
    started = re.findall(r"launch: (starting \d ranks?):", (folder / "launch.log").read_text())
    assert started == ["starting 3 ranks", "starting 2 ranks", "starting 1 rank"]


def test_a_rank_that_cannot_reach_the_supervisor_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with Beats(local=True) as beats:
        port = beats.port
    heartbeat._send(3, address_for(["localhost", "127.0.0.1"]), port)
    text = rf"rank 3 on \S+ cannot reach striate launch at 127\.0\.0\.1:{port} \(.*\)\. If it hangs"
    assert re.search(text, capfd.readouterr().err)


def test_hosts_that_no_longer_answer_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = ["a", "c"]
    monkeypatch.setattr(supervision, "answering", lambda hosts, all_of_them=False: left)
    supervisor = Supervisor(6, tmp_path, ["a", "b", "c"], elastic=True)
    supervisor._shrink()
    assert (supervisor.ranks, supervisor.hosts) == (4, ["a", "c"])
    left = []
    with pytest.raises(StriateError, match=r"none of the hosts answers any more \(a, c\)\. Start one, then use"):
        supervisor._shrink()


@pytest.mark.skipif(not Path("/proc").exists(), reason="finds processes in /proc")
def test_signal_of_a_batch_system_saves_and_asks_for_another_start(tmp_path: Path) -> None:
    pytest.importorskip("mpi4py")
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "striate", "launch", "--ranks", "2", "--", *TRAIN, "--epochs", "100000"]
    process = subprocess.Popen([*command, "--out", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while not (folder / "log.jsonl").exists() and process.poll() is None:
            time.sleep(0.05)
        while len((folder / "log.jsonl").read_text().splitlines()) < 3 and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGUSR1)
        assert process.wait(60) == 75
    finally:
        process.kill()
        process.communicate()
    assert list((folder / "checkpoints").glob("step-*"))
    assert not ranks_of(folder)


def test_silent_rank_is_missed() -> None:
    with Beats(local=True) as beats:
        import socket

        with socket.create_connection(("127.0.0.1", beats.port)) as connection:
            connection.sendall(b"1 here 12345\n")
            while not beats.processes():
                beats.read(0.1)
            assert beats.process_of(1) == ("here", 12345)
            assert beats.silent(60.0) is None
            assert beats.silent(-1.0) == "rank 1 on here has not answered for -1 s"
        while not beats.all_gone:
            beats.read(0.1)
        assert beats.silent(-1.0) is None
        assert beats.lost == "ranks ended: 1"


def test_hosts_that_no_longer_answer_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "answering", lambda hosts, all_of_them=False: list(hosts[:1]))
    monkeypatch.setattr(supervision, "check_installed", lambda: None)
    monkeypatch.setattr(
        supervision._Attempt, "run", lambda attempt, arguments: (None, "mpiexec ended with status 255")
    )
    end = r"the ranks failed 1 times; see \S+\. Last: mpiexec ended with status 255; no answer from b\."
    with pytest.raises(StriateError, match=end):
        Supervisor(2, tmp_path, ["a", "b"], restarts=0).run(["train"])
    assert Supervisor(2, tmp_path)._silent() == ""


def test_host_must_answer() -> None:
    with pytest.raises(
        UsageError, match=r"hosts: no\.such\.host\.invalid must answer on port 22 \(ssh\); got '.*'"
    ):
        answering(["no.such.host.invalid"], all_of_them=True)
    assert answering(["localhost", "no.such.host.invalid"]) == ["localhost"]
