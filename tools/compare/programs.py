"""The programs of single operations that Heed is measured on, as text, and the documents of one of them.

Sizes that peers are compiled for are constants here too.
"""

from __future__ import annotations

import random
from typing import Any

MASKS = {
    "full": "",
    "causal": " where j <= i",
    "window": " where j <= i && i - j < {window}",
    "document": " where j <= i && segment[i] == segment[j]",
    "softcap": " where j <= i",
    "alibi": " where j <= i",
}
SCORES = {"softcap": "softcap(S[h, i, j], {cap})", "alibi": "alibi(S)[h, i, j]"}


def document_lengths(rows: int, documents: int) -> list[int]:
    """Documents of random lengths, one after another, that fill the rows; the same for everyone."""
    cuts = sorted(random.Random(4).sample(range(1, rows), documents - 1))
    return [end - start for start, end in zip([0, *cuts], [*cuts, rows])]


def attention(settings: dict[str, Any]) -> str:
    """One attention over [heads, n, features]; n is known only when it runs."""
    mask = settings["mask"]
    scores = SCORES.get(mask, "S[h, i, j]").format(**settings)
    segment = ", segment: int[n]" if mask == "document" else ""
    return f"""use std
size heads = {settings["heads"]}, dk = {settings["features"]}
size n
fn run(Q: [heads, n, dk], K: [heads, n, dk], V: [heads, n, dk]{segment}) -> [heads, n, dk] {{
  S[h, i, j] = sum[k] Q[h, i, k] * K[h, j, k] / sqrt(dk)
  A[h, i, j] = softmax[j] {scores}{MASKS[mask].format(**settings)}
  O[h, i, k] = sum[j] A[h, i, j] * V[h, j, k]
  return O
}}
"""


def products(settings: dict[str, Any]) -> str:
    """A function for each copy of the weights, so that copies can take turns under one pool of threads."""
    text = f"size inner = {settings['inner']}, columns = {settings['columns']}\nsize n\n"
    for copy in range(settings.get("copies", 1)):
        text += f"""weight w{copy} : [columns, inner]
fn run{copy}(X: [n, inner]) -> [n, columns] {{
  Y[i, o] = sum[k] X[i, k] * w{copy}[o, k]
  return Y
}}
"""
    return text
