#!/usr/bin/env python3
"""random_weights.py OUT.gguf NAME=ROWSxCOLUMNS:TYPE ... - writes a GGUF file of random tensors.

For benchmarks of single operations, whose time doesn't depend on what the numbers are. TYPE is F32, F16, BF16, Q4_0,
Q4_1 or Q8_0. The same arguments give the same file. Numbers lie between -2 and 2.

    benchmarks/random_weights.py W.gguf W=4096x4096:BF16
"""

import random
import re
import struct
import sys

ALIGNMENT = 32
SCALE = struct.pack("<e", 2.0**-6)
# A type's number in GGUF, elements and bytes of a block, and what stands in front of the block's quants.
TYPES = {
    "F32": (0, 1, 4, b""),
    "F16": (1, 1, 2, b""),
    "BF16": (30, 1, 2, b""),
    "Q4_0": (2, 32, 18, struct.pack("<e", 0.125)),
    "Q4_1": (3, 32, 20, struct.pack("<ee", 0.125, -1.0)),
    "Q8_0": (8, 32, 34, SCALE),
}
# The byte with a number's sign and the upper bits of its exponent: any sign, and a size of 1 or somewhat less.
HIGH_BYTE = {"F32": 0x3E, "BF16": 0x3E, "F16": 0x38}


def contents(kind, elements, source):
    """The bytes of a tensor."""
    _, block_elements, block_bytes, head = TYPES[kind]
    data = bytearray(source.randbytes(elements // block_elements * block_bytes))
    if kind in HIGH_BYTE:
        table = bytes((byte & 0x80) | HIGH_BYTE[kind] | (byte & 0x01) for byte in range(256))
        data[block_bytes - 1 :: block_bytes] = data[block_bytes - 1 :: block_bytes].translate(table)
    for at, byte in enumerate(head):
        data[at::block_bytes] = bytes([byte]) * (len(data) // block_bytes)
    return data


def parse(argument):
    """("W", rows, columns, "F32") of "W=2x3:F32"."""
    match = re.fullmatch(r"(\w[\w.]*)=(\d+)x(\d+):(\w+)", argument)
    if not match:
        sys.exit(f"error: '{argument}' names no tensor, expected NAME=ROWSxCOLUMNS:TYPE such as W=512x512:F32")
    name, rows, columns, kind = match[1], int(match[2]), int(match[3]), match[4].upper()
    if kind not in TYPES:
        sys.exit(f"error: {name} is to be {kind}, expected one of {', '.join(TYPES)}")
    block = TYPES[kind][1]
    if rows < 1 or columns < 1 or columns % block:
        sys.exit(f"error: {name} is to be {rows}x{columns}, and {kind} takes rows of a multiple of {block} elements")
    return name, rows, columns, kind


def text(string):
    return struct.pack("<Q", len(string.encode())) + string.encode()


def main():
    if len(sys.argv) < 3 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    tensors = [parse(argument) for argument in sys.argv[2:]]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 1)
    head += text("general.alignment") + struct.pack("<II", 4, ALIGNMENT)
    offset = 0
    for name, rows, columns, kind in tensors:
        number, block_elements, block_bytes, _ = TYPES[kind]
        head += text(name) + struct.pack("<IQQIQ", 2, columns, rows, number, offset)
        offset += -(-rows * columns // block_elements * block_bytes // ALIGNMENT) * ALIGNMENT
    source = random.Random(1)
    with open(sys.argv[1], "wb") as out:
        out.write(head + bytes(-len(head) % ALIGNMENT))
        for _, rows, columns, kind in tensors:
            data = contents(kind, rows * columns, source)
            out.write(data + bytes(-len(data) % ALIGNMENT))


main()
