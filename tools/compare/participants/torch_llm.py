"""PyTorch through transformers, which reads the GGUF file and widens its weights to one type."""

from __future__ import annotations

import pathlib
import time
from typing import Any

import torch
import transformers

from participants.texts import TokenSource

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


class TorchLlm:
    def __init__(self, settings: dict[str, Any]) -> None:
        torch.set_num_threads(settings["threads"])
        self.settings = settings
        self.texts = TokenSource()
        path = pathlib.Path(settings["file"])
        self.model = transformers.AutoModelForCausalLM.from_pretrained(
            str(path.parent), gguf_file=path.name, dtype=TYPES[settings["type"]], attn_implementation="sdpa"
        ).eval()
        for _ in range(2):
            self.run()

    def feed(self, tokens: list[int], cache: Any) -> Any:
        with torch.inference_mode():
            return self.model(torch.tensor([tokens]), past_key_values=cache, use_cache=True, logits_to_keep=1)

    def run(self) -> float:
        tokens = self.texts.take(self.settings["tokens"])
        cache = transformers.DynamicCache()
        if self.settings["task"] == "prompt":
            start = time.perf_counter()
            self.feed(tokens, cache)
            return time.perf_counter() - start
        self.feed(self.texts.take(max(self.settings["depth"], 1)), cache)
        start = time.perf_counter()
        for token in tokens:
            self.feed([token], cache)
        return time.perf_counter() - start

    def check(self) -> list[float]:
        text = TokenSource(seed=7).take(32)
        return self.feed(text, transformers.DynamicCache()).logits[0, -1].float().tolist()

    def info(self) -> dict[str, Any]:
        version = f"{torch.__version__}, transformers {transformers.__version__}"
        return {"name": "PyTorch", "version": version, "setting": self.settings["type"] + ", SDPA"}


def prepare(settings: dict[str, Any]) -> TorchLlm:
    return TorchLlm(settings)
