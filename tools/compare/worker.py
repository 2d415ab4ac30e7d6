"""A participant in a process of its own: reads one JSON command a line, answers with one JSON line.

    {"do": "import", "settings": {...}}   ->  {"peak": 1000000}    imports; bytes of memory used at most so far
    {"do": "prepare", "settings": {...}}  ->  {"info": {...}}      loads, packs and warms up
    {"do": "run", "repeats": 3}           ->  {"seconds": 0.123}   the agreed work, timed: the mean of 3
    {"do": "check"}                       ->  {"values": [...]}    what the run computes, to be compared
    {"do": "quit"}

Between commands the process is blocked in a read. What libraries print goes to standard error, so that it can't
be mistaken for an answer.
"""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import sys
import traceback
from typing import TextIO

import machine


def answer_stream() -> TextIO:
    """The real standard output; descriptor 1 becomes standard error."""
    stream = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return stream


def serve() -> None:
    out = answer_stream()
    participant = None
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command["do"] == "quit":
                break
            if command["do"] == "import":
                importlib.import_module("participants." + command["settings"]["participant"])
                answer = {"peak": machine.peak_bytes()}
            elif command["do"] == "prepare":
                settings = {"repeats": 1, **command["settings"]}
                module = importlib.import_module("participants." + settings["participant"])
                participant = module.prepare(settings)
                answer = {"info": participant.info()}
            elif participant is None:
                raise RuntimeError("'prepare' must come first")
            elif command["do"] == "run":
                participant.settings["repeats"] = command["repeats"]
                answer = {"seconds": participant.run()}
            elif command["do"] == "check":
                answer = {"values": participant.check()}
            else:
                raise RuntimeError(f"no command {command['do']!r}")
        except Exception as error:  # a peer's failure is a result too
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {str(error).strip()[:400]}"}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
    serve()
