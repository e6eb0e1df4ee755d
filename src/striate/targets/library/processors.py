"""The processors that a library can be compiled for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from striate.errors import unknown_name


@dataclass(frozen=True)
class Processor:
    """How LLVM describes a processor.

    Parameters
    ----------
    triple : str
        Architecture, vendor, system and interface of binaries.
    cpu, features : str
        In LLVM's words.
    lanes : int
        float32 numbers that a kernel computes together.
    fused, rounds : bool
        Whether it multiplies and adds, and rounds to integers, in one instruction.
    interface : str
        How functions are called, where the triple leaves it open.
    compiler : str
        What a Makefile calls, with its options.
    """

    triple: str
    cpu: str
    features: str = ""
    lanes: int = 4
    fused: bool = True
    rounds: bool = True
    interface: str = ""
    compiler: str = "cc"

    @property
    def is_elf(self) -> bool:
        """Whether object files are in the format of Linux and of bare machines."""
        return not re.search(r"darwin|macos|ios|windows|wasm", self.triple)

    @property
    def is_bare(self) -> bool:
        """Whether there is no operating system."""
        return "-none-" in self.triple


_LINUX = "unknown-linux-gnu"
_CORTEX = "arm-none-eabi-gcc -mthumb -mfloat-abi=hard --specs=rdimon.specs"
PROCESSORS = {
    "x86-64-v2": Processor(f"x86_64-{_LINUX}", "x86-64-v2", fused=False),
    "x86-64-v3": Processor(f"x86_64-{_LINUX}", "x86-64-v3", lanes=8),
    "x86-64-v4": Processor(f"x86_64-{_LINUX}", "x86-64-v4", lanes=16),
    "aarch64": Processor(f"aarch64-{_LINUX}", "generic", compiler="aarch64-linux-gnu-gcc"),
    "armv7": Processor(
        f"armv7-{_LINUX}eabihf",
        "cortex-a8",
        fused=False,
        rounds=False,
        compiler="arm-linux-gnueabihf-gcc -march=armv7-a -mfpu=neon",
    ),
    "cortex-m4": Processor(
        "thumbv7em-none-eabihf",
        "cortex-m4",
        rounds=False,
        compiler=f"{_CORTEX} -mcpu=cortex-m4 -mfpu=fpv4-sp-d16",
    ),
    "cortex-m7": Processor(
        "thumbv7em-none-eabihf", "cortex-m7", compiler=f"{_CORTEX} -mcpu=cortex-m7 -mfpu=fpv5-d16"
    ),
    "riscv64": Processor(
        f"riscv64-{_LINUX}",
        "generic-rv64",
        "+m,+a,+f,+d,+c",
        rounds=False,
        interface="lp64d",
        compiler="riscv64-linux-gnu-gcc",
    ),
    "riscv64-v": Processor(
        f"riscv64-{_LINUX}",
        "generic-rv64",
        "+m,+a,+f,+d,+c,+v",
        interface="lp64d",
        compiler="riscv64-linux-gnu-gcc",
    ),
}
"""Processors by the name that users type."""
_FAMILIES = {
    "x86_64": "x86-64-v2",
    "amd64": "x86-64-v2",
    "aarch64": "aarch64",
    "arm64": "aarch64",
    "armv7": "armv7",
    "armv7a": "armv7",
    "thumbv7em": "cortex-m4",
    "riscv64": "riscv64",
    "riscv64gc": "riscv64",
}
"""The minimal processor of an architecture, the first part of a triple."""
NATIVE = "native"


def processor(name: str) -> Processor:
    """Return a processor by its name, by a triple such as ``aarch64-linux-android``, or this one for "native".

    Raises
    ------
    UsageError
        If nothing is known of it, with the nearest names.
    """
    if name == NATIVE:
        return _native()
    if name in PROCESSORS:
        return PROCESSORS[name]
    architecture, dash, system = name.partition("-")
    if not (dash and architecture in _FAMILIES and re.fullmatch(r"[\w.]+(-[\w.]+){1,2}", system)):
        raise unknown_name("--target", name, [*PROCESSORS, NATIVE])
    known = PROCESSORS[_FAMILIES[architecture]]
    return replace(known, triple="-".join([known.triple.partition("-")[0], system]), compiler="cc")


def _native() -> Processor:
    import llvmlite.binding as llvm

    from striate.machine import default_lanes

    features = llvm.get_host_cpu_features()
    triple = llvm.get_process_triple()
    fused = not triple.startswith("x86_64") or bool(features.get("fma"))
    return Processor(triple, llvm.get_host_cpu_name(), features.flatten(), default_lanes(), fused)
