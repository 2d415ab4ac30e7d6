"""Runs the examples of the dialect's documentation.

usage: dialect_examples.py INCLUDE_DIR

Every op in INCLUDE_DIR/heed/Dialect/Attn/IR/*.td has an example, and heed-opt reads each of them.
An example may leave its operands undefined: they get the types that the op says they have.
"""

import pathlib
import re
import subprocess
import sys

OP = re.compile(r'def Attn_(\w+)Op : Attn_Op<"(\w+)".*?\n}\n', re.DOTALL)
EXAMPLE = re.compile(r"Example:\n\s*```mlir\n(.*?)```", re.DOTALL)
EXPECTED = re.compile(r"use of value '%(\w+)' expects different type than prior uses: '(.*?)' vs")


def run(text):
    return subprocess.run(["heed-opt", "-"], input=text, capture_output=True, text=True)


def module(example, types):
    """The example in a function that takes its undefined values; weights stay outside."""
    lines = example.splitlines()
    declarations = [line for line in lines if line.strip().startswith("attn.weight ")]
    body = [line for line in lines if line not in declarations]
    parameters = ", ".join(f"%{name}: {kind}" for name, kind in types.items())
    return "\n".join(declarations + [f"func.func @example({parameters}) {{"] + body + ["  return", "}"])


def undefined(example):
    """Names that the example reads and doesn't define."""
    defined = set(re.findall(r"%(\w+):(?=[^%]*[,)])", " ".join(re.findall(r"\^bb0\((.*?)\)", example))))
    for left in re.findall(r"^\s*((?:%\w+(?:, )?)+) = ", example, re.MULTILINE):
        defined.update(re.findall(r"%(\w+)", left))
    defined.update(re.findall(r"%(\w+): \w+", example))
    return sorted(set(re.findall(r"%(\w+)", example)) - defined)


def check(example):
    """What heed-opt says against the example; nothing where it reads it."""
    types = {name: "none" for name in undefined(example)}
    # Each round corrects one type, so there are at most as many as names.
    for _ in range(len(types) + 1):
        result = run(module(example, types))
        found = EXPECTED.search(result.stderr)
        if result.returncode == 0 or not found or found[1] not in types:
            return result.stderr
        types[found[1]] = found[2]
    return result.stderr


def main():
    failures = count = 0
    folder = pathlib.Path(sys.argv[1]) / "heed/Dialect/Attn/IR"
    for path in sorted(folder.glob("*.td")):
        for op in OP.finditer(path.read_text()):
            example = EXAMPLE.search(op[0])
            count += 1
            error = check(example[1]) if example else "has no example"
            if error:
                failures += 1
                print(f"{path.name}: attn.{op[2]}: {error}")
    print(f"{count} ops, {failures} without an example that heed-opt reads")
    return failures or not count


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
