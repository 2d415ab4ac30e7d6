"""Each example has a line in examples/README.md, and a test that reads it."""

import re

from repository import ROOT, files, finish, text

listed = set(re.findall(r"^\* `([^`]+)`", text("examples/README.md"), re.M))
present = {path.name for path in (ROOT / "examples").iterdir() if path.suffix == ".heed" or path.is_dir()}
listed = {name.rstrip("/") for name in listed}

complaints = [f"examples/{name} has no line in examples/README.md" for name in sorted(present - listed)]
complaints += [f"examples/README.md lists {name}, which is not there" for name in sorted(listed - present)]

tests = [text(path) for path in files("test", suffixes=(".mlir", ".heed", ".test", ".cpp", ".txt", ".sh"))
         if path.parts[1] != "fuzz"]
for name in sorted(present):
    # lit's tests say %examples/NAME, unit tests "NAME.heed" or readExample("NAME").
    stem = name.removesuffix(".heed")
    if not any(f"examples/{name}" in each or f'"{stem}"' in each or f'"{name}"' in each for each in tests):
        complaints.append(f"no test reads examples/{name}")
finish(complaints, len(present))
