"""Heed: a program compiled by `heed compile`, called through the library's C functions."""

from __future__ import annotations

import ctypes
import pathlib
import subprocess
import tempfile
import time
from typing import Any

import numpy

import machine
import programs
from participants.tensors import attention_inputs, normal, samples, segments
from participants.texts import TokenSource


class Options(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("threads", ctypes.c_int32), ("packed", ctypes.c_char_p),
                ("threads_of", ctypes.c_void_p)]


def pointer(array: numpy.ndarray) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)


class Library:
    """A compiled program. `call("logits", ...)` calls PROGRAM_logits and raises what went wrong."""

    def __init__(self, settings: dict[str, Any], program: pathlib.Path, weights: str | None) -> None:
        with tempfile.TemporaryDirectory() as folder:
            output = pathlib.Path(folder) / (program.stem + ".so")
            command = [settings["heed"], "compile", str(program), "-o", str(output), *settings.get("flags", [])]
            done = subprocess.run(command + (["--weights", weights] if weights else []), stderr=subprocess.PIPE, text=True)
            if done.returncode != 0:
                raise RuntimeError(f"heed compile {program.name}: {done.stderr.strip()}")
            self.code = ctypes.CDLL(str(output))
        self.prefix = program.stem
        self.weights = weights
        self.threads = settings["threads"]

    def call(self, name: str, *arguments: Any) -> None:
        if getattr(self.code, f"{self.prefix}_{name}")(*arguments) != 0:
            message = getattr(self.code, self.prefix + "_last_error")
            message.restype = ctypes.c_char_p
            raise RuntimeError(message().decode())

    def open(self, threads_of: ctypes.c_void_p | None = None) -> ctypes.c_void_p:
        model = ctypes.c_void_p()
        options = Options(ctypes.sizeof(Options), self.threads, None, threads_of)
        path = self.weights.encode() if self.weights else None
        self.call("open", path, ctypes.byref(options), ctypes.byref(model))
        return model


class Participant:
    """What all of Heed's have in common."""

    library: Library
    settings: dict[str, Any]

    def info(self) -> dict[str, Any]:
        flags = " ".join(self.settings.get("flags", []))
        return {"name": "Heed", "version": machine.version_of(self.settings["heed"]), "setting": flags or "as compiled by default"}


class LanguageModel(Participant):
    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.texts = TokenSource()
        self.library = Library(settings, pathlib.Path(settings["program"]), settings["file"])
        self.logits = numpy.zeros(settings["vocabulary"], numpy.float32)
        self.sessions = []
        model = None
        for _ in range(settings.get("copies", 1)):  # with threads in common, as copies of the peers have them
            model, session = self.library.open(model), ctypes.c_void_p()
            self.library.call("logits_session", model, ctypes.c_int64(settings["context"]), ctypes.byref(session))
            self.sessions.append(session)
            self.feed(session, self.texts.take(max(settings["depth"], 1)))
        self.run()

    def feed(self, session: ctypes.c_void_p, tokens: list[int], rows: int = 1) -> None:
        array = (ctypes.c_int32 * len(tokens))(*tokens)
        count = ctypes.c_int64(len(tokens))
        self.library.call("logits", session, array, count, ctypes.c_int64(rows), pointer(self.logits))

    def keep(self, session: ctypes.c_void_p, length: int) -> None:
        self.library.call("session_truncate", session, ctypes.c_int64(length))

    def run(self) -> float:
        tokens = self.texts.take(self.settings["tokens"])
        if self.settings["task"] == "prompt":
            self.keep(self.sessions[0], 0)
            start = time.perf_counter()
            self.feed(self.sessions[0], tokens)
            return time.perf_counter() - start
        for session in self.sessions:
            self.keep(session, self.settings["depth"])
        start = time.perf_counter()
        for number, token in enumerate(tokens):
            self.feed(self.sessions[number % len(self.sessions)], [token])
        return time.perf_counter() - start

    def check(self) -> list[float]:
        self.keep(self.sessions[0], 0)
        self.feed(self.sessions[0], TokenSource(seed=7).take(32))
        return self.logits.tolist()


class Operation(Participant):
    """A function of one program, called again and again on the same input."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.prepare()
        for _ in range(2):
            self.run()

    def prepare(self) -> None:
        raise NotImplementedError

    def call(self, number: int) -> None:
        raise NotImplementedError

    def run(self) -> float:
        repeats = self.settings["repeats"]
        start = time.perf_counter()
        for number in range(repeats):
            self.call(number)
        return (time.perf_counter() - start) / repeats

    def check(self) -> list[float]:
        self.call(0)
        return samples(self.result)

    def compile_text(self, name: str, text: str, weights: str | None) -> Library:
        with tempfile.TemporaryDirectory() as folder:
            program = pathlib.Path(folder) / (name + ".heed")
            program.write_text(text)
            return Library(self.settings, program, weights)


class Attention(Operation):
    def prepare(self) -> None:
        self.library = self.compile_text("attention", programs.attention(self.settings), None)
        self.model = self.library.open()
        inputs = attention_inputs(self.settings)
        if self.settings["mask"] == "document":
            inputs.append(segments(self.settings["rows"], self.settings["documents"]))
        self.result = numpy.zeros_like(inputs[0])
        self.inputs = inputs
        rows = ctypes.c_int64(self.settings["rows"])
        self.arguments = [self.model, rows, *map(pointer, inputs), pointer(self.result)]

    def call(self, number: int) -> None:
        self.library.call("run", *self.arguments)


class Product(Operation):
    def prepare(self) -> None:
        from safetensors.numpy import save_file

        rows, inner, columns = (self.settings[name] for name in ("rows", "inner", "columns"))
        self.copies = self.settings.get("copies", 1)
        self.x = normal(1, rows, inner)
        self.result = numpy.zeros((rows, columns), numpy.float32)
        with tempfile.TemporaryDirectory() as folder:
            weights = str(pathlib.Path(folder) / "weights.safetensors")
            tensors = {f"w{i}": normal(2 + i, columns, inner) for i in range(self.copies)}
            if self.settings["type"] == "bf16":
                import torch
                from safetensors.torch import save_file as save_torch

                save_torch({k: torch.from_numpy(w).to(torch.bfloat16) for k, w in tensors.items()}, weights)
            else:
                save_file(tensors, weights)
            self.library = self.compile_text("products", programs.products(self.settings), weights)
            self.model = self.library.open()
        self.arguments = [self.model, ctypes.c_int64(rows), pointer(self.x), pointer(self.result)]

    def call(self, number: int) -> None:
        self.library.call(f"run{number % self.copies}", *self.arguments)


class Encoder(Operation):
    """One text by `embedding`; many by `embeddings`, which takes as many at once as `heed embed` gives it."""

    TOKENS_OF_CALL = 512

    def prepare(self) -> None:
        self.texts = TokenSource(low=1000, high=30000)
        self.library = Library(self.settings, pathlib.Path(self.settings["program"]), self.settings["file"])
        self.model = self.library.open()
        self.result = numpy.zeros((self.settings["batch"], self.settings["width"]), numpy.float32)
        self.first = self.batch()

    def batch(self) -> numpy.ndarray:
        rows, tokens = self.settings["batch"], self.settings["tokens"]
        return numpy.array([self.texts.take(tokens) for _ in range(rows)], dtype=numpy.int32)

    def encode(self, batch: numpy.ndarray) -> None:
        texts, tokens = batch.shape
        if texts == 1:
            self.library.call("embedding", self.model, ctypes.c_int64(tokens), pointer(batch), pointer(self.result))
            return
        step = max(1, self.TOKENS_OF_CALL // tokens)
        for first in range(0, texts, step):
            part = batch[first:first + step]
            lengths = numpy.full(len(part), tokens, numpy.int32)
            sizes = ctypes.c_int64(part.size), ctypes.c_int64(len(part))
            self.library.call("embeddings", self.model, *sizes, pointer(part), pointer(lengths),
                              pointer(self.result[first:first + step]))

    def run(self) -> float:
        batches = [self.batch() for _ in range(self.settings["repeats"])]
        start = time.perf_counter()
        for batch in batches:
            self.encode(batch)
        return (time.perf_counter() - start) / len(batches)

    def check(self) -> list[float]:
        self.encode(self.first)
        return samples(self.result)


TASKS = {"prompt": LanguageModel, "decode": LanguageModel, "attention": Attention, "matmul": Product, "encoder": Encoder}


def prepare(settings: dict[str, Any]) -> Participant:
    return TASKS[settings["task"]](settings)
