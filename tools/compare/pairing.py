"""Runs the participants of a case in turns, each in a process of its own that is blocked while another runs.

In a cycle every participant runs once. Cycles alternate between an order and its reverse (ABBA), and the order rotates, so
that each participant follows each other equally often. `control` is a second process of ours; what it seems to gain or
lose against the first is the error of the method.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
from typing import Any, Callable, Sequence

import machine

HERE = pathlib.Path(__file__).resolve().parent
OURS, CONTROL = "ours", "control"
TARGET_SECONDS = 0.1  # of work in a run; longer where one piece of work takes longer
SETTLE_SECONDS = 0.02  # threads that spin after their work go to sleep
IDLE_SHARE = 0.02  # of a run's time that the other processes may use
STEAL_SHARE = 0.01  # of a run's processor time that the hypervisor may take; it is counted in hundredths of a second


class ParticipantError(Exception):
    """A participant couldn't be prepared or run; the text says why."""


class Worker:
    def __init__(self, label: str, python: str, environment: dict[str, str], log: Any) -> None:
        self.label = label
        self.repeats = 1
        self.process = subprocess.Popen(
            [python, "-B", str(HERE / "worker.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log, text=True, env={**os.environ, **environment})

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise ParticipantError(f"{self.label} ended with status {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise ParticipantError(f"{self.label}: {answer['error']}")
        return answer

    def prepare(self, settings: dict[str, Any]) -> dict[str, Any]:
        info = self.ask({"do": "prepare", "settings": settings})["info"]
        seconds = self.run()
        if not settings.get("single"):
            self.repeats = max(1, min(10000, round(TARGET_SECONDS / seconds)))
        return info

    def run(self) -> float:
        return float(self.ask({"do": "run", "repeats": self.repeats})["seconds"])

    def check(self) -> list[float]:
        return self.ask({"do": "check"})["values"]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def orders(labels: Sequence[str], cycles: int) -> list[list[str]]:
    """The order of each cycle: one, its reverse, and the same rotated by one."""
    result = []
    for cycle in range(cycles):
        turn = (cycle // 2) % len(labels)
        order = [*labels[turn:], *labels[:turn]]
        result.append(order if cycle % 2 == 0 else order[::-1])
    return result


def run_cycle(order: Sequence[str], workers: dict[str, Worker]) -> dict[str, Any]:
    """One run of each. Says of each what share of the processors' time was stolen, and what share idle processes used."""
    cycle: dict[str, Any] = {"order": list(order), "seconds": {}, "stolen": {}, "busy": {}}
    for label in order:
        time.sleep(SETTLE_SECONDS)
        others = [w.process.pid for w in workers.values() if w.label != label]
        used, steal, start = sum(map(machine.processor_seconds, others)), machine.steal_seconds(), time.monotonic()
        cycle["seconds"][label] = workers[label].run()
        passed = max(time.monotonic() - start, 1e-6)
        cycle["stolen"][label] = (machine.steal_seconds() - steal) / passed / (os.cpu_count() or 1)
        # One tick may be a rounding of /proc.
        extra = sum(map(machine.processor_seconds, others)) - used - 1.0 / machine.TICKS
        cycle["busy"][label] = max(extra, 0.0) / passed
    return cycle


def undisturbed(cycle: dict[str, Any], peer: str) -> bool:
    """Whether the runs of ours and of this peer count as a pair."""
    return all(cycle["stolen"][label] <= STEAL_SHARE and cycle["busy"][label] <= IDLE_SHARE for label in (OURS, peer))


def pairs_of(cycles: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, float]]]:
    """For each participant but ours, the times of the cycles that count for it."""
    labels = [label for label in (cycles[0]["seconds"] if cycles else ()) if label != OURS]
    return {label: [c["seconds"] for c in cycles if undisturbed(c, label)] for label in labels}


def start_workers(
    participants: dict[str, dict[str, Any]], python: str, environment: dict[str, str], log: Any
) -> tuple[dict[str, Worker], dict[str, Any], dict[str, str]]:
    """Prepares all participants. One peer that can't run is left out, with its reason; ours must run."""
    workers, infos, absent = {}, {}, {}
    for label, settings in participants.items():
        worker = Worker(label, python, environment, log)
        try:
            infos[label] = worker.prepare(settings)
            workers[label] = worker
        except ParticipantError as error:
            worker.close()
            if label in (OURS, CONTROL):
                for started in workers.values():
                    started.close()
                raise
            absent[label] = str(error)
    return workers, infos, absent


def measure(
    participants: dict[str, dict[str, Any]],
    cycles: int,
    python: str,
    environment: dict[str, str],
    seconds: float = float("inf"),
    between: Callable[[], None] = lambda: None,
    log: Any = subprocess.DEVNULL,
) -> dict[str, Any]:
    """Cycles until everyone has so many undisturbed pairs, but at most twice as many, and no more after
    `seconds`. `between` is called before, between and after thirds."""
    start = time.monotonic()
    workers, infos, absent = start_workers(participants, python, environment, log)
    try:
        values = {label: worker.check() for label, worker in workers.items()}
        for worker in workers.values():  # all are in memory now; the first run after that is not like the rest
            worker.run()
        done: list[dict[str, Any]] = []
        for number, order in enumerate(orders(list(workers), 2 * cycles)):
            if number % max(1, cycles // 3) == 0:
                between()
            done.append(run_cycle(order, workers))
            valid = min(map(len, pairs_of(done).values()))
            if sys.stderr.isatty():
                print(f"\r{valid} of {cycles} ", end="", file=sys.stderr, flush=True)
            if valid >= cycles or time.monotonic() - start > seconds:
                break
        between()
        repeats = {label: worker.repeats for label, worker in workers.items()}
    finally:
        for worker in workers.values():
            worker.close()
    return {"cycles": done, "infos": infos, "absent": absent, "values": values, "repeats": repeats}
