"""check_json.py FILE TESTS REPETITIONS - whether a report of heed bench has so many tests, whole ones."""

import json
import pathlib
import sys

report = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
tests, repetitions = int(sys.argv[2]), int(sys.argv[3])
assert len(report["results"]) == tests, report
for test in report["results"]:
    assert len(test["samples_ns"]) == repetitions and all(ns > 0 for ns in test["samples_ns"]), test
    assert test["low_ns"] <= test["median_ns"] <= test["high_ns"], test
for limit in report["rooflines"]:
    assert limit["skipped"] if not limit["samples"] else len(limit["samples"]) == tests + 1, limit
