"""Prints what each innermost loop of an assembly file has that multiplies vectors of 16 floats.

One line a loop: how many such multiplications, and how many vectors go to the stack and back.
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


for loop in inner_loops(open(sys.argv[1]).read().splitlines()):
    products = sum("vfmadd" in line and "%zmm" in line for line in loop)
    spills = sum("(%rsp" in line and "%zmm" in line for line in loop)
    if products:
        print(f"{products} products, {spills} spilled")
