"""The machine's limits, as `heed bench` measures them, taken between the cycles of a case."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tempfile

PROGRAM = """size n
fn run(X: [n]) -> [n] {
  y[i] = X[i] + 1.0
  return y
}
"""


def measure_limits(heed: str, threads: int) -> dict[str, float]:
    """Name to value, in GFLOP/s, GOP/s or GB/s of all threads together. Empty where `heed bench` gives none."""
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "limits.heed"
        program.write_text(PROGRAM)
        command = [heed, "bench", str(program), "--size", "n=16", "-r", "1", "-t", str(threads), "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        roofs = json.loads(done.stdout)["rooflines"]
        return {roof["name"]: float(roof["median"]) for roof in roofs if roof["median"]}
    except (ValueError, KeyError, TypeError):
        print(f"warning: no limits: {heed} bench ended with {done.returncode}: {done.stderr.strip()}", file=sys.stderr)
        return {}
