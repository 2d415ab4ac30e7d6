"""BERT-shaped sentence encoders with the peers: PyTorch, OpenVINO and ONNX Runtime, from the same safetensors folder.

Each gets `batch` texts of `tokens` random tokens, nothing padded, and returns the mean of the last rows, scaled to
length 1. OpenVINO converts PyTorch's model; ONNX Runtime reads what PyTorch exports for these very shapes.
"""

from __future__ import annotations

import pathlib
import tempfile
import time
from typing import Any, Callable

import numpy
import torch
import transformers

from participants.tensors import samples
from participants.texts import TokenSource

Encoder = Callable[[numpy.ndarray], numpy.ndarray]
TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


class Embedding(torch.nn.Module):
    def __init__(self, folder: str, attention: str) -> None:
        super().__init__()
        self.bert = transformers.BertModel.from_pretrained(
            folder, attn_implementation=attention, add_pooling_layer=False).eval()

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        mean = self.bert(input_ids=tokens).last_hidden_state.mean(dim=1)
        return torch.nn.functional.normalize(mean, dim=-1)


def with_torch(settings: dict[str, Any], example: numpy.ndarray) -> tuple[Encoder, str]:
    torch.set_num_threads(settings["threads"])
    model = Embedding(settings["file"], "sdpa").to(TYPES[settings["type"]])
    if settings.get("compiled"):
        model = torch.compile(model, dynamic=False)

    def encode(tokens: numpy.ndarray) -> numpy.ndarray:
        with torch.inference_mode():
            return model(torch.from_numpy(tokens)).float().numpy()

    return encode, torch.__version__


def with_openvino(settings: dict[str, Any], example: numpy.ndarray) -> tuple[Encoder, str]:
    import openvino

    model = openvino.convert_model(
        Embedding(settings["file"], "sdpa"), example_input=torch.from_numpy(example), input=list(example.shape))
    properties = {"INFERENCE_NUM_THREADS": settings["threads"], "INFERENCE_PRECISION_HINT": settings["type"],
                  "PERFORMANCE_HINT": "LATENCY"}
    request = openvino.Core().compile_model(model, "CPU", properties).create_infer_request()
    return lambda tokens: request.infer([tokens])[0], openvino.__version__


def with_onnxruntime(settings: dict[str, Any], example: numpy.ndarray) -> tuple[Encoder, str]:
    import onnxruntime

    if settings["type"] != "f32":
        raise ValueError("ONNX Runtime has no bf16 matrix products on this processor")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings["threads"]
    options.add_session_config_entry("session.force_spinning_stop", "1")  # after a run, while others are timed
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "encoder.onnx")
        torch.onnx.export(Embedding(settings["file"], "eager"), (torch.from_numpy(example),), path,
                          input_names=["tokens"], dynamo=True)
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda tokens: session.run(None, {"tokens": tokens})[0], onnxruntime.__version__


KINDS = {
    "torch": ("PyTorch", with_torch),
    "openvino": ("OpenVINO", with_openvino),
    "onnxruntime": ("ONNX Runtime", with_onnxruntime),
}


class EncoderRun:
    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.texts = TokenSource(low=1000, high=30000)
        self.name, make = KINDS[settings["library"]]
        self.first = self.batch()
        self.encode, self.version = make(settings, self.first)
        for _ in range(2):
            self.run()

    def batch(self) -> numpy.ndarray:
        rows, tokens = self.settings["batch"], self.settings["tokens"]
        return numpy.array([self.texts.take(tokens) for _ in range(rows)], dtype=numpy.int64)

    def run(self) -> float:
        repeats = self.settings["repeats"]
        batches = [self.batch() for _ in range(repeats)]
        start = time.perf_counter()
        for tokens in batches:
            self.encode(tokens)
        return (time.perf_counter() - start) / repeats

    def check(self) -> list[float]:
        return samples(self.encode(self.first))

    def info(self) -> dict[str, Any]:
        setting = self.settings["type"] + (", compiled" if self.settings.get("compiled") else "")
        return {"name": self.name, "version": self.version, "setting": setting}


def prepare(settings: dict[str, Any]) -> EncoderRun:
    return EncoderRun(settings)
