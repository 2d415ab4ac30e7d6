"""PyTorch's attention: scaled_dot_product_attention, or flex_attention compiled for this machine.

flex_attention gets its mask as blocks, made once and not timed, and is compiled for the shape that it runs on.
"""

from __future__ import annotations

import time
from typing import Any, Callable

import torch
from torch.nn.attention.flex_attention import create_block_mask, flex_attention

from participants.tensors import attention_inputs, samples, segments

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def mask_of(settings: dict[str, Any]) -> Callable[..., Any] | None:
    mask, window = settings["mask"], settings.get("window", 0)
    if mask == "full":
        return None
    if mask == "window":
        return lambda b, h, i, j: (i >= j) & (i - j < window)
    if mask == "document":
        segment = torch.from_numpy(segments(settings["rows"], settings["documents"]))
        return lambda b, h, i, j: (i >= j) & (segment[i] == segment[j])
    return lambda b, h, i, j: i >= j


def score_of(settings: dict[str, Any]) -> Callable[..., Any] | None:
    if settings["mask"] == "softcap":
        cap = settings["cap"]
        return lambda score, b, h, i, j: cap * torch.tanh(score / cap)
    if settings["mask"] == "alibi":
        heads = settings["heads"]
        slopes = torch.tensor([2.0 ** (-8.0 * (h + 1) / heads) for h in range(heads)])
        return lambda score, b, h, i, j: score + slopes[h] * (j - i)
    return None


class TorchAttention:
    def __init__(self, settings: dict[str, Any]) -> None:
        torch.set_num_threads(settings["threads"])
        self.settings = settings
        kind = TYPES[settings["type"]]
        self.q, self.k, self.v = (torch.from_numpy(x)[None].to(kind) for x in attention_inputs(settings))
        self.call = self.flex() if settings["kernel"] == "flex" else self.sdpa()
        for _ in range(2):
            self.run()

    def sdpa(self) -> Callable[[], torch.Tensor]:
        if self.settings["mask"] not in ("full", "causal"):
            raise ValueError("scaled_dot_product_attention has only the full and the causal mask without a table")
        causal = self.settings["mask"] == "causal"
        return lambda: torch.nn.functional.scaled_dot_product_attention(self.q, self.k, self.v, is_causal=causal)

    def flex(self) -> Callable[[], torch.Tensor]:
        mask, score, rows = mask_of(self.settings), score_of(self.settings), self.settings["rows"]
        blocks = create_block_mask(mask, None, None, rows, rows, device="cpu") if mask else None
        compiled = torch.compile(flex_attention, dynamic=False, fullgraph=True)
        return lambda: compiled(self.q, self.k, self.v, score_mod=score, block_mask=blocks)

    def run(self) -> float:
        repeats = self.settings["repeats"]
        with torch.inference_mode():
            start = time.perf_counter()
            for _ in range(repeats):
                self.result = self.call()
            return (time.perf_counter() - start) / repeats

    def check(self) -> list[float]:
        return samples(self.result[0].float().numpy())

    def info(self) -> dict[str, Any]:
        kernel = "flex_attention, compiled" if self.settings["kernel"] == "flex" else "SDPA"
        return {"name": "PyTorch", "version": torch.__version__, "setting": kernel}


def prepare(settings: dict[str, Any]) -> TorchAttention:
    return TorchAttention(settings)
