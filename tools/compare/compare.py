#!/usr/bin/env python3
"""Measures Heed against its peers, in pairs, and prints one table."""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import fnmatch
import json
import os
import pathlib
import sys
from typing import Any

import machine
from cases import Case, all_cases
from intervals import nmse
from limits import measure_limits
from options import add_shared, check_places, environment, place_of
from pairing import CONTROL, OURS, ParticipantError, measure
from report import settings_list, table

EXAMPLES = """examples:
  compare.py --list
  compare.py decode-q4_1 prompt-q4_0 attention-2048-causal --pairs 30 --threads 2 --out results.json
  compare.py prompt-* --out results.json     more pairs of a case are added to those in the file
  compare.py --table results.json            only prints the table
"""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help="what to measure; * stands for anything")
    parser.add_argument("--list", action="store_true", help="names the cases")
    parser.add_argument("--pairs", type=int, default=30, help="undisturbed pairs of a case (30)")
    parser.add_argument("--out", type=pathlib.Path, help="JSON file that results are added to")
    parser.add_argument("--table", type=pathlib.Path, nargs="+", metavar="FILE", help="prints the table of such files")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no more pairs of a case after so long")
    add_shared(parser)
    parser.add_argument("--only", action="append", metavar="PEER", help="only peers whose name begins so")
    parser.add_argument("--log", type=pathlib.Path, help="file for what participants print")
    parser.add_argument("--no-limits", action="store_true", help="don't measure the machine's limits between cycles")
    return parser.parse_args()


def errors_of(values: dict[str, list[float]]) -> dict[str, float]:
    """How far ours is from each peer that shows what it computes."""
    return {label: nmse(values[OURS], theirs) for label, theirs in values.items()
            if label not in (OURS, CONTROL) and theirs and values[OURS]}


def measure_case(case: Case, options: argparse.Namespace) -> dict[str, Any]:
    peers = {label: settings for label, settings in case.peers.items()
             if not options.only or any(label.startswith(only) for only in options.only)}
    ours = {**case.ours, "flags": [*case.ours.get("flags", []), *options.flag]}
    limits: list[dict[str, float]] = []

    def between() -> None:
        if not options.no_limits and (sample := measure_limits(options.heed, options.threads)):
            limits.append(sample)

    log = open(options.log, "a") if options.log else open(os.devnull, "w")
    with log:
        result = measure({OURS: ours, **peers, CONTROL: ours}, options.pairs, options.python,
                         environment(options), options.seconds, between, log)
    stored = {key: value for key, value in dataclasses.asdict(case).items() if key not in ("ours", "peers")}
    result["errors"] = errors_of(result.pop("values"))
    return {"case": stored, "threads": options.threads, "limits": limits,
            "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), **result}


def merge(results: list[dict[str, Any]], more: dict[str, Any]) -> None:
    """Adds pairs to those of the same case, if the same participants ran them on as many threads."""
    for result in results:
        if result["case"]["name"] == more["case"]["name"]:
            if result["threads"] != more["threads"] or result["infos"] != more["infos"]:
                raise ValueError(f"{more['case']['name']} was measured with other participants or settings; use another file")
            result["cycles"] += more["cycles"]
            result["limits"] += more["limits"]
            result["errors"] = more["errors"]
            return
    results.append(more)


def load(paths: list[pathlib.Path]) -> dict[str, Any]:
    stored: dict[str, Any] = {"machine": machine.description(), "results": []}
    for path in paths:
        if path.exists():
            data = json.loads(path.read_text())
            stored["machine"] = data["machine"]
            for result in data["results"]:
                merge(stored["results"], result)
    return stored


def show(stored: dict[str, Any]) -> None:
    about = stored["machine"]
    threads = sorted({result["threads"] for result in stored["results"]})
    print(table(stored["results"]))
    print(f"\n{about['processor']}, {about['processors']} processors, threads: {', '.join(map(str, threads))}; {about['system']}\n")
    print(settings_list(stored["results"]))


def chosen(patterns: list[str], cases: dict[str, Case]) -> list[Case]:
    names: list[str] = []
    for pattern in patterns:
        found = [name for name in cases if fnmatch.fnmatchcase(name, pattern)]
        if not found:
            raise ValueError(f"no case is called '{pattern}'; --list names them")
        names += [name for name in found if name not in names]
    return [cases[name] for name in names]


def main() -> int:
    options = arguments()
    cases = all_cases(place_of(options))
    if options.list:
        for case in cases.values():
            print(f"{case.name:32} {case.title}, at least {case.aim:g} times {', '.join(case.peers)}")
        return 0
    if options.table:
        for path in options.table:
            if not path.exists():
                raise ValueError(f"{path} doesn't exist")
        show(load(options.table))
        return 0
    if not options.cases or options.pairs < 1:
        raise ValueError("a case is needed, and at least 1 pair; see --help" if not options.cases else "--pairs must be at least 1")
    check_places(options)
    stored = load([options.out] if options.out else [])
    failures = 0
    for case in chosen(options.cases, cases):
        print(case.name, file=sys.stderr, flush=True)
        try:
            merge(stored["results"], measure_case(case, options))
        except ParticipantError as error:
            failures += 1
            print(f"error: {case.name}: {error}", file=sys.stderr)
        if options.out:
            options.out.write_text(json.dumps(stored))
    show(stored)
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
