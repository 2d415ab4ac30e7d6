"""Logits of every token of some texts by several participants, compared with PyTorch's in F32; see quality.py."""

from __future__ import annotations

import ctypes
import json
import pathlib
import sys
from typing import Any

import numpy


def texts_of(settings: dict[str, Any], count: int) -> list[list[int]]:
    """`count` texts, spread evenly over those that `settings["length"]` consecutive tokens of a file are, by llama.cpp's tokenizer."""
    import llama_cpp

    model, length, texts = llama_cpp.Llama(settings["file"], vocab_only=True, verbose=False), settings["length"], []
    for path in settings["texts"]:
        tokens = [int(token) for token in model.tokenize(pathlib.Path(path).read_bytes(), add_bos=False, special=False)]
        texts += [tokens[first:first + length] for first in range(0, len(tokens) - length + 1, length)]
    if count > len(texts):
        raise ValueError(f"{count} texts of {length} tokens are asked for, and there are {len(texts)}")
    return [texts[number * len(texts) // count] for number in range(count)]


class Torch:
    def __init__(self, settings: dict[str, Any]) -> None:
        from participants.torch_llm import TorchLlm

        self.model = TorchLlm(settings).model

    def logits(self, tokens: list[int]) -> numpy.ndarray:
        import torch

        with torch.inference_mode():
            return self.model(torch.tensor([tokens])).logits[0].numpy()


class Heed:
    def __init__(self, settings: dict[str, Any]) -> None:
        from participants.heed import LanguageModel

        self.vocabulary, self.model = settings["vocabulary"], LanguageModel(settings)

    def logits(self, tokens: list[int]) -> numpy.ndarray:
        session = self.model.sessions[0]
        self.model.keep(session, 0)
        self.model.logits = numpy.zeros((len(tokens), self.vocabulary), numpy.float32)
        self.model.feed(session, tokens, len(tokens))
        return self.model.logits


class LlamaCpp:
    def __init__(self, settings: dict[str, Any]) -> None:
        from participants.llama_cpp import Copy

        self.vocabulary, self.copy = settings["vocabulary"], Copy(settings, private=False)

    def logits(self, tokens: list[int]) -> numpy.ndarray:
        import llama_cpp as C

        self.copy.keep(0)
        batch = C.llama_batch_init(len(tokens), 0, 1)
        batch.n_tokens = len(tokens)
        for place, token in enumerate(tokens):
            batch.token[place], batch.pos[place], batch.logits[place] = token, place, 1
            batch.n_seq_id[place], batch.seq_id[place][0] = 1, 0
        failed = C.llama_decode(self.copy.context, batch) != 0
        C.llama_batch_free(batch)
        if failed:
            raise RuntimeError("llama_decode failed")
        size = len(tokens) * self.vocabulary
        logits = ctypes.cast(C.llama_get_logits(self.copy.context), ctypes.POINTER(ctypes.c_float * size)).contents
        return numpy.frombuffer(logits, numpy.float32).reshape(len(tokens), -1).copy()


PARTICIPANTS = {"heed": Heed, "llama_cpp": LlamaCpp}


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
    texts = texts_of(request["reference"], request["count"])
    reference = Torch(request["reference"])
    others = {name: PARTICIPANTS[settings["participant"]](settings) for name, settings in request["others"].items()}
    answer: dict[str, dict[str, list[float]]] = {name: {"nmse": [], "nll": []} for name in ["PyTorch F32", *others]}
    for tokens in texts:
        exact = reference.logits(tokens)
        for name, row in answer.items():
            logits = others[name].logits(tokens) if name in others else exact
            row["nmse"].append(error(logits, exact))
            row["nll"].append(likelihood(logits, tokens))
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
