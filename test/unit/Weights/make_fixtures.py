#!/usr/bin/env python3
# Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes fixtures/TYPE.bin: a few stored blocks, then what they mean as f32.

Needs numpy and the PyPI package gguf (0.19.0 wrote the files that are checked in).
Types that gguf can only read get random bits with finite scales.
"""

import pathlib

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Type

FOLDER = pathlib.Path(__file__).parent / "fixtures"
rng = np.random.default_rng(20)

# Where the f16 fields lie in a block of each type that gguf can't write.
HALVES = {Type.Q2_K: [80, 82], Type.Q3_K: [108], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208]}


def random_blocks(kind: Type, count: int) -> np.ndarray:
    _, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for at in HALVES[kind]:
        halves = rng.uniform(-0.05, 0.05, count).astype(np.float16)
        blocks[:, at : at + 2] = halves.view(np.uint8).reshape(count, 2)
    return blocks.reshape(1, -1)


def stored(kind: Type) -> np.ndarray:
    if kind in HALVES:
        return random_blocks(kind, 2)
    if kind == Type.F16:  # every exponent, both signs, infinity too; no NaN
        bits = [sign | exponent << 10 | mantissa for sign in (0, 0x8000) for exponent in range(31)
                for mantissa in (0, 1, 0x155, 0x3FF)]
        return np.array(bits + [0x7C00, 0xFC00], dtype=np.uint16).view(np.uint8)
    values = (rng.standard_normal((1, 128)) * rng.uniform(0.01, 3, (1, 128))).astype(np.float32)
    if kind == Type.Q5_0:
        values[0, :32] = 0  # a block whose scale is zero
    return gguf.quants.quantize(values, kind).view(np.uint8)


FOLDER.mkdir(exist_ok=True)
for kind in (Type.F32, Type.F16, Type.BF16, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0,
             *HALVES):
    blocks = stored(kind)
    meaning = gguf.quants.dequantize(blocks, kind).astype(np.float32)
    (FOLDER / f"{kind.name}.bin").write_bytes(blocks.tobytes() + meaning.tobytes())
