#!/usr/bin/env python3
"""How much each implementation loses of a model file: logits and likelihoods of texts, against PyTorch in F32.

    quality.py q4_1 q8_0 --texts 24 --also=--attention-type=f32 --heed build/release/bin/heed

The reference widens the same file's weights to F32 and computes in F32. The texts are this repository's own documentation,
512 tokens each. NMSE is the mean over tokens of the logits' squared error, as a share of their squares; NLL is the mean
negative log-likelihood of a text's tokens. Both are means over texts with their 95 % intervals, and so is the ratio of a
row's NMSE to Heed's, whose interval is of the same texts for both: it says whether one loses more than the other.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from typing import Any

from cases import ROOT, STORAGES, VOCABULARY, Place
from intervals import spread_of
from options import add_shared, check_places, environment, place_of
from pairing import HERE

LENGTH = 512
OURS, REFERENCE = "Heed", "PyTorch F32"
HEADER = ("| file | by | NMSE of logits [95 %] | times Heed's [95 %] | NLL | NLL less the reference's [95 %] |\n"
          "|---|---|---|---|---|---|")


def texts() -> list[str]:
    return [str(path) for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]]


def commands(place: Place, storage: str, flags: list[str], also: list[str]) -> dict[str, dict[str, Any]]:
    shared = {"file": place.language_model(storage), "threads": place.threads, "tokens": 16, "depth": 16, "context": 1024,
              "task": "prompt", "vocabulary": VOCABULARY, "texts": texts(), "length": LENGTH}
    llama = {**shared, "participant": "llama_cpp", "kv": "f16"}
    heed = {**shared, "participant": "heed", "heed": place.heed, "program": str(ROOT / "examples/llama.heed")}
    return {
        OURS: {**heed, "flags": flags},
        **{f"{OURS} {flag}": {**heed, "flags": [*flags, flag]} for flag in also},
        "llama.cpp fa on": {**llama, "flash_attention": True},
        "llama.cpp fa off": {**llama, "flash_attention": False},
    }


def rows(storage: str, answer: dict[str, dict[str, list[float]]]) -> list[str]:
    """The table's rows of a file. `answer`: for everyone, NMSE and NLL of each text."""
    exact, lines = answer[REFERENCE]["nll"], []
    for name, row in answer.items():
        nll = f"{spread_of(row['nll']).mean:.4f}"
        if name == REFERENCE:
            lines.append(f"| {storage} | {name} | – | – | {nll} | – |")
            continue
        ratio = "1" if name == OURS else spread_of(row["nmse"], answer[OURS]["nmse"]).text(".2f")
        more = spread_of([mine - its for mine, its in zip(row["nll"], exact)])
        lines.append(f"| {storage} | {name} | {spread_of(row['nmse']).text('.1e')} | {ratio} | {nll} | {more.text('+.4f')} |")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("storages", nargs="*", default=[s.lower() for s in STORAGES])
    parser.add_argument("--texts", type=int, default=24, help="how many (24)")
    parser.add_argument("--also", action="append", default=[], metavar="FLAG",
                        help="one more row: Heed with this flag of heed compile, too")
    add_shared(parser)
    options = parser.parse_args()
    check_places(options)
    place = place_of(options)
    if options.texts < 2:
        raise ValueError(f"--texts is {options.texts}, and at least 2 were expected")
    print(HEADER)
    for storage in options.storages:
        others = commands(place, storage.upper(), options.flag, options.also)
        request = {"reference": {**others[OURS], "type": "f32"}, "others": others, "count": options.texts}
        done = subprocess.run([options.python, "-B", "-m", "participants.likelihoods"], input=json.dumps(request), text=True,
                              stdout=subprocess.PIPE, cwd=HERE, env={**os.environ, **environment(options)})
        if done.returncode != 0:
            print(f"error: {storage} can't be evaluated", file=sys.stderr)
            return 1
        print("\n".join(rows(storage.upper(), json.loads(done.stdout.splitlines()[-1]))), flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
