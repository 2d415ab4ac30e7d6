"""What is measured: each case is one piece of work, the program of ours that does it, and the peers that do the same."""

from __future__ import annotations

import math
import os
import pathlib
from dataclasses import dataclass
from typing import Any, Iterator

from programs import document_lengths

ROOT = pathlib.Path(__file__).resolve().parents[2]
LANGUAGE_MODEL = "SmolLM2-135M-Instruct"
STORAGES = ("Q4_1", "Q4_0", "Q8_0", "BF16", "F32")
VOCABULARY = 49152

# By how much ours should be faster, by its storage.
DECODE_AIMS = {"Q4_1": 2.2, "Q4_0": 1.7, "Q8_0": 1.6, "BF16": 1.1, "F32": 1.0}
PROMPT_AIMS = {"Q4_1": 1.5, "Q4_0": 1.5, "Q8_0": 1.5, "BF16": 1.3, "F32": 1.3}
PEAKS = {"f32": "fma_f32", "bf16": "dot_bf16"}
AIM_OF_PEAK = {"f32": 0.70, "bf16": 0.55}  # of full attention over 2,048 rows


@dataclass(frozen=True)
class Case:
    name: str
    title: str
    aim: float  # the least factor that is hoped for
    amount: float  # of work in a unit of time measured: tokens, or operations
    unit: str  # what `amount` per second is shown as, scaled by `scale`
    ours: dict[str, Any]
    peers: dict[str, dict[str, Any]]
    tolerance: float  # on the squared error of ours against a peer, as a share
    scale: float = 1.0
    limit: str = ""  # of the machine, as `heed bench` names it
    limit_amount: float = 0.0  # bytes or operations of a unit of time measured
    limit_aim: float = 0.0


@dataclass(frozen=True)
class Place:
    """Where files are, and how participants are to run."""

    models: pathlib.Path
    heed: str
    threads: int
    last_level_bytes: int

    def language_model(self, storage: str) -> str:
        return str(self.models / f"{LANGUAGE_MODEL}.{storage}.gguf")

    def cold_copies(self, size: int) -> int:
        """So many copies of weights that they can't stay in the last cache between turns."""
        return max(1, math.ceil(4 * self.last_level_bytes / max(size, 1)))


def language_model_cases(place: Place) -> Iterator[Case]:
    for storage in STORAGES:
        file = place.language_model(storage)
        size = os.path.getsize(file) if os.path.exists(file) else 1 << 40
        for task, tokens in (("decode", 32), ("prompt", 512), ("prompt", 4096)):
            shared = {"task": task, "file": file, "tokens": tokens, "depth": 16, "context": max(1024, tokens + 64),
                      "threads": place.threads, "single": True,
                      "copies": place.cold_copies(size) if task == "decode" else 1}
            peers = {
                f"llama.cpp fa {'on' if on else 'off'}": {
                    **shared, "participant": "llama_cpp", "flash_attention": on, "kv": "f16"}
                for on in (True, False)
            }
            if storage.startswith("Q"):
                peers["OpenVINO GenAI"] = {**shared, "participant": "openvino_genai"}
            else:
                kind = storage.lower()
                peers["PyTorch"] = {**shared, "participant": "torch_llm", "type": kind}
                peers["OpenVINO GenAI"] = {
                    **shared, "participant": "openvino_genai", "file": place.language_model("F16"),
                    "inference_precision_hint": kind,
                    "label": f"LLMPipeline on the F16 file ({storage} isn't read), computed in {kind}"}
            if task == "decode" and not storage.startswith("Q"):  # the others are several times slower
                peers = {name: peer for name, peer in peers.items() if name.startswith("llama.cpp")}
            ours = {**shared, "participant": "heed", "program": str(ROOT / "examples/llama.heed"),
                    "heed": place.heed, "vocabulary": VOCABULARY}
            suffix = "-4096" if tokens == 4096 else ""
            aims = DECODE_AIMS if task == "decode" else PROMPT_AIMS
            title = f"SmolLM2 {storage}: " + ("decode" if task == "decode" else f"prompt of {tokens}")
            yield Case(f"{task}-{storage.lower()}{suffix}", title, aims[storage], tokens, "tok/s", ours, peers, 5e-3,
                       **({"limit": "read_memory", "limit_amount": float(size * tokens), "limit_aim": 0.85} if task == "decode" else {}))


def visible(mask: str, rows: int, window: int, documents: int) -> float:
    """Scores of a head that the mask lets through."""
    if mask == "full":
        return rows * rows
    if mask == "window":
        return window * rows - window * (window - 1) / 2
    lengths = document_lengths(rows, documents) if mask == "document" else [rows]
    return sum(n * (n + 1) / 2 for n in lengths)


def attention_cases(place: Place) -> Iterator[Case]:
    shapes = [(12, rows, 64, mask, 2.0) for rows in (512, 2048, 4096) for mask in ("full", "causal")]
    shapes += [(32, 2048, 128, mask, 2.0) for mask in ("full", "causal")]
    shapes += [(12, 4096, 64, mask, 2.5) for mask in ("window", "document", "softcap", "alibi")]
    shapes += [(12, 16384, 64, "window", 2.5)]
    for heads, rows, features, mask, aim in shapes:
        for kind in ("f32", "bf16"):
            shared = {"task": "attention", "heads": heads, "rows": rows, "features": features, "mask": mask, "type": kind,
                      "window": 256, "documents": 16, "cap": 50.0, "threads": place.threads}
            kernels = ("sdpa", "flex") if mask in ("full", "causal") else ("flex",)
            peers = {f"PyTorch {k}": {**shared, "participant": "torch_attention", "kernel": k} for k in kernels}
            ours = {**shared, "participant": "heed", "heed": place.heed, "flags": [f"--attention-type={kind}"]}
            head = f"attention-{heads}x" if heads != 12 else "attention-" if mask in ("full", "causal") else ""
            name = f"{head}{rows}-{mask}" if head else f"{mask}-{rows}"
            operations = 4.0 * heads * features * visible(mask, rows, 256, 16)
            yield Case(name + ("-bf16" if kind == "bf16" else ""), f"attention {heads}×{rows}×{features} {mask} {kind}",
                       aim, operations, "GFLOP/s", ours, peers, 1e-9 if kind == "f32" else 1e-3, 1e-9,
                       PEAKS[kind], operations, AIM_OF_PEAK[kind] if (rows, mask) == (2048, "full") else 0.0)


def matmul_cases(place: Place) -> Iterator[Case]:
    sizes = [(n, n, n, str(n)) for n in (512, 1024, 2048, 4096)]
    sizes += [(rows, 2048, 2048, f"rows-{rows}") for rows in (1, 4, 16)]
    for rows, inner, columns, label in sizes:
        for kind, aim in (("f32", 1.05), ("bf16", 1.0)):
            bytes_of_weight = inner * columns * (4 if kind == "f32" else 2)
            operations = 2.0 * rows * inner * columns
            shared = {"task": "matmul", "rows": rows, "inner": inner, "columns": columns, "type": kind,
                      "threads": place.threads, "copies": place.cold_copies(bytes_of_weight) if rows <= 16 else 1}
            libraries = {"PyTorch": "torch", "OpenVINO": "openvino", **({"IREE": "iree"} if kind == "f32" else {})}
            peers = {name: {**shared, "participant": "matmul", "library": lib} for name, lib in libraries.items()}
            ours = {**shared, "participant": "heed", "heed": place.heed}
            yield Case(f"matmul-{label}" + ("-bf16" if kind == "bf16" else ""), f"matmul {rows}×{inner}×{columns} {kind}", aim,
                       operations, "GFLOP/s", ours, peers, 1e-9 if kind == "f32" else 1e-3, 1e-9,
                       PEAKS[kind] if rows > 16 else "read_memory", operations if rows > 16 else float(bytes_of_weight))


def encoder_cases(place: Place) -> Iterator[Case]:
    folder = place.models / "all-MiniLM-L6-v2"
    narrow = place.models / "all-MiniLM-L6-v2-bf16"
    for batch in (1, 32):
        for kind in ("f32", "bf16"):
            shared = {"task": "encoder", "file": str(folder), "batch": batch, "tokens": 128, "type": kind,
                      "threads": place.threads}
            libraries = {"OpenVINO": "openvino", "PyTorch": "torch", **({"ONNX Runtime": "onnxruntime"} if kind == "f32" else {})}
            peers = {name: {**shared, "participant": "encoder", "library": lib} for name, lib in libraries.items()}
            ours = {**shared, "participant": "heed", "heed": place.heed, "width": 384,
                    "file": str((folder if kind == "f32" else narrow) / "model.safetensors"),
                    "program": str(ROOT / "examples/bert.heed")}
            yield Case(f"minilm-{batch}" + ("-bf16" if kind == "bf16" else ""), f"MiniLM {batch}×128 {kind}", 1.05,
                       batch * 128, "tok/s", ours, peers, 1e-6 if kind == "f32" else 1e-3)


def start_cases(place: Place) -> Iterator[Case]:
    for storage in STORAGES:
        shared = {"participant": "cold_start", "file": place.language_model(storage), "tokens": 32, "threads": place.threads,
                  "heed": place.heed, "program": str(ROOT / "examples/llama.heed"), "vocabulary": VOCABULARY, "single": True}
        yield Case(f"first-token-{storage.lower()}", f"SmolLM2 {storage}: new process to first token", 1.0, 1, "1/s",
                   {**shared, "what": "heed"}, {"llama.cpp": {**shared, "what": "llama.cpp"}}, math.inf)
        if storage.startswith("Q"):
            yield Case(f"compile-{storage.lower()}", f"SmolLM2 {storage}: compile for this machine", 1.0, 1, "1/s",
                       {**shared, "what": "heed compile"}, {"OpenVINO GenAI": {**shared, "what": "OpenVINO GenAI"}}, math.inf)


def all_cases(place: Place) -> dict[str, Case]:
    kinds = (language_model_cases, attention_cases, matmul_cases, encoder_cases, start_cases)
    return {case.name: case for kind in kinds for case in kind(place)}
