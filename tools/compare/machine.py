"""What the system says of itself: stolen time, a process's processor time, and which processor this is."""

from __future__ import annotations

import hashlib
import os
import pathlib
import platform
import subprocess
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
STEAL_FIELD = 8  # of the line "cpu" in /proc/stat: user nice system idle iowait irq softirq steal


def steal_seconds() -> float:
    """Time that the hypervisor gave to others while a processor of this machine wanted to run."""
    with open("/proc/stat") as stat:
        return int(stat.readline().split()[STEAL_FIELD]) / TICKS


def processor_seconds(process: int) -> float:
    """User and system time of all threads of a process."""
    text = pathlib.Path(f"/proc/{process}/stat").read_text()
    fields = text[text.rindex(")") + 2 :].split()  # the name before may hold blanks
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_bytes(process: int | str = "self") -> int:
    """The most memory that a process has had resident."""
    for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/{process}/status has no line VmHWM")


def version_of(command: str) -> str:
    """What a command says of its version, and a few digits of the file's hash: builds of one version differ."""
    said = subprocess.run([command, "--version"], capture_output=True, text=True).stdout.strip()
    return f"{said} ({hashlib.sha256(pathlib.Path(command).read_bytes()).hexdigest()[:8]})"


def last_level_bytes() -> int:
    """The size of the largest cache of the first processor; 32 MiB where the system doesn't say."""
    sizes = []
    for path in pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        text = path.read_text().strip()
        sizes.append(int(text[:-1]) * {"K": 1024, "M": 1 << 20}[text[-1]])
    return max(sizes, default=32 << 20)


def description() -> dict[str, Any]:
    model = "unknown"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "last_level_cache": last_level_bytes(),
        "system": f"{platform.system()} {platform.release()}",
    }
