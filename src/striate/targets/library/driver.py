"""The functions of a library as LLVM code: each row of a program becomes a call of its kernel."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from striate.kernels.library import float_bits
from striate.targets.assembly import standing_alone
from striate.targets.library.memory import DATA, Call

Signature = Sequence[tuple[str, str]]


def driver(
    name: str,
    loads: dict[str, list[Call]],
    calls: list[Call],
    signatures: Sequence[Signature],
    sizes: dict[str, int],
    classes: list[str],
) -> str:
    """Return the code of the functions of a library.

    Parameters
    ----------
    name : str
        What the names of all functions begin with.
    loads : dict of str to list of Call
        What puts a sample of each type into the workspace, by the ending of the function's name.
    calls : list of Call
        What follows.
    signatures : list of (name, type)
        The arguments of each kernel.
    sizes : dict
        "workspace" and "data" in bytes, the number of "outputs", and whether the target is "elf".
    classes : list of str
        Their names; empty where the answer is not one class.
    """
    parts = [f"declare i32 @kernel_{number}(ptr, ptr, ptr)" for number in range(len(signatures))]
    parts.append(f"@{name}_data = external hidden constant [{sizes['data']} x i8], align 64")
    room = sizes["workspace"] + 4 * sizes["outputs"]
    section = f', section ".bss.{name}_workspace"' if sizes["elf"] else ""
    parts.append(f"@{name}_workspace = internal global [{room} x i8] zeroinitializer{section}, align 64")
    parts.append(_rows(name, "compute", calls, signatures))
    for ending, load in loads.items():
        parts.append(_rows(name, f"load{ending}", load, signatures))
        parts.append(_PREDICT.format(name=name, ending=ending))
        if classes:
            parts.append(_CLASSIFY.format(name=name, ending=ending, place=sizes["workspace"], **sizes))
    parts += _texts(name, classes)
    return standing_alone("\n".join([*parts, "attributes #0 = { nounwind }\n"]))


def exported(name: str, loads: Iterable[str], classes: Sequence[str]) -> list[str]:
    """Return the symbols that ``driver`` defines for others."""
    endings = list(loads)
    found = [f"{name}_predict{ending}{place}" for ending in endings for place in ("", "_in")]
    if classes:
        found += [*(f"{name}_classify{ending}" for ending in endings), f"{name}_classes"]
    return found


def _texts(name: str, classes: list[str]) -> Iterator[str]:
    """Yield the array of names and the names."""
    for number, title in enumerate(classes):
        data = title.encode() + b"\0"
        text = "".join(f"\\{byte:02X}" for byte in data)
        yield f'@text{number} = private unnamed_addr constant [{len(data)} x i8] c"{text}"'
    if classes:
        pointers = ", ".join(f"ptr @text{number}" for number in range(len(classes)))
        yield f"@{name}_classes = constant [{len(classes)} x ptr] [{pointers}]"


def _rows(name: str, title: str, calls: list[Call], signatures: Sequence[Signature]) -> str:
    most = max(len(signature) for signature in signatures)
    lines = [f"define internal void @{title}(ptr %workspace, ptr %x, ptr %y) #0 {{"]
    lines += [f"  %table = alloca [{most} x i64], align 8", "  %unused = alloca [2 x ptr], align 8"]
    for number, (kernel, arguments) in enumerate(calls):
        for place, (argument, kind) in enumerate(signatures[kernel]):
            lines += _store(name, f"{number}_{place}", place, arguments[argument], kind)
        lines.append(f"  %result{number} = call i32 @kernel_{kernel}(ptr %unused, ptr %unused, ptr %table)")
    return "\n".join([*lines, "  ret void", "}"])


def _store(name: str, label: str, place: int, value: Any, kind: str) -> Iterator[str]:
    """Yield the lines that put an argument into the table."""
    if isinstance(value, list):
        base, offset = value
        pointer = f"@{name}_data" if base == DATA else f"%{base}"
        yield f"  %p{label} = getelementptr i8, ptr {pointer}, i64 {offset}"
        yield f"  %v{label} = ptrtoint ptr %p{label} to i64"
        written = f"%v{label}"
    else:
        written = str(float_bits(value) if kind == "float" else int(value))
    yield f"  %s{label} = getelementptr i64, ptr %table, i64 {place}"
    yield f"  store i64 {written}, ptr %s{label}, align 8"


_PREDICT = """
define void @{name}_predict{ending}_in(ptr %workspace, ptr %x, ptr %y) #0 {{
  call void @load{ending}(ptr %workspace, ptr %x, ptr %y)
  call void @compute(ptr %workspace, ptr %x, ptr %y)
  ret void
}}
define void @{name}_predict{ending}(ptr %x, ptr %y) #0 {{
  call void @{name}_predict{ending}_in(ptr @{name}_workspace, ptr %x, ptr %y)
  ret void
}}
"""
_CLASSIFY = """
define i32 @{name}_classify{ending}(ptr %x) #0 {{
entry:
  %y = getelementptr i8, ptr @{name}_workspace, i64 {place}
  call void @{name}_predict{ending}_in(ptr @{name}_workspace, ptr %x, ptr %y)
  br label %next
next:
  %i = phi i32 [ 0, %entry ], [ %after, %next ]
  %best = phi i32 [ 0, %entry ], [ %better, %next ]
  %place = getelementptr float, ptr %y, i32 %i
  %value = load float, ptr %place, align 4
  %kept = getelementptr float, ptr %y, i32 %best
  %largest = load float, ptr %kept, align 4
  %is_larger = fcmp ogt float %value, %largest
  %better = select i1 %is_larger, i32 %i, i32 %best
  %after = add i32 %i, 1
  %more = icmp ult i32 %after, {outputs}
  br i1 %more, label %next, label %end
end:
  ret i32 %better
}}
"""
