"""What the tests of this folder share: the repository's files, and how a test ends."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = (".cpp", ".h", ".td", ".def", ".c")


def files(*folders, suffixes=SOURCES):
    """Files below the folders with one of the suffixes, as paths relative to the root."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in suffixes:
                yield path.relative_to(ROOT)


def text(path):
    return (ROOT / path).read_text(encoding="utf-8")


def lines(path):
    return text(path).count("\n")


def kebab(name):
    """FooBar -> foo-bar, WeightsToLLVM -> weights-to-llvm"""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def finish(complaints, checked):
    """Ends the test: prints what is wrong, one a line."""
    for complaint in complaints:
        print("error:", complaint)
    print(f"{checked} checked, {len(complaints)} wrong")
    # Having found nothing to check means that this test looks in the wrong place.
    sys.exit(1 if complaints or not checked else 0)
