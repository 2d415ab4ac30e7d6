"""The inputs of single operations: normally distributed, the same in every participant, and never zeros."""

from __future__ import annotations

from typing import Any

import numpy

SAMPLES = 64


def normal(seed: int, *shape: int) -> numpy.ndarray:
    return numpy.random.default_rng(seed).standard_normal(shape, dtype=numpy.float32)


def attention_inputs(settings: dict[str, Any]) -> list[numpy.ndarray]:
    """Queries, keys and values, each [heads, rows, features]."""
    shape = (settings["heads"], settings["rows"], settings["features"])
    return [normal(seed, *shape) for seed in (1, 2, 3)]


def segments(rows: int, documents: int) -> numpy.ndarray:
    """The document of each row: documents of random lengths, one after another."""
    cuts = numpy.sort(numpy.random.default_rng(4).choice(numpy.arange(1, rows), documents - 1, replace=False))
    return numpy.searchsorted(cuts, numpy.arange(rows), side="right").astype(numpy.int32)


def visible_scores(settings: dict[str, Any]) -> int:
    """How many scores of one head the mask lets through."""
    rows, mask = settings["rows"], settings["mask"]
    place = numpy.arange(rows)
    if mask == "full":
        return rows * rows
    if mask == "window":
        return int(numpy.minimum(place + 1, settings["window"]).sum())
    if mask == "document":
        lengths = numpy.bincount(segments(rows, settings["documents"])).astype(numpy.int64)
        return int((lengths * (lengths + 1) // 2).sum())
    return rows * (rows + 1) // 2  # causal, also with a cap or a slope on the scores


def samples(result: numpy.ndarray) -> list[float]:
    """Elements spread over the result, by which two participants' results are compared."""
    flat = numpy.asarray(result, dtype=numpy.float32).reshape(-1)
    return [float(flat[i]) for i in numpy.linspace(0, flat.size - 1, SAMPLES).astype(numpy.int64)]
