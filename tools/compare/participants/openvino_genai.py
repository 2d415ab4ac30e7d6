"""OpenVINO GenAI's LLMPipeline, which reads the GGUF file itself.

It keeps the prefixes that it has seen, so every prompt is new. A first token's time is the wall clock of a call that
makes one token. Decoding is timed by the pipeline's own figure, the mean time of each token after the first.
"""

from __future__ import annotations

import time
from typing import Any

import openvino
import openvino_genai
import numpy

from participants.texts import TokenSource


class OpenVinoGenAi:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.texts = TokenSource()
        properties: dict[str, Any] = {"INFERENCE_NUM_THREADS": settings["threads"]}
        for key in ("INFERENCE_PRECISION_HINT", "KV_CACHE_PRECISION", "DYNAMIC_QUANTIZATION_GROUP_SIZE"):
            if key.lower() in settings:
                properties[key] = settings[key.lower()]
        self.pipelines = [
            openvino_genai.LLMPipeline(settings["file"], "CPU", **properties)
            for _ in range(settings.get("copies", 1))
        ]
        self.configuration = openvino_genai.GenerationConfig()
        self.configuration.do_sample = False
        self.configuration.ignore_eos = True
        self.turn = 0
        for _ in range(2 * len(self.pipelines)):  # the first call compiles kernels
            self.run()

    def generate(self, count: int, new_tokens: int) -> tuple[float, Any]:
        tokens = numpy.array([self.texts.take(count)], dtype=numpy.int64)
        inputs = openvino_genai.TokenizedInputs(
            openvino.Tensor(tokens), openvino.Tensor(numpy.ones_like(tokens))
        )
        self.configuration.max_new_tokens = new_tokens
        pipeline = self.pipelines[self.turn % len(self.pipelines)]
        self.turn += 1
        start = time.perf_counter()
        result = pipeline.generate(inputs, self.configuration)
        return time.perf_counter() - start, result.perf_metrics

    def run(self) -> float:
        tokens = self.settings["tokens"]
        if self.settings["task"] == "prompt":
            return self.generate(tokens, 1)[0]
        metrics = self.generate(max(self.settings["depth"], 1), tokens + 1)[1]
        if metrics.get_num_generated_tokens() != tokens + 1:
            raise RuntimeError(f"{metrics.get_num_generated_tokens()} tokens made, {tokens + 1} expected")
        return metrics.get_tpot().mean * 1e-3 * tokens

    def check(self) -> list[float]:
        return []  # the pipeline shows no logits

    def info(self) -> dict[str, Any]:
        return {
            "name": "OpenVINO GenAI",
            "version": openvino_genai.__version__,
            "setting": self.settings.get("label", "LLMPipeline on the GGUF file"),
        }


def prepare(settings: dict[str, Any]) -> OpenVinoGenAi:
    return OpenVinoGenAi(settings)
