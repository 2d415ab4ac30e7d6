"""What a new process waits for: a first token, or a compiled model. Each run starts a child, and the child times itself from
after its imports, so that Python's own start counts for nobody. Files are in the page cache, and Heed's artefact exists.

    heed            open the library and the weights, read 32 tokens, give the next token's logits
    llama.cpp       load the model, make a context, the same tokens (flash attention as it chooses)
    heed compile    the whole process `heed compile PROGRAM --weights FILE -o FILE.so`
    OpenVINO GenAI  the constructor of LLMPipeline: loading and compiling
"""

from __future__ import annotations

import importlib.metadata
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable

import machine
from participants.texts import TokenSource

PACKAGES = {"llama.cpp": "llama-cpp-python", "OpenVINO GenAI": "openvino-genai"}


class ColdStart:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.folder = tempfile.TemporaryDirectory()
        if settings["what"] == "heed":
            settings["library"] = str(pathlib.Path(self.folder.name) / "llama.so")
            compile_to(settings, settings["library"])
        self.run()

    def run(self) -> float:
        if self.settings["what"] == "heed compile":
            start = time.perf_counter()
            compile_to(self.settings, str(pathlib.Path(self.folder.name) / "llama.so"))
            return time.perf_counter() - start
        child = subprocess.run(
            [sys.executable, "-B", "-m", "participants.cold_start"], input=json.dumps(self.settings), text=True,
            stdout=subprocess.PIPE, cwd=pathlib.Path(__file__).resolve().parents[1], check=True)
        return float(child.stdout.split()[-1])

    def check(self) -> list[float]:
        return []

    def info(self) -> dict[str, Any]:
        return {"name": self.settings["what"], "version": version_of(self.settings), "setting": "a new process each time"}


def version_of(settings: dict[str, Any]) -> str:
    if settings["what"] in PACKAGES:
        return importlib.metadata.version(PACKAGES[settings["what"]])
    return machine.version_of(settings["heed"])


def compile_to(settings: dict[str, Any], output: str) -> None:
    command = [settings["heed"], "compile", settings["program"], "--weights", settings["file"], "-o", output]
    subprocess.run(command, check=True, stdout=2)


def first_token_of_heed(settings: dict[str, Any]) -> Callable[[], None]:
    import ctypes

    tokens = TokenSource().take(settings["tokens"])

    def work() -> None:
        code = ctypes.CDLL(settings["library"])
        options = (ctypes.c_int32 * 2)(8, settings["threads"])  # heed_options: its size, and threads
        model, session = ctypes.c_void_p(), ctypes.c_void_p()
        logits = (ctypes.c_float * settings["vocabulary"])()
        if (code.llama_open(settings["file"].encode(), options, ctypes.byref(model))
                or code.llama_logits_session(model, ctypes.c_int64(1024), ctypes.byref(session))
                or code.llama_logits(session, (ctypes.c_int32 * len(tokens))(*tokens), ctypes.c_int64(len(tokens)),
                                     ctypes.c_int64(1), logits)):
            raise RuntimeError("the library failed")

    return work


def first_token_of_llama_cpp(settings: dict[str, Any]) -> Callable[[], None]:
    import llama_cpp as C

    tokens = TokenSource().take(settings["tokens"])

    def work() -> None:
        C.llama_backend_init()
        model = C.llama_model_load_from_file(settings["file"].encode(), C.llama_model_default_params())
        parameters = C.llama_context_default_params()
        parameters.n_ctx = 1024
        parameters.n_threads = parameters.n_threads_batch = settings["threads"]
        context = C.llama_init_from_model(model, parameters)
        array = (C.llama_token * len(tokens))(*tokens)
        if C.llama_decode(context, C.llama_batch_get_one(array, len(tokens))) != 0:
            raise RuntimeError("llama_decode failed")
        C.llama_get_logits_ith(context, -1)[0]

    return work


def compilation_of_openvino(settings: dict[str, Any]) -> Callable[[], None]:
    import openvino_genai

    return lambda: openvino_genai.LLMPipeline(settings["file"], "CPU", INFERENCE_NUM_THREADS=settings["threads"]) and None


CHILDREN = {
    "heed": first_token_of_heed,
    "llama.cpp": first_token_of_llama_cpp,
    "OpenVINO GenAI": compilation_of_openvino,
}


def prepare(settings: dict[str, Any]) -> ColdStart:
    return ColdStart(settings)


if __name__ == "__main__":
    given = json.load(sys.stdin)
    waiting = CHILDREN[given["what"]](given)
    began = time.perf_counter()
    waiting()
    print(time.perf_counter() - began)
