"""Logits of every token of a text by several participants, compared with PyTorch's in F32; see quality.py."""

from __future__ import annotations

import ctypes
import json
import pathlib
import sys
from typing import Any

import numpy


def tokens_of(settings: dict[str, Any]) -> list[int]:
    """The text's first tokens, by llama.cpp's tokenizer."""
    import llama_cpp

    model = llama_cpp.Llama(settings["file"], vocab_only=True, verbose=False)
    tokens = model.tokenize(pathlib.Path(settings["text"]).read_bytes(), add_bos=False, special=False)
    return [int(token) for token in tokens[: settings["count"]]]


def with_torch(settings: dict[str, Any], tokens: list[int]) -> numpy.ndarray:
    import torch
    from participants.torch_llm import TorchLlm

    with torch.inference_mode():
        return TorchLlm(settings).model(torch.tensor([tokens])).logits[0].numpy()


def with_heed(settings: dict[str, Any], tokens: list[int]) -> numpy.ndarray:
    from participants.heed import LanguageModel

    model = LanguageModel(settings)
    model.keep(model.sessions[0], 0)
    model.logits = numpy.zeros((len(tokens), settings["vocabulary"]), numpy.float32)
    model.feed(model.sessions[0], tokens, len(tokens))
    return model.logits


def with_llama_cpp(settings: dict[str, Any], tokens: list[int]) -> numpy.ndarray:
    import llama_cpp as C
    from participants.llama_cpp import Copy

    copy = Copy(settings, private=False)
    batch = C.llama_batch_init(len(tokens), 0, 1)
    batch.n_tokens = len(tokens)
    for place, token in enumerate(tokens):
        batch.token[place], batch.pos[place], batch.logits[place] = token, place, 1
        batch.n_seq_id[place], batch.seq_id[place][0] = 1, 0
    if C.llama_decode(copy.context, batch) != 0:
        raise RuntimeError("llama_decode failed")
    size = len(tokens) * settings["vocabulary"]
    logits = ctypes.cast(C.llama_get_logits(copy.context), ctypes.POINTER(ctypes.c_float * size)).contents
    return numpy.frombuffer(logits, numpy.float32).reshape(len(tokens), -1).copy()


def likelihood(logits: numpy.ndarray, tokens: list[int]) -> float:
    """The mean negative log-likelihood of each token but the first."""
    rows = logits[:-1].astype(numpy.float64)
    top = rows.max(axis=1)
    total = top + numpy.log(numpy.exp(rows - top[:, None]).sum(axis=1))
    return float((total - rows[numpy.arange(len(rows)), tokens[1:]]).mean())


def error(logits: numpy.ndarray, reference: numpy.ndarray) -> float:
    difference = ((logits.astype(numpy.float64) - reference) ** 2).sum(axis=1)
    return float((difference / (reference.astype(numpy.float64) ** 2).sum(axis=1)).mean())


def main() -> None:
    request = json.load(sys.stdin)
    tokens = tokens_of(request["reference"])
    reference = with_torch(request["reference"], tokens)
    answer = {"PyTorch F32": {"nll": likelihood(reference, tokens)}}
    for name, settings in request["others"].items():
        logits = {"heed": with_heed, "llama_cpp": with_llama_cpp}[settings["participant"]](settings, tokens)
        answer[name] = {"nmse": error(logits, reference), "nll": likelihood(logits, tokens)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
