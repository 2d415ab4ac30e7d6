#!/usr/bin/env python3
"""Evaluates SmolLM2 in float64 and compares with smollm2.json.

Needs NumPy and the PyPI package gguf, and the model's path in HEED_SMOLLM2_GGUF. It shares no line with Heed and is slow, so
no test runs it: it is for deciding who is right where Heed and smollm2.json differ.
"""

import json
import os
import pathlib

import numpy as np
from gguf import GGUFReader, dequantize

reader = GGUFReader(os.environ["HEED_SMOLLM2_GGUF"])
W = {t.name: dequantize(t.data, t.tensor_type).astype(np.float64) for t in reader.tensors}


def meta(key):
    field = reader.fields["llama." + key]
    return field.parts[field.data[0]][0]


layers, d = int(meta("block_count")), int(meta("embedding_length"))
heads, kv_heads = int(meta("attention.head_count")), int(meta("attention.head_count_kv"))
dk, theta = d // heads, float(meta("rope.freq_base"))
eps = float(meta("attention.layer_norm_rms_epsilon"))


def norm(x, weight):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * weight


def rope(x):
    angle = np.arange(len(x))[:, None] * theta ** (-2 * np.arange(dk // 2) / dk)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    even, odd = x[..., 0::2], x[..., 1::2]
    return np.stack([even * cos - odd * sin, even * sin + odd * cos], -1).reshape(x.shape)


def logits(tokens):
    n = len(tokens)
    E = W["token_embd.weight"][tokens]
    for layer in range(layers):
        w = lambda name: W[f"blk.{layer}.{name}.weight"].T
        X = norm(E, w("attn_norm"))
        Q = rope((X @ w("attn_q")).reshape(n, heads, dk))
        K = rope((X @ w("attn_k")).reshape(n, kv_heads, dk)).repeat(heads // kv_heads, 1)
        V = (X @ w("attn_v")).reshape(n, kv_heads, dk).repeat(heads // kv_heads, 1)
        S = np.einsum("ihk,jhk->hij", Q, K) / np.sqrt(dk)
        S[:, np.triu(np.ones((n, n)), 1) == 1] = -np.inf
        A = np.exp(S - S.max(-1, keepdims=True))
        A /= A.sum(-1, keepdims=True)
        E = E + np.einsum("hij,jhv->ihv", A, V).reshape(n, d) @ w("attn_output")
        X = norm(E, w("ffn_norm"))
        gate = X @ w("ffn_gate")
        E = E + (gate / (1 + np.exp(-gate)) * (X @ w("ffn_up"))) @ w("ffn_down")
    return norm(E, W["output_norm.weight"]) @ W["token_embd.weight"].T


for number, prompt in enumerate(json.loads(pathlib.Path(__file__).with_name("smollm2.json").read_text())):
    tokens, greedy = prompt["tokens"], prompt["greedy"]
    rows = logits(tokens + greedy)
    following = rows[len(tokens) - 1][prompt["next_logits"]["ids"]]
    print(f"prompt {number}: next logits differ by at most {abs(following - prompt['next_logits']['values']).max():.1e}")
    for k, (token, margin) in enumerate(zip(greedy, prompt["margins"])):
        row = rows[len(tokens) - 1 + k]
        first, second = np.argsort(-row)[:2]
        if first != token:
            print(f"  new token {k}: {token} in smollm2.json, margin {margin}; here {first}, {row[first] - row[second]:.4f} before {second}")
