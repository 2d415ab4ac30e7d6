"""Files that one can read in one sitting, named for what they hold."""

import re

from repository import files, finish, lines, text

VAGUE = re.compile(r"(^|[-_])(util|utils|utility|utilities|helper|helpers|common|misc|stuff)($|[-_.])|(Utils?|Helpers?|Common|Misc)(?=[A-Z.]|$)")

complaints, checked = [], 0


def check(path, limit, what):
    global checked
    checked += 1
    if lines(path) > limit:
        complaints.append(f"{path} has {lines(path)} lines, and {what} may have {limit}")


CODE = (".cpp", ".h", ".td", ".def", ".c", ".py", ".sh", ".heed", ".cmake")
for path in files("include", "lib", "tools", "test", "examples", "benchmarks", "cmake", "docs", suffixes=CODE):
    check(path, 600, "a file")
    if re.search(r"^int main\(", text(path), re.M) and path.parts[0] == "tools":
        check(path, 150, "a main program")
for path in files("test", suffixes=(".mlir", ".test", ".heed")):
    if path.parts[1] not in ("unit", "fuzz"):
        check(path, 150, "a lit test")
for path in files("include", "lib", "tools", "test", "examples", "benchmarks", "cmake", "docs", suffixes=CODE + (".md", ".mlir", ".test", ".txt")):
    vague = [part for part in path.parts if VAGUE.search(part)]
    if vague:
        complaints.append(f"{path}: the name {vague[0]} doesn't say what it holds")
finish(complaints, checked)
