"""The token sequences that language models are timed on: random, and new in every run, so that no cache of prefixes helps."""

from __future__ import annotations

import random


class TokenSource:
    """Random tokens from the middle of the vocabulary; the same sequence of texts in every participant."""

    def __init__(self, seed: int = 5, low: int = 100, high: int = 40000) -> None:
        self._random = random.Random(seed)
        self._low, self._high = low, high

    def take(self, count: int) -> list[int]:
        return [self._random.randrange(self._low, self._high) for _ in range(count)]
