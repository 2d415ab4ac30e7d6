#!/usr/bin/env python3
# Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes seeds/gguf and seeds/safetensors: one small file for each way in which a file can be wrong.

Seeds called good-… must open and bad-… must be refused (a unit test checks both); index-… are shard
indexes, config-… what lies beside a safetensors file. Needs nothing but Python.
"""

import json
import pathlib
import struct

SEEDS = pathlib.Path(__file__).parent / "seeds"
U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
T_F32, T_Q4_0, T_Q4_1, T_Q8_0, T_Q6_K, T_IQ4_XS = 0, 2, 3, 8, 14, 23


def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return u64(len(data)) + data


def meta(key, kind, value):
    return text(key) + u32(kind) + value


def array(kind, count, values=b""):
    return u32(kind) + u64(count) + values


def tensor(name, extents, kind, offset):
    return text(name) + u32(len(extents)) + b"".join(map(u64, extents)) + u32(kind) + u64(offset)


def gguf(metas=(), tensors=(), data=0, version=3, counts=None, alignment=32):
    n_tensors, n_metas = counts or (len(tensors), len(metas))
    head = b"GGUF" + u32(version) + u64(n_tensors) + u64(n_metas) + b"".join(metas) + b"".join(tensors)
    padded = head + b"\0" * (-len(head) % alignment)
    return padded + (bytes(range(1, 251)) * 20)[:data]


def safetensors(header, data=0, length=None):
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return u64(len(head) if length is None else length) + head + b"\1" * data


def entry(shape, begin, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


GGUF = {
    "good-empty": gguf(),
    "good-version-2": gguf([meta("general.name", STRING, text("x"))], version=2),
    "good-metadata": gguf([
        meta("a", U8, b"\1"), meta("b", I16, b"\xff\xff"), meta("c", F32, b"\0\0\0\0"), meta("d", BOOL, b"\1"),
        meta("e", F64, u64(0)), meta("f", ARRAY, array(STRING, 2, text("x") + text("yz"))),
        meta("g", ARRAY, array(F32, 2, u64(0))), meta("h", ARRAY, array(BOOL, 2, b"\0\1"))]),
    "good-tensors": gguf((), [tensor("a", [64, 2], T_Q4_1, 0), tensor("b", [3], T_F32, 96),
                              tensor("c", [32], T_Q8_0, 128)], 162),
    "good-k-quant": gguf((), [tensor("a", [256], T_Q6_K, 0)], 210),
    "good-nan-scale": gguf((), [tensor("a", [32], T_Q4_0, 0)], 0) + b"\xff\x7e" + b"\x5a" * 16,
    "good-alignment-64": gguf([meta("general.alignment", U32, u32(64))], [tensor("a", [2], T_F32, 64)], 72,
                              alignment=64),
    "good-unsupported-type": gguf((), [tensor("a", [256], T_IQ4_XS, 0), tensor("b", [1], 77, 160)], 160),
    "bad-version": gguf(version=4),
    "bad-big-endian": gguf(version=3 << 24),
    "bad-dimensions-overflow": gguf((), [tensor("a", [1 << 32, 1 << 32], T_F32, 0)], 64),
    "bad-dimensions-negative": gguf((), [tensor("a", [(1 << 64) - 32], T_F32, 0)], 64),
    "bad-bytes-overflow": gguf((), [tensor("a", [1 << 62], T_F32, 0)], 64),
    "bad-sum-overflow": gguf((), [tensor("a", [1 << 60], T_F32, 0), tensor("b", [1 << 60], T_F32, 1 << 62)], 64),
    "bad-offset-overflow": gguf((), [tensor("a", [8], T_F32, (1 << 64) - 32)], 64),
    "bad-alignment-zero": gguf([meta("general.alignment", U32, u32(0))]),
    "bad-alignment-odd": gguf([meta("general.alignment", U32, u32(33))]),
    "bad-alignment-huge": gguf([meta("general.alignment", U32, u32(1 << 31))]),
    "bad-alignment-text": gguf([meta("general.alignment", STRING, text("32"))]),
    "bad-count-tensors": gguf(counts=((1 << 64) - 1, 0)),
    "bad-count-metadata": gguf(counts=(0, 1 << 60)),
    "bad-count-wraps": gguf(data=64, counts=(0x0AAAAAAAAAAAAAAB, 0)),
    "bad-extent-zero": gguf((), [tensor("a", [32, 0], T_Q4_0, 0)], 64),
    "bad-row-no-block": gguf((), [tensor("a", [16, 2], T_Q4_0, 0)], 64),
    "bad-five-axes": gguf((), [tensor("a", [1] * 5, T_F32, 0)], 64),
    "bad-string-length": gguf([meta("a", STRING, u64(1 << 40))]),
    "bad-array-length": gguf([meta("a", ARRAY, array(U8, 1 << 61))]),
    "bad-strings-length": gguf([meta("a", ARRAY, array(STRING, 1 << 61))]),
    "bad-nested-arrays": gguf([meta("a", ARRAY, array(ARRAY, 1) * 200)]),
    "bad-type": gguf([meta("a", 13, u64(0))]),
    "bad-array-type": gguf([meta("a", ARRAY, array(77, 0))]),
    "bad-boolean": gguf([meta("a", BOOL, b"\2")]),
    "bad-duplicate-key": gguf([meta("a", U8, b"\1")] * 2),
    "bad-empty-key": gguf([meta("", U64, u64(1))]),
    "bad-duplicate-tensor": gguf((), [tensor("a", [8], T_F32, 0), tensor("a", [8], T_F32, 32)], 64),
    "bad-empty-name": gguf((), [tensor("", [8], T_F32, 0)], 64),
    "bad-long-name": gguf((), [tensor("n" * 1025, [8], T_F32, 0)], 64),
    "bad-control-name": gguf((), [tensor("a\n", [8], T_F32, 0)], 64),
    "bad-overlap": gguf((), [tensor("a", [16], T_F32, 0), tensor("b", [8], T_F32, 32)], 64),
    "bad-unaligned-offset": gguf((), [tensor("a", [1], T_F32, 4)], 64),
    "bad-past-end": gguf((), [tensor("a", [8], T_F32, 64)], 64),
    "bad-header-only": gguf((), [tensor("a", [8], T_F32, 0)]),
    "bad-cut-short": gguf((), [tensor("a", [8], T_F32, 0)], 32)[:40],
}

SAFETENSORS = {
    "good-empty": safetensors({}),
    "good-two": safetensors({"__metadata__": {"format": "pt"}, "b": entry([2, 3], 4, 16, "BF16"),
                             "a": entry([], 0, 4)}, 16),
    "good-half": safetensors({"a": entry([2, 4], 0, 16, "F16")}, 16),
    "good-unsupported-type": safetensors({"a": entry([2], 0, 16, "I64"), "b": entry([4], 16, 19, "F6_E3M2")}, 19),
    "good-no-elements": safetensors({"a": entry([0, 4], 0, 0)}),
    "bad-length-wraps": safetensors({}, 0, (1 << 64) - 1),
    "bad-length-long": safetensors({}, 0, 3),
    "bad-length-zero": safetensors({}, 0, 0),
    "bad-shape-offsets": safetensors({"a": entry([4], 0, 12)}, 12),
    "bad-shape-overflow": safetensors({"a": entry([1 << 32, 1 << 32], 0, 0)}),
    "bad-shape-huge": safetensors({"a": entry([(1 << 64) - 1], 0, 4)}, 4),
    "bad-shape-past-64-bits": safetensors({"a": entry([1 << 64], 0, 4)}, 4),
    "bad-shape-negative": safetensors({"a": entry([-1], 0, 4)}, 4),
    "bad-nine-axes": safetensors({"a": entry([1] * 9, 0, 4)}, 4),
    "bad-begin-past-end": safetensors({"a": entry([1], 8, 4)}, 8),
    "bad-overlap": safetensors({"a": entry([2], 0, 8), "b": entry([1], 4, 8)}, 8),
    "bad-hole": safetensors({"a": entry([2], 0, 8), "b": entry([1], 12, 16)}, 16),
    "bad-trailing": safetensors({"a": entry([2], 0, 8)}, 12),
    "bad-cut-short": safetensors({"a": entry([2], 0, 8)}, 7),
    "bad-duplicate": safetensors(b'{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},'
                                 b'"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'),
    "bad-empty-name": safetensors({"": entry([1], 0, 4)}, 4),
    "bad-null-name": safetensors({"a\0": entry([1], 0, 4)}, 4),
    "bad-long-name": safetensors({"n" * 1025: entry([1], 0, 4)}, 4),
    "bad-nesting": safetensors(b'{"a":' + b"[" * 3000),
    "bad-metadata-number": safetensors({"__metadata__": {"a": 1}}),
    "bad-json": safetensors(b"{]"),
    "index-two": b'{"metadata":{"total_size":16},"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}',
    "index-elsewhere": b'{"weight_map":{"a":"../x.safetensors","b":"/etc/passwd"}}',
    "index-nesting": b'{"metadata":' + b'{"a":[' * 500,
    "index-no-text": b'{"weight_map":{"a":1}}',
    "config-all-kinds": b'{"a":1,"b":-2,"c":1e-12,"d":true,"e":"x","f":null,"g":[1,{"a":[2]}],"h":{"a":{"b":3}}}',
    "config-nesting": b'{"a":' * 100,
    "config-arrays": b'{"a":' + b"[" * 500 + b"]" * 500 + b"}",
    "config-twice": b'{"a.b":1,"a":{"b":2}}',
    "config-long-key": b'{"' + b"k" * 250 + b'":{"longer":1}}',
    "config-infinite": b'{"a":1e999}',
}

for kind, seeds in (("gguf", GGUF), ("safetensors", SAFETENSORS)):
    folder = SEEDS / kind
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (folder / name).write_bytes(data)
