#!/usr/bin/env python3
"""Evaluates Gemma 3 in float64, and compares with gemma3.json or, with --write, writes it.

Needs NumPy and the PyPI package gguf, and the model's path in HEED_GEMMA3_GGUF. It shares no line with Heed and is slow, so
no test runs it. The prompts and their token ids are taken from gemma3.json.
"""

import json
import os
import pathlib
import sys

import numpy as np
from gguf import GGUFReader, dequantize

GREEDY = 24

reader = GGUFReader(os.environ["HEED_GEMMA3_GGUF"])
W = {t.name: dequantize(t.data, t.tensor_type).astype(np.float64) for t in reader.tensors}
embeddings = W["token_embd.weight"]


def meta(key):
    field = reader.fields["gemma3." + key]
    return field.parts[field.data[0]][0]


layers, d = int(meta("block_count")), int(meta("embedding_length"))
heads, kv_heads = int(meta("attention.head_count")), int(meta("attention.head_count_kv"))
dk, window = int(meta("attention.key_length")), int(meta("attention.sliding_window"))
eps = float(meta("attention.layer_norm_rms_epsilon"))


def norm(x, weight):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * weight


def rope(x, positions, theta):
    angle = positions[:, None] * theta ** (-2 * np.arange(dk // 2) / dk)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    left, right = x[..., : dk // 2], x[..., dk // 2 :]
    return np.concatenate([left * cos - right * sin, right * cos + left * sin], -1)


def gelu(x):
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


class Text:
    """A text that grows; the keys and values of every layer are kept."""

    def __init__(self):
        self.kept = [(np.zeros((0, kv_heads, dk)), np.zeros((0, kv_heads, dk))) for _ in range(layers)]

    def states(self, tokens):
        """The last layer's normalised rows of `tokens`, which follow those given before."""
        past = len(self.kept[0][0])
        i = np.arange(past, past + len(tokens))
        E = embeddings[tokens] * np.sqrt(d)
        for layer in range(layers):
            w = lambda name: W[f"blk.{layer}.{name}.weight"].T
            everywhere = layer % 6 == 5
            theta = float(meta("rope.freq_base")) if everywhere else 10000.0
            X = norm(E, w("attn_norm"))
            Q = rope(norm((X @ w("attn_q")).reshape(-1, heads, dk), w("attn_q_norm")), i, theta)
            K = rope(norm((X @ w("attn_k")).reshape(-1, kv_heads, dk), w("attn_k_norm")), i, theta)
            V = (X @ w("attn_v")).reshape(-1, kv_heads, dk)
            K, V = (np.concatenate(pair) for pair in zip(self.kept[layer], (K, V)))
            self.kept[layer] = K, V
            K, V = (x.repeat(heads // kv_heads, 1) for x in (K, V))
            j = np.arange(len(K))
            seen = j <= i[:, None]
            if not everywhere:
                seen &= i[:, None] - j < window
            S = np.where(seen, np.einsum("ihk,jhk->hij", Q, K) / np.sqrt(dk), -np.inf)
            A = np.exp(S - S.max(-1, keepdims=True))
            A /= A.sum(-1, keepdims=True)
            update = np.einsum("hij,jhv->ihv", A, V).reshape(len(tokens), -1) @ w("attn_output")
            E = E + norm(update, w("post_attention_norm"))
            X = norm(E, w("ffn_norm"))
            update = (gelu(X @ w("ffn_gate")) * (X @ w("ffn_up"))) @ w("ffn_down")
            E = E + norm(update, w("post_ffw_norm"))
        return norm(E, W["output_norm.weight"])


def evaluate(prompt):
    tokens, text = prompt["tokens"], Text()
    rows = text.states(tokens) @ embeddings.T
    following = rows[-1]
    best = np.argsort(-following, kind="stable")[:20]
    most = rows.max(-1)
    nll = np.log(np.exp(rows - most[:, None]).sum(-1)) + most
    nll = nll[:-1] - rows[np.arange(len(tokens) - 1), tokens[1:]]
    result = {
        "prompt": prompt["prompt"],
        "tokens": tokens,
        "next_logits": {"ids": best.tolist(), "values": following[best].round(5).tolist()},
        "logits_sum_sq": float((following * following).sum()),
        "nll": nll.round(5).tolist(),
        "greedy": [],
        "margins": [],
    }
    for _ in range(GREEDY):
        first, second = np.argsort(-following, kind="stable")[:2]
        result["greedy"].append(int(first))
        result["margins"].append(round(float(following[first] - following[second]), 4))
        following = text.states([int(first)])[0] @ embeddings.T
    return result


path = pathlib.Path(__file__).with_name("gemma3.json")
prompts = json.loads(path.read_text())
results = [evaluate(prompt) for prompt in prompts]
if "--write" in sys.argv[1:]:
    path.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n")
    sys.exit()
for number, (prompt, result) in enumerate(zip(prompts, results)):
    for key in ("next_logits", "logits_sum_sq", "nll", "greedy", "margins"):
        print(f"prompt {number}, {key}: {'equal' if prompt[key] == result[key] else 'different'}")
