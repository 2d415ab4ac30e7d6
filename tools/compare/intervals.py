"""Medians of paired ratios and means, their intervals, and what may be said of them. Only the standard library: this is tested everywhere."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass
from typing import Sequence

MIN_PAIRS = 30  # fewer support no claim
MIN_GAIN = 1.03  # a smaller gain is not distinguished from an accident of layout
CONTROL_LIMIT = 0.02  # how far two copies of the same program may seem to differ
RESAMPLES = 4000


class UnsupportedClaim(Exception):
    """What was measured doesn't support the claim; the text says why."""


@dataclass(frozen=True)
class Interval:
    low: float
    middle: float  # the median
    high: float
    pairs: int

    def __str__(self) -> str:
        return f"{self.middle:.2f} [{self.low:.2f}, {self.high:.2f}]"


def interval_of(ratios: Sequence[float], seed: int = 1) -> Interval:
    """The median, and its 95 % interval by bootstrap: medians of samples drawn with replacement."""
    if not ratios:
        raise ValueError("no ratios were measured")
    if any(not ratio > 0 for ratio in ratios):
        raise ValueError("a ratio of times must be above 0")
    draw = random.Random(seed)
    medians = sorted(statistics.median(draw.choices(ratios, k=len(ratios))) for _ in range(RESAMPLES))
    tail = round(0.025 * RESAMPLES)
    return Interval(medians[tail], statistics.median(ratios), medians[-1 - tail], len(ratios))


@dataclass(frozen=True)
class Spread:
    """A mean of what was measured on several texts, or the ratio of two such means, with its 95 % interval."""

    low: float
    mean: float
    high: float

    def text(self, form: str) -> str:
        return f"{self.mean:{form}} [{self.low:{form}}, {self.high:{form}}]"


def spread_of(values: Sequence[float], others: Sequence[float] | None = None, seed: int = 1) -> Spread:
    """The mean of `values`, as a share of the mean of `others` where there are some: those of the same texts.

    The interval is by bootstrap, of texts: where one is drawn, it is drawn for both."""
    others = [1.0] * len(values) if others is None else others
    if not values or len(values) != len(others):
        raise ValueError(f"{len(values)} values against {len(others)}")
    draw = random.Random(seed)

    def ratio(places: Sequence[int]) -> float:
        return sum(values[i] for i in places) / sum(others[i] for i in places)

    every = range(len(values))
    ratios = sorted(ratio(draw.choices(every, k=len(values))) for _ in range(RESAMPLES))
    tail = round(0.025 * RESAMPLES)
    return Spread(ratios[tail], ratio(every), ratios[-1 - tail])


def control_holds(control: Interval) -> bool:
    """Two copies of one program must seem equally fast: the median within the limit, and the interval not beyond it."""
    near = 1 - CONTROL_LIMIT <= control.middle <= 1 + CONTROL_LIMIT
    return near and control.low <= 1 + CONTROL_LIMIT and control.high >= 1 - CONTROL_LIMIT


def claim(ratio: Interval, control: Interval | None, what: str = "as fast") -> str:
    """The sentence that a ratio supports. Throws UnsupportedClaim where there is none."""
    if ratio.pairs < MIN_PAIRS:
        raise UnsupportedClaim(f"{ratio.pairs} pairs, and at least {MIN_PAIRS} are needed")
    if control is None:
        raise UnsupportedClaim("no control was measured")
    if not control_holds(control):
        raise UnsupportedClaim(f"the control is {control}, and must be 1 within {CONTROL_LIMIT:.0%}")
    if ratio.low <= MIN_GAIN:
        raise UnsupportedClaim(f"the interval's lower end is {ratio.low:.2f}, not above {MIN_GAIN}")
    return f"at least {int(ratio.low * 100) / 100:.2f} times {what}"


def nmse(values: Sequence[float], reference: Sequence[float]) -> float:
    """The squared error, as a share of the reference's squares."""
    if len(values) != len(reference):
        raise ValueError(f"{len(values)} values against {len(reference)}")
    total = sum(x * x for x in reference)
    return sum((a - b) ** 2 for a, b in zip(values, reference)) / total if total else float("inf")
