"""Two ranks in network namespaces of their own, with a slow link between them that loses packets."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.distributed.test_bits import PROGRAM, learnt

from striate.distributed.starting import mpiexec_line

HERE, THERE = "10.99.7.1", "10.99.7.2"
LINK = "tbf rate 100mbit burst 32kb limit 60kb"  # what exceeds the limit is lost; netem is not in every kernel


def call(line: str) -> str:
    """Run a command and return what it prints."""
    return subprocess.run(shlex.split(line), check=True, capture_output=True, text=True).stdout


@pytest.fixture
def spaces() -> Iterator[dict[str, str]]:
    """Two namespaces by address; skips where they, or the shaping of traffic, cannot be had."""
    if shutil.which("ip") is None or shutil.which("tc") is None or not hasattr(os, "geteuid") or os.geteuid():
        pytest.skip("needs root, ip and tc")
    made = {HERE: f"striate-a-{os.getpid()}", THERE: f"striate-b-{os.getpid()}"}
    try:
        for name in made.values():
            call(f"ip netns add {name}")
        call(f"ip -n {made[HERE]} link add link0 type veth peer name link0 netns {made[THERE]}")
        for address, name in made.items():
            call(f"ip -n {name} addr add {address}/24 dev link0")
            call(f"ip -n {name} link set lo up")
            call(f"ip -n {name} link set link0 up")
            call(f"ip netns exec {name} tc qdisc add dev link0 root {LINK}")
        yield made
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespaces: {error.stderr}")
    finally:
        for name in made.values():
            with contextlib.suppress(subprocess.CalledProcessError):
                call(f"ip netns del {name}")


@pytest.mark.slow  # MPICH does not always start between namespaces of one machine
def test_slow_link_that_loses_packets_changes_no_bit(spaces: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("mpi4py")
    if "-hosts" not in mpiexec_line(2, [HERE, THERE]):
        pytest.skip("starts ranks with an option of MPICH")
    shell = tmp_path / "ssh"  # gets options, the host, and the command
    cases = "".join(f"{address}) space={name};; " for address, name in spaces.items())
    shell.write_text(
        '#!/bin/sh\nwhile case "$1" in -*) true;; *) false;; esac; do shift; done\n'
        f'case "$1" in {cases}esac\nshift\nexec ip netns exec "$space" sh -c "$*"\n'
    )
    shell.chmod(0o755)
    launcher = ["-launcher", "ssh", "-launcher-exec", str(shell), "-disable-hostname-propagation"]
    ranks = [*mpiexec_line(2, [HERE, THERE]), *launcher, "-genv", "UCX_TLS", "tcp"]
    command = ["ip", "netns", "exec", spaces[HERE], *ranks, sys.executable, str(PROGRAM), "1"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout == learnt(1, 1)
    counts = call(f"ip netns exec {spaces[THERE]} tc -s qdisc show dev link0")
    sent = re.search(r"Sent (\d+) bytes .*\(dropped (\d+),", counts)
    assert sent is not None
    assert int(sent[1]) > 100_000  # the gradients went through the link
