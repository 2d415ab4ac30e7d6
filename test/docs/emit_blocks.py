"""Compares the documentation's excerpts of compiler output with what the compiler prints.

usage: emit_blocks.py PROGRAM.heed PAGE.md...

A block marked `emit=PHASE` is an excerpt of `heed compile PROGRAM --emit=PHASE --mcpu=avx512bf16`. Its lines occur there one after
another; a line that is … alone skips any number of lines, and … inside a line any characters.
"""

import pathlib
import re
import subprocess
import sys

BLOCK = re.compile(r"^```\w+ emit=(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def matches(excerpt, output):
    """Whether the excerpt's pattern occurs in the output."""
    pattern = ""
    for line in excerpt.splitlines():
        if line == "…":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(re.escape(part) for part in line.split("…")) + r"\n"
    return re.search("^" + pattern, output, re.MULTILINE)


def main():
    failures = count = 0
    for page in sys.argv[2:]:
        text = pathlib.Path(page).read_text()
        for block in BLOCK.finditer(text):
            count += 1
            command = ["heed", "compile", sys.argv[1], f"--emit={block[1]}", "--mcpu=avx512bf16"]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0 or not matches(block[2], result.stdout):
                failures += 1
                line = text.count("\n", 0, block.start()) + 1
                print(f"{page}:{line}: not what --emit={block[1]} prints\n{result.stderr}")
    print(f"{count} excerpts, {failures} that differ")
    return failures or not count


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
