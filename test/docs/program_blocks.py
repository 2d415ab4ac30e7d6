"""Compiles the programs of the documentation that are marked complete.

usage: program_blocks.py PAGE.md...
"""

import pathlib
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(r"^```heed complete\n(.*?)^```", re.DOTALL | re.MULTILINE)


def main():
    failures = count = 0
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "program.heed"
        for page in sys.argv[1:]:
            text = pathlib.Path(page).read_text()
            for block in BLOCK.finditer(text):
                count += 1
                program.write_text(block[1])
                command = ["heed", "compile", str(program), "--emit=fused"]
                result = subprocess.run(command, capture_output=True, text=True)
                if result.returncode != 0:
                    failures += 1
                    line = text.count("\n", 0, block.start()) + 1
                    print(f"{page}:{line}: {result.stderr}")
    print(f"{count} programs, {failures} that don't compile")
    return failures or not count


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
