"""Who may include whom: docs/Architecture.md explains the order of the rooms."""

import re

from repository import files, finish, text

RUNS_WITH_A_MODEL = ["Support", "Weights", "Text", "Runtime"]
COMPILER = ["Support", "Dialect/Attn/IR", "Dialect/Attn/Transforms", "Transforms", "Conversion", "Target"]
OTHERS = ["CostModel", "Benchmark", "Frontend", "MLIRGen", "Pipelines", "Reference", "Verification", "Tuning"]
ALL = RUNS_WITH_A_MODEL + COMPILER + OTHERS

# What each room may include, besides itself.
ALLOWED = {
    "Support": [],
    # Numbers in, cycles out.
    "CostModel": [],
    "Weights": ["Support"],
    "Text": ["Support", "Weights"],
    "Runtime": ["Support", "Weights", "Text"],
    "Benchmark": ["Support", "Weights", "Runtime"],
    "Frontend": ["Support"],
    "MLIRGen": ["Support", "Frontend", "Dialect/Attn/IR"],
    "Dialect/Attn/IR": ["Support"],
    "Dialect/Attn/Transforms": COMPILER[:2] + ["CostModel"],
    "Transforms": COMPILER[:3],
    "Conversion": COMPILER[:4] + ["CostModel"],
    "Target": COMPILER[:5],
    # The oracle knows no pass.
    "Reference": ["Support", "Weights", "Dialect/Attn/IR"],
    "Pipelines": COMPILER + ["Frontend", "MLIRGen"],
    # It compiles, runs and evaluates.
    "Verification": COMPILER + ["Pipelines", "Reference", "Weights", "Runtime"],
    # It compiles, runs and times.
    "Tuning": COMPILER + ["CostModel", "Frontend", "Pipelines", "Verification", "Benchmark", "Weights", "Runtime"],
    "tools": ALL,
}

# Rooms that go into what users ship, or that sanitizers see whole: no LLVM.
LLVM_FREE = RUNS_WITH_A_MODEL + ["CostModel", "Benchmark", "Frontend"]

# Contracts between the compiler and the runtime, which both sides include.
CONTRACTS = {
    "Runtime/Artifact.h": "the structs that generated code hands to the runtime",
    "Weights/PanelLayout.h": "where the packer puts a weight's numbers and the code finds them",
    "Weights/StorageType.h": "the element types that files hold and weight types name",
}


def room(path):
    parts = path.split("/")
    if parts[0] == "Frontend" and parts[1].startswith("MLIRGen"):
        return "MLIRGen"
    return "/".join(parts[:3]) if parts[0] == "Dialect" else parts[0]


complaints, checked = [], 0
for path in files("include/heed", "lib", "tools"):
    checked += 1
    inside = re.sub(r"^(include/heed|lib)/", "", str(path))
    here = room(inside)
    if here not in ALLOWED:
        complaints.append(f"{path} is in the room {here}, which this test doesn't know")
        continue
    for included in re.findall(r'^#include ["<]([^">]+)[">]', text(path), re.M):
        if re.match(r"(llvm|llvm-c|mlir|clang)/", included) and here in LLVM_FREE:
            complaints.append(f"{path} includes {included}, and {here} must not know LLVM")
        if not included.startswith("heed/") or included.removeprefix("heed/") in CONTRACTS:
            continue
        there = room(included.removeprefix("heed/"))
        if there != here and there not in ALLOWED[here]:
            complaints.append(f"{path} includes {included}, and {here} may include {', '.join(ALLOWED[here]) or 'no other room'}")
finish(complaints, checked)
