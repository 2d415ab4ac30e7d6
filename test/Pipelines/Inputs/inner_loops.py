"""Prints what each innermost loop of an assembly file has that multiplies vectors, in the widest registers of the file.

One line a loop: how many such multiplications, of bytes in fours and in words, of words and bf16 in pairs, and of floats, and how many vectors
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


KINDS = {"vpdpbusd": "products of fours", "vpmaddubsw": "products of words", "vpmaddwd": "products of pairs of words", "vdpbf16ps": "products of pairs", "vfmadd": "products"}

text = open(sys.argv[1]).read()
register = "%zmm" if "%zmm" in text else "%ymm"
for loop in inner_loops(text.splitlines()):
    counts = {kind: sum(op in line and register in line for line in loop) for op, kind in KINDS.items()}
    spills = sum("(%rsp" in line and register in line for line in loop)
    if products := [f"{count} {kind}" for kind, count in counts.items() if count]:
        print(f"{', '.join(products)}, {spills} spilled")
