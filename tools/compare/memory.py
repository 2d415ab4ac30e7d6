#!/usr/bin/env python3
"""The most memory that a process has resident while it reads a prompt and decodes, against its file and cache.

    memory.py q4_1 f32 --python PEERS/bin/python --models FOLDER --heed build/release/bin/heed

Each participant is a process that reads 512 tokens and decodes 32 more. What the process held before (Python, its
libraries) is taken off. The cache is that of 544 tokens, in the type that the participant stores.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

import machine
from cases import ROOT, STORAGES, VOCABULARY
from options import add_shared, check_places, environment, place_of
from pairing import ParticipantError, Worker

TOKENS = 544
CACHE_ELEMENTS = 2 * 30 * 3 * 64  # a token's keys and values: layers, heads, features
AIM = 1.25


def measure(label: str, settings: dict[str, Any], python: str, variables: dict[str, str]) -> int:
    """Bytes. The work is done once; nothing else runs in the process."""
    with open(os.devnull, "w") as log:
        worker = Worker(label, python, variables, log)
        try:
            before = worker.ask({"do": "import", "settings": settings})["peak"]
            worker.ask({"do": "prepare", "settings": settings})
            worker.run()
            return machine.peak_bytes(worker.process.pid) - before
        finally:
            worker.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("storages", nargs="*", default=[s.lower() for s in STORAGES])
    add_shared(parser)
    options = parser.parse_args()
    check_places(options)
    place = place_of(options)
    variables = environment(options)
    print("| file | by | peak, MB | file and cache, MB | ratio |")
    print("|---|---|---|---|---|")
    for storage in options.storages:
        file = place.language_model(storage.upper())
        shared = {"file": file, "threads": options.threads, "tokens": 512, "depth": 32, "context": 1024, "task": "prompt"}
        ours = {**shared, "participant": "heed", "heed": options.heed, "flags": options.flag, "vocabulary": VOCABULARY,
                "program": str(ROOT / "examples/llama.heed")}
        theirs = {**shared, "participant": "llama_cpp", "kv": "f16", "flash_attention": True}
        pipeline = {**shared, "participant": "openvino_genai"}
        for label, settings, element in (("Heed", ours, 4), ("llama.cpp", theirs, 2), ("OpenVINO GenAI", pipeline, 2)):
            try:
                peak = measure(label, settings, options.python, variables)
            except ParticipantError as error:
                print(f"| {storage.upper()} | {label} | – | – | {str(error).splitlines()[0][:60]} |", flush=True)
                continue
            least = os.path.getsize(file) + TOKENS * CACHE_ELEMENTS * element
            reached = f" (aim {AIM:g}: {'reached' if peak <= AIM * least else 'not reached'})" if label == "Heed" else ""
            print(f"| {storage.upper()} | {label} | {peak / 1e6:.0f} | {least / 1e6:.0f} | {peak / least:.2f}{reached} |", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
