//===- ProductTuning.h - measures which tiles are fastest here ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TUNING_PRODUCTTUNING_H
#define HEED_TUNING_PRODUCTTUNING_H

#include "heed/CostModel/ProjectCost.h"
#include "heed/Support/ErrorOr.h"
#include "heed/Target/CPU/InstructionSet.h"
#include "heed/Weights/StorageType.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace heed::tuning {

/// A kind of product that a program has; see heed/Dialect/Attn/Transforms/ProductKind.h.
struct Product {
  std::string kind;
  cost::Projection projection;            ///< as the compiler sees it: its rows may be unknown
  StorageType storage = StorageType::F32; ///< the first, where a weight's layers have several
};

/// The kinds of products in a module of the phase *tiled*, each once, in order.
std::vector<Product> productsOf(mlir::ModuleOp module);

struct TuningOptions {
  const InstructionSet *set = nullptr;
  bool precise = false; ///< as heed compile's --precise
  int threads = 0;      ///< 0: one for each processor
  int64_t rows = 512;   ///< of x
  int candidates = 20;  ///< tiles that are measured: the compiler's and the model's cheapest
  int rounds = 15;      ///< in each every tile is timed once
};

/// What was measured of one kind.
struct Tuned {
  cost::ProjectTile model, best; ///< what the compiler chooses, and the fastest
  double gain = 1;               ///< the first one's time over the second's: median of the rounds
  double gainAtLeast = 1;        ///< the lower end of its 95 % interval
  double milliseconds = 0;       ///< a product with the best tile
  /// Every tile that was measured and its milliseconds, the model's first, then by their cost.
  std::vector<std::pair<cost::ProjectTile, double>> all;
};

/// Measures tiles of `product` on random numbers, as code of its own. The best is the model's
/// unless another is faster with a probability of 97.5 %.
ErrorOr<Tuned> tune(const Product &product, const TuningOptions &options);

} // namespace heed::tuning

#endif // HEED_TUNING_PRODUCTTUNING_H
