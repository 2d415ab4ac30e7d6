"""The flags that compare.py, quality.py and memory.py share, and what participants find in their environment."""

from __future__ import annotations

import argparse
import glob
import os
import pathlib

import machine
from cases import ROOT, Place

FOLDER = pathlib.Path.home() / ".cache/heed/compare"  # where install.sh puts things, if not told otherwise
CUDA_LIBRARIES = "/usr/local/cuda*/lib*"  # a PyTorch built for CUDA loads them even when it runs on the processor


def absolute(path: str) -> str:
    """Participants run in other folders. Links stay as they are: an environment's python is one."""
    return os.path.abspath(os.path.expanduser(path))


def add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="for everyone (one for each processor)")
    parser.add_argument("--heed", type=absolute, default=str(ROOT / "build/release/bin/heed"),
                        help="the command that is measured (build/release/bin/heed)")
    parser.add_argument("--flag", action="append", default=[], metavar="FLAG",
                        help="passed to heed compile, such as --flag=--precise")
    parser.add_argument("--python", type=absolute, default=str(FOLDER / "peers/bin/python"),
                        help="of the environment that install.sh made")
    parser.add_argument("--models", type=absolute, default=str(FOLDER / "models"), help="the folder that models.py filled")


def place_of(options: argparse.Namespace) -> Place:
    return Place(pathlib.Path(options.models), options.heed, options.threads, machine.last_level_bytes())


def check_places(options: argparse.Namespace) -> None:
    for path, maker in ((options.python, "install.sh"), (options.heed, "the build"), (options.models, "models.py")):
        if not os.path.exists(path):
            raise ValueError(f"{path} doesn't exist; {maker} makes it")
    if options.threads < 1:
        raise ValueError(f"--threads is {options.threads}, and at least 1 was expected")


def environment(options: argparse.Namespace) -> dict[str, str]:
    """As many threads for everyone, and the libraries that PyTorch wants to load."""
    base = pathlib.Path(options.python).parents[1]
    folders = glob.glob(str(base / "lib/python*/site-packages/nvidia/*/lib")) + glob.glob(CUDA_LIBRARIES)
    paths = folders + [p for p in os.environ.get("LD_LIBRARY_PATH", "").split(":") if p]
    return {"LD_LIBRARY_PATH": ":".join(paths), "OMP_NUM_THREADS": str(options.threads), "TOKENIZERS_PARALLELISM": "false"}
