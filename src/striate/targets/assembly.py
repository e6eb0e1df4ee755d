"""LLVM code that Numba made for this processor, rewritten for another one."""

from __future__ import annotations

import re
from collections.abc import Callable

_FUSED = re.compile(r"@llvm\.fma\.((?:v\d+)?f(?:32|64))\(")
_ROUNDED = re.compile(r"@llvm\.rint\.((?:v\d+)?f32)\(")
_FILL = "@llvm.memset.p0.i64("
_INTEGERS_FROM = "0x4160000000000000"  # 2**23: every larger float32 is an integer


def translated(source: str, triple: str, layout: str, *, fused: bool = True, rounds: bool = True) -> str:
    """Return the code for a target, without the names of this processor and with private symbols.

    Parameters
    ----------
    source : str
        LLVM code of this processor.
    triple, layout : str
        The target's name and data layout.
    fused : bool
        Whether the target multiplies and adds in one instruction; otherwise it takes two.
    rounds : bool
        Whether the target rounds to an integer in one instruction; otherwise additions do.
    """
    text = re.sub(r'target datalayout = ".*"', f'target datalayout = "{layout}"', source)
    text = re.sub(r'target triple = ".*"', f'target triple = "{triple}"', text)
    text = re.sub(r'"target-(cpu|features)"="[^"]*"', "", text)
    # weak and common symbols cannot be written for every target, and would collide with those of other libraries
    text = text.replace("= common ", "= internal ").replace("linkonce_odr", "internal")
    if not fused:
        text = _with_own(text, _FUSED, "fma", "multiply_add", _multiply_add)
    if not rounds:
        text = _with_own(text, _ROUNDED, "rint", "round_even", _round_even)
    return text


def standing_alone(source: str) -> str:
    """Return code that calls no function of a C library, and makes LLVM report the stack of every function."""
    attributes = '"no-builtins" "warn-stack-size"="0"'  # no loop becomes memset; every frame is more than 0 bytes
    text = re.sub(r"^(attributes #\d+ = \{)", rf"\1 {attributes}", source, flags=re.MULTILINE)
    if _FILL in text:
        text = re.sub(rf"^declare [^\n]*{re.escape(_FILL)}[^\n]*\n", "", text, flags=re.MULTILINE)
        text = text.replace(_FILL, "@fill(") + _FILL_BYTES.format(attributes=attributes)
    return text


_FILL_BYTES = """
define internal void @fill(ptr %begin, i8 %value, i64 %count, i1 %volatile) {attributes} {{
entry:
  %some = icmp ne i64 %count, 0
  br i1 %some, label %next, label %end
next:
  %i = phi i64 [ 0, %entry ], [ %after, %next ]
  %place = getelementptr i8, ptr %begin, i64 %i
  store i8 %value, ptr %place
  %after = add i64 %i, 1
  %more = icmp ult i64 %after, %count
  br i1 %more, label %next, label %end
end:
  ret void
}}
"""


def _with_own(
    text: str, calls: re.Pattern[str], intrinsic: str, name: str, define: Callable[[str, str], str]
) -> str:
    """Replace the calls of an intrinsic by those of a function that ``define`` writes for each type."""
    for kind in sorted(set(calls.findall(text))):
        text = re.sub(rf"^declare [^\n]*@llvm\.{intrinsic}\.{kind}\([^\n]*\n", "", text, flags=re.MULTILINE)
        text = text.replace(f"@llvm.{intrinsic}.{kind}(", f"@{name}.{kind}(") + define(name, kind)
    return text


def _type(kind: str) -> tuple[str, int]:
    """Return the type that a suffix such as "v4f32" stands for, and its number of lanes, 0 for a scalar."""
    number = "float" if kind.endswith("f32") else "double"
    lanes = int(kind[1:-3]) if kind.startswith("v") else 0
    return (f"<{lanes} x {number}>" if lanes else number), lanes


def _multiply_add(name: str, kind: str) -> str:
    number, _ = _type(kind)
    return (
        f"\ndefine internal {number} @{name}.{kind}({number} %a, {number} %b, {number} %c) alwaysinline {{\n"
        f"  %m = fmul {number} %a, %b\n  %s = fadd {number} %m, %c\n  ret {number} %s\n}}\n"
    )


def _round_even(name: str, kind: str) -> str:
    """Return a function that rounds half to even: what is added to 2**23 loses its fraction."""
    number, lanes = _type(kind)
    word, flag = (f"<{lanes} x i32>", f"<{lanes} x i1>") if lanes else ("i32", "i1")

    def every(value: str, kind: str) -> str:
        return f"<{', '.join([f'{kind} {value}'] * lanes)}>" if lanes else value

    large, sign, rest = every(_INTEGERS_FROM, "float"), every(str(-(2**31)), "i32"), every(str(2**31 - 1), "i32")
    return (
        f"\ndefine internal {number} @{name}.{kind}({number} %x) alwaysinline {{\n"
        f"  %bits = bitcast {number} %x to {word}\n"
        f"  %sign = and {word} %bits, {sign}\n  %rest = and {word} %bits, {rest}\n"
        f"  %a = bitcast {word} %rest to {number}\n  %small = fcmp olt {number} %a, {large}\n"
        f"  %s = fadd {number} %a, {large}\n  %r = fsub {number} %s, {large}\n"
        f"  %whole = bitcast {number} %r to {word}\n  %signed = or {word} %whole, %sign\n"
        f"  %c = bitcast {word} %signed to {number}\n"
        f"  %y = select {flag} %small, {number} %c, {number} %x\n  ret {number} %y\n}}\n"
    )
