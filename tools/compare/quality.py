#!/usr/bin/env python3
"""How much each implementation loses of a model file: logits and likelihoods of a text, against PyTorch in F32.

    quality.py q4_1 q8_0 --python PEERS/bin/python --models FOLDER --heed build/release/bin/heed

The reference widens the same file's weights to F32 and computes in F32. The text is this repository's own documentation.
NMSE is the mean over tokens of the logits' squared error, as a share of their squares; NLL is the mean negative
log-likelihood of the text's tokens.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import Any

from cases import ROOT, STORAGES, VOCABULARY, Place
from options import add_shared, check_places, environment, place_of
from pairing import HERE

TEXT = ROOT / "docs/Language.md"
TOKENS = 512


def commands(place: Place, storage: str, flags: list[str]) -> dict[str, dict[str, Any]]:
    shared = {"file": place.language_model(storage), "threads": place.threads, "tokens": 16, "depth": 16, "context": 1024,
              "task": "prompt", "vocabulary": VOCABULARY, "text": str(TEXT), "count": TOKENS}
    llama = {**shared, "participant": "llama_cpp", "kv": "f16"}
    return {
        "Heed": {**shared, "participant": "heed", "heed": place.heed, "flags": flags, "program": str(ROOT / "examples/llama.heed")},
        "llama.cpp fa on": {**llama, "flash_attention": True},
        "llama.cpp fa off": {**llama, "flash_attention": False},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("storages", nargs="*", default=[s.lower() for s in STORAGES])
    add_shared(parser)
    options = parser.parse_args()
    check_places(options)
    place = place_of(options)
    print("| file | by | NMSE of logits | NLL | NLL less the reference's |")
    print("|---|---|---|---|---|")
    for storage in options.storages:
        request = {"reference": {**commands(place, storage.upper(), [])["Heed"], "type": "f32"},
                   "others": commands(place, storage.upper(), options.flag)}
        done = subprocess.run([options.python, "-B", "-m", "participants.likelihoods"], input=json.dumps(request), text=True,
                              stdout=subprocess.PIPE, cwd=HERE, env={**os.environ, **environment(options)})
        if done.returncode != 0:
            print(f"error: {storage} can't be evaluated", file=sys.stderr)
            return 1
        answer = json.loads(done.stdout.splitlines()[-1])
        reference = answer["PyTorch F32"]["nll"]
        for name, row in answer.items():
            error = f"{row['nmse']:.1e}" if "nmse" in row else "–"
            print(f"| {storage.upper()} | {name} | {error} | {row['nll']:.4f} | {row['nll'] - reference:+.4f} |", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
