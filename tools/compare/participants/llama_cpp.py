"""llama.cpp through llama-cpp-python's low-level functions, which are llama.cpp's own C interface."""

from __future__ import annotations

import time
from typing import Any

import llama_cpp as C  # the package: imports are absolute

from participants.texts import TokenSource

KV_TYPES = {"f32": 0, "f16": 1, "q8_0": 8, "bf16": 30}


class Copy:
    """A model with its own memory for weights, and one text."""

    def __init__(self, settings: dict[str, Any], private: bool) -> None:
        parameters = C.llama_model_default_params()
        parameters.n_gpu_layers = 0
        if private:  # copies that map the same file would share its pages
            parameters.use_mmap = False
        self.model = C.llama_model_load_from_file(settings["file"].encode(), parameters)
        if not self.model:
            raise RuntimeError(f"llama.cpp can't load {settings['file']}")
        context = C.llama_context_default_params()
        context.n_ctx = settings["context"]
        context.n_batch = 4096
        context.n_ubatch = settings.get("ubatch", 512)
        context.n_threads = context.n_threads_batch = settings["threads"]
        context.flash_attn_type = 1 if settings["flash_attention"] else 0
        context.type_k = context.type_v = KV_TYPES[settings["kv"]]
        self.context = C.llama_init_from_model(self.model, context)
        if not self.context:
            raise RuntimeError("llama.cpp can't make a context")
        self.memory = C.llama_get_memory(self.context)

    def feed(self, tokens: list[int]) -> None:
        array = (C.llama_token * len(tokens))(*tokens)  # the batch only points to it
        if C.llama_decode(self.context, C.llama_batch_get_one(array, len(tokens))) != 0:
            raise RuntimeError("llama_decode failed")

    def keep(self, length: int) -> None:
        C.llama_memory_seq_rm(self.memory, 0, length, -1)

    def last_logits(self, vocabulary: int) -> list[float]:
        return C.llama_get_logits_ith(self.context, -1)[:vocabulary]


class LlamaCpp:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.texts = TokenSource()
        C.llama_log_set(SILENT, None)
        C.llama_backend_init()
        copies = settings.get("copies", 1)
        self.copies = [Copy(settings, copies > 1) for _ in range(copies)]
        for copy in self.copies:
            copy.feed(self.texts.take(max(settings["depth"], 1)))
        self.run()

    def run(self) -> float:
        tokens = self.texts.take(self.settings["tokens"])
        if self.settings["task"] == "prompt":
            self.copies[0].keep(0)
            start = time.perf_counter()
            self.copies[0].feed(tokens)
            return time.perf_counter() - start
        for copy in self.copies:
            copy.keep(self.settings["depth"])
        start = time.perf_counter()
        for number, token in enumerate(tokens):
            self.copies[number % len(self.copies)].feed([token])
        return time.perf_counter() - start

    def check(self) -> list[float]:
        self.copies[0].keep(0)
        self.copies[0].feed(TokenSource(seed=7).take(32))
        vocabulary = C.llama_vocab_n_tokens(C.llama_model_get_vocab(self.copies[0].model))
        return self.copies[0].last_logits(vocabulary)

    def info(self) -> dict[str, Any]:
        return {
            "name": "llama.cpp",
            "version": "llama-cpp-python " + C.__version__,
            "features": C.llama_print_system_info().decode().strip(),
            "setting": f"fa {'on' if self.settings['flash_attention'] else 'off'}, kv {self.settings['kv']}",
        }


@C.llama_log_callback
def SILENT(level: int, text: bytes, data: Any) -> None:
    pass


def prepare(settings: dict[str, Any]) -> LlamaCpp:
    return LlamaCpp(settings)
