"""Prints what each innermost loop of an assembly file has that multiplies vectors of 16 floats.

One line a loop: how many such multiplications, of bytes in fours, of bf16 in pairs and of floats, and how many vectors
go to the stack and back.
"""

import re
import sys


def inner_loops(lines):
    """The lines of every loop without a label inside: from a label to a jump back to it."""
    label, start = None, 0
    for number, line in enumerate(lines):
        if found := re.match(r"(\.LBB\w+):", line):
            label, start = found.group(1), number
        elif (jump := re.match(r"\s+j\w+\s+(\.LBB\w+)", line)) and jump.group(1) == label:
            yield lines[start : number + 1]


KINDS = {"vpdpbusd": "products of fours", "vdpbf16ps": "products of pairs", "vfmadd": "products"}

for loop in inner_loops(open(sys.argv[1]).read().splitlines()):
    counts = {kind: sum(op in line and "%zmm" in line for line in loop) for op, kind in KINDS.items()}
    spills = sum("(%rsp" in line and "%zmm" in line for line in loop)
    if products := [f"{count} {kind}" for kind, count in counts.items() if count]:
        print(f"{', '.join(products)}, {spills} spilled")
