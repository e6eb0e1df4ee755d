"""``python -m benchmarks``: speed beside PyTorch and other peers, start-up, memory, and pages in a browser."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

from benchmarks import imported, integers, limits, report, sections, streaming, web
from benchmarks.networks import CASES

SECTIONS = {
    "training": sections.training,
    "inference": sections.inference,
    "int8": integers.integers,
    "imported": imported.imported,
    "latency": limits.latency,
    "peak": limits.peak,
    "threads": sections.threads,
    "scaling": sections.scaling,
    "ranks": sections.ranks,
    "operations": sections.operations,
    "augmentation": sections.augmentation,
    "loop": sections.loop,
    "streaming": streaming.streaming,
    "start": sections.start,
    "memory": sections.memory,
    "web": web.web,
}
USUAL = [name for name in ("lenet5", "digit_recogniser", "logistic_regression") if name in CASES]


def main() -> None:
    """Measure what the arguments name and print it as Markdown."""
    options = _arguments()
    body: list[str] = []
    for name in options.what:
        made = SECTIONS[name](options)
        print("\n".join(made), flush=True)
        body += made
    if options.write:
        report.write(options.write, report.heading(_command()) + body)


def _command() -> str:
    return f"python -m benchmarks {shlex.join(sys.argv[1:])}".strip()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("networks", nargs="*", default=USUAL, metavar="NETWORK", help=", ".join(CASES))
    parser.add_argument("--what", nargs="+", choices=SECTIONS, default=list(SECTIONS), help="sections to measure")
    parser.add_argument("--rounds", type=int, default=7, help="timings of each contestant (default 7)")
    parser.add_argument("--seconds", type=float, default=1.0, help="of one timing (default 1)")
    parser.add_argument("--batch", type=int, nargs="+", help="batch sizes instead of the network's own")
    parser.add_argument(
        "--inference-batch", type=int, nargs="+", default=[1, 4, 16, 64, 256], help="default 1 4 16 64 256"
    )
    parser.add_argument("--pictures", type=int, default=60_000, help="of the section streaming (default 60000)")
    parser.add_argument("--no-peers", action="store_true", help="leave out ONNX Runtime, Keras/TensorFlow and JAX")
    parser.add_argument("--mnist", default=os.environ.get("STRIATE_MNIST"), help="folder of MNIST's IDX files")
    parser.add_argument("--write", type=Path, help="put the section on top of this file too")
    options = parser.parse_args()
    for name in options.networks:
        if name not in CASES:
            parser.error(f"unknown network {name!r}; known: {', '.join(CASES)}")
    return options


if __name__ == "__main__":
    main()
