"""From what was measured to one table. A row whose control or results don't hold is void, and says so instead of a ratio."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

from intervals import Interval, UnsupportedClaim, claim, control_holds, interval_of
from pairing import CONTROL, OURS, pairs_of


@dataclass(frozen=True)
class Row:
    case: dict[str, Any]
    ours: float  # median seconds
    best: str  # the peer that ours gains least on; "" where none has a pair
    theirs: float
    ratio: Interval | None
    control: Interval | None
    ratios: dict[str, Interval]
    void_pairs: int  # of ours and the best peer
    problem: str  # why the row is void; "" where it isn't

    def claim(self) -> str:
        if self.problem:
            raise UnsupportedClaim(self.problem)
        if self.ratio is None:
            raise UnsupportedClaim("no peer ran")
        return claim(self.ratio, self.control)


def problem_of(result: dict[str, Any], control: Interval | None) -> str:
    for peer, error in result.get("errors", {}).items():
        if not error <= result["case"]["tolerance"]:
            return f"results differ from {peer}'s by {error:.1e} (squared, relative), above {result['case']['tolerance']:.0e}"
    if control is not None and not control_holds(control):
        return f"control {control}"
    return ""


def row_of(result: dict[str, Any]) -> Row:
    """`result`: what compare.py stores of a case."""
    pairs = {label: times for label, times in pairs_of(result["cycles"]).items() if times}
    ratios = {label: interval_of([cycle[label] / cycle[OURS] for cycle in times]) for label, times in pairs.items()}
    control = ratios.pop(CONTROL, None)
    if not ratios:
        void = len(result["cycles"])
        peers = set(result["infos"]) - {OURS, CONTROL}
        reason = "every pair was disturbed" if peers else "no peer ran"
        return Row(result["case"], float("nan"), "", float("nan"), None, control, {}, void, reason)
    best = min(ratios, key=lambda label: ratios[label].middle)
    return Row(
        case=result["case"],
        ours=statistics.median(cycle[OURS] for cycle in pairs[best]),
        best=best,
        theirs=statistics.median(cycle[best] for cycle in pairs[best]),
        ratio=ratios[best],
        control=control,
        ratios=ratios,
        void_pairs=len(result["cycles"]) - len(pairs[best]),
        problem=problem_of(result, control),
    )


def rate(case: dict[str, Any], seconds: float) -> str:
    """How much a second; seconds themselves where the work is one thing that is waited for."""
    if case["unit"] == "1/s":
        return f"{seconds * 1e3:.0f} ms"
    return f"{case['amount'] * case['scale'] / seconds:,.0f} {case['unit']}"


def verdict(row: Row) -> str:
    """A claim where one is supported, and whether the aim is reached; else what stands in its way."""
    aim = row.case["aim"]
    try:
        text = row.claim()
    except UnsupportedClaim as reason:
        reached = aim <= 1 and row.ratio is not None and not row.problem and row.ratio.low >= aim
        return f"aim {aim:g} reached; no claim: {reason}" if reached else f"no claim: {reason} (aim {aim:g})"
    assert row.ratio is not None
    return f"{text}; aim {aim:g} " + ("reached" if row.ratio.low >= aim else "not reached")


def share(result: dict[str, Any], row: Row) -> str:
    """How much of the machine's limit ours reaches, where the case names one that was measured."""
    name, amount = row.case.get("limit"), row.case.get("limit_amount")
    samples = [sample[name] for sample in result["limits"] if name in sample]
    if not samples or not amount:
        return "–"
    reached = amount / row.ours / (statistics.median(samples) * 1e9)
    aim = row.case.get("limit_aim")
    return f"{reached:.0%} of {name}".replace("%", " %") + (f" (aim {aim:.0%})".replace("%", " %") if aim else "")


def limits_line(limits: list[dict[str, float]]) -> str:
    """The machine's limits, medians of all samples of a case."""
    names = {name for sample in limits for name in sample}
    middle = {name: statistics.median(s[name] for s in limits if name in s) for name in sorted(names)}
    return ", ".join(f"{name} {value:,.0f}" for name, value in middle.items())


def table(results: list[dict[str, Any]]) -> str:
    lines = ["| work | ours | best peer | times ours [95 %] | of the limit | control | pairs (void) | what may be said |",
             "|---|---|---|---|---|---|---|---|"]
    for result in results:
        row = row_of(result)
        if row.ratio is None:
            lines.append(f"| {row.case['title']} | – | – | – | – | – | 0 ({row.void_pairs}) | {verdict(row)} |")
            continue
        shown = f"void: {row.problem}" if row.problem else str(row.ratio)
        lines.append(
            f"| {row.case['title']} | {rate(row.case, row.ours)} | {row.best}: {rate(row.case, row.theirs)} | {shown} "
            f"| {share(result, row)} | {row.control or '–'} | {row.ratio.pairs} ({row.void_pairs}) | {verdict(row)} |")
    return "\n".join(lines)


def settings_list(results: list[dict[str, Any]]) -> str:
    """Below the table: who ran as what, who couldn't, and the machine's limits in the same minutes."""
    lines: dict[str, None] = {}
    for result in results:
        for label, info in result["infos"].items():
            if label != CONTROL:
                parts = [info.get("version", ""), info.get("setting", ""), info.get("features", "")]
                lines[f"* {label}: " + "; ".join(part for part in parts if part)] = None
    for result in results:
        for label, reason in result["absent"].items():
            lines[f"* {label} didn't run {result['case']['title']}: {reason}"] = None
        if result.get("limits"):
            lines[f"* limits during {result['case']['title']}: {limits_line(result['limits'])}"] = None
    return "\n".join(lines)
