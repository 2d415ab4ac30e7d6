//===- Work.h - what a model has to do at least ---------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How many bytes a step must read and how many multiplications and additions it
// must do, counted from what the artefact says of weights and caches. Divided by
// a measured limit this is the least time that the step could take.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_BENCHMARK_WORK_H
#define HEED_BENCHMARK_WORK_H

#include "heed/Benchmark/Rooflines.h"
#include "heed/Runtime/Artifact.h"

#include <array>
#include <cstdint>

namespace heed {

class WeightsFile;

/// The instruction that a product with weights could be made of.
enum class Arithmetic : int { F32, Bf16, Int8, Int16 };

/// Multiplications and additions, by the instruction that they could be made of.
struct Operations {
  std::array<double, 4> of{};

  double total() const { return of[0] + of[1] + of[2] + of[3]; }
  /// The kind that most of them are.
  Arithmetic mostly() const;
  /// The least nanoseconds that they take; 0 where a limit that this needs wasn't measured. A dot
  /// product that the processor lacks is made of f32 arithmetic.
  double leastNs(const Rooflines &rooflines) const;
};

/// The limit that arithmetic of this kind has on this processor.
LimitKind limitOf(Arithmetic arithmetic, const Rooflines &rooflines);

/// What one call of a step does with weights. Only matrices count, which are packed in panels;
/// vectors of norms and biases are too small to matter, and of a table of embeddings few rows are
/// read. What two weights share counts once.
struct WeightWork {
  int64_t bytes = 0;      ///< packed, all read once a call
  Operations ofToken;     ///< for each token of the call
  Operations ofLogitsRow; ///< for each row of logits asked for
};

/// The work of `function`, whose artefact's weights come from `file` (null where it has none).
/// `instructions` are the heed_features of the code; with `precise` no activation is rounded, so
/// all is f32 arithmetic. Weights that `function` doesn't use count too, as the artefact doesn't
/// tell.
WeightWork weightWork(const heed_artifact &artifact, const heed_function &function,
                      const WeightsFile *file, uint64_t instructions, bool precise);

/// Bytes of cache that attention reads for one new token that sees `rows` rows, itself among them.
int64_t cacheBytesRead(const heed_function &function, int64_t rows);

} // namespace heed

#endif // HEED_BENCHMARK_WORK_H
