"""The inputs of single operations: normally distributed, the same in every participant, and never zeros."""

from __future__ import annotations

from typing import Any

import numpy

from programs import document_lengths

SAMPLES = 64


def normal(seed: int, *shape: int) -> numpy.ndarray:
    return numpy.random.default_rng(seed).standard_normal(shape, dtype=numpy.float32)


def attention_inputs(settings: dict[str, Any]) -> list[numpy.ndarray]:
    """Queries, keys and values, each [heads, rows, features]."""
    shape = (settings["heads"], settings["rows"], settings["features"])
    return [normal(seed, *shape) for seed in (1, 2, 3)]


def segments(rows: int, documents: int) -> numpy.ndarray:
    """The document of each row."""
    return numpy.repeat(numpy.arange(documents, dtype=numpy.int32), document_lengths(rows, documents))


def samples(result: numpy.ndarray) -> list[float]:
    """Elements spread over the result, by which two participants' results are compared."""
    flat = numpy.asarray(result, dtype=numpy.float32).reshape(-1)
    return [float(flat[i]) for i in numpy.linspace(0, flat.size - 1, SAMPLES).astype(numpy.int64)]
