#!/usr/bin/env python3
"""run_snippets.py BUILD - runs the commands that the documentation shows.

Blocks marked sh, in README.md, docs, and the README.md of examples and benchmarks, run one after the other, each in the root of a scratch copy of
the repository, with BUILD/bin in PATH; the models' paths must be in the environment, as tools/check.sh has them. A block fails if its last command does, or
if anything says "error:". A comment `<!-- no-run: REASON -->` in the line before a block keeps it from being run. Blocks
marked bash change the machine or build; of these only tools/demo.sh is run, in the repository itself.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 300


def documents():
    yield from [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("examples/**/README.md")),
                ROOT / "benchmarks/README.md"]


def blocks(document):
    """(line number, language, reason not to run or None, text) of each block of commands."""
    lines = document.read_text(encoding="utf-8").splitlines()
    start = None
    for number, line in enumerate(lines):
        if start is None and line.startswith("```"):
            start = number
        elif start is not None and line.startswith("```"):
            words = lines[start][3:].split()
            if words and words[0] in ("sh", "bash"):
                reason = re.fullmatch(r"<!-- no-run: (.+) -->", lines[start - 1].strip()) if start else None
                yield start + 1, words[0], reason and reason.group(1), "\n".join(lines[start + 1 : number])
            start = None


def scratch_copy(folder):
    """The repository's files as they are, and nothing that was built."""
    listed = subprocess.run(["git", "-c", f"safe.directory={ROOT}", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / "build").mkdir(exist_ok=True)


def run(place, command, folder, environment):
    """Whether the block passed; says why where it didn't."""
    try:
        done = subprocess.run(["bash", "-eu", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS, errors="replace", text=True)
        output, problem = done.stdout, f"exit code {done.returncode}" if done.returncode else None
    except subprocess.TimeoutExpired:
        output, problem = "", f"still running after {SECONDS} s"
    # The commands before a pipe's last one leave no exit code.
    if not problem and re.search(r"^(\S+: )*(fatal )?error:", output, re.M):
        problem = "an error message"
    print(f"{'FAILED' if problem else 'passed'}: {place}", flush=True)
    if problem:
        print(f"  {problem} from:\n" + "\n".join("    " + line for line in (command + "\n" + output).splitlines()))
    return not problem


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    environment = dict(os.environ, NO_COLOR="1", PATH=f"{build / 'bin'}{os.pathsep}{os.environ['PATH']}")
    results = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        scratch_copy(folder)
        for document in documents():
            for line, language, reason, command in blocks(document):
                place = f"{document.relative_to(ROOT)}:{line}"
                if reason:
                    print(f"not run: {place}: {reason}")
                elif language == "sh":
                    results.append(run(place, command, folder, environment))
                else:
                    lines = [each.split("#")[0].strip() for each in command.splitlines()]
                    if "tools/demo.sh" in lines:
                        results.append(run(f"{place}: tools/demo.sh", "tools/demo.sh", ROOT, environment))
                    for each in lines:
                        if each == "tools/check.sh":
                            print(f"not run: {place}: {each}: runs this test")
                        elif each and each != "tools/demo.sh":
                            print(f"not run: {place}: {each}: builds, or sets up a shell")
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    sys.exit(not results or not all(results))


main()
