//===- ArtifactInfo.h - what an artefact says of itself, to be written ----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler's side of heed/Runtime/Artifact.h: the same facts, owning their
// memory. The constant in the object and the generated header are both made
// from it.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TARGET_CPU_ARTIFACTINFO_H
#define HEED_TARGET_CPU_ARTIFACTINFO_H

#include "mlir/IR/BuiltinOps.h"

#include <cstdint>
#include <string>
#include <vector>

namespace heed {

/// heed_weight.
struct WeightInfo {
  std::string name, tensor;
  std::string fallback;  ///< "" where there is none
  uint32_t storages = 0; ///< a heed::StorageSet
  int32_t layout = 0;    ///< a heed_layout
  int64_t layers = 1;
  int64_t rows = 0, cols = 0;
  int64_t matrices = 1;
  /// Both empty where the axes keep the file's order.
  std::vector<int64_t> permutation{}, shape{};
};

/// heed_cache.
struct CacheInfo {
  std::string name;
  int64_t layers = 1, heads = 1, width = 1;
  int32_t element = 0;          ///< a heed_element
  int64_t rows = 0, window = 0; ///< of a ring; 0: those of the context, all of them
};

/// heed_tensor: dims[a] >= 0 is a size, -1 - s the run-time size number s.
struct ArgumentInfo {
  std::string name;
  int32_t element = 0; ///< a heed_element
  std::vector<int64_t> dims;
};

/// heed_function.
struct FunctionInfo {
  std::string name;
  std::string comment; ///< what the program says of it, for the header
  bool isStep = false;
  std::vector<std::string> sizes;
  std::vector<int64_t> bounds; ///< one for each size; 0: unbounded
  std::vector<ArgumentInfo> params, results;
  std::vector<CacheInfo> caches;
  int64_t tokenLimit = 0; ///< 0: unchecked
  int64_t context = 0;    ///< the first size's bound; 0: unbounded
  int64_t chunk = 0;      ///< the most tokens of a call; 0: unbounded

  /// The symbol of its code before a variant's suffix is added.
  std::string entry() const { return name + "_entry"; }
};

/// heed_artifact without the code.
struct ArtifactInfo {
  std::string name; ///< the program's file name without folder and extension
  std::vector<WeightInfo> weights;
  std::vector<FunctionInfo> functions;

  /// `name` as the beginning of C identifiers: other characters than letters, digits and
  /// underscores become underscores.
  std::string stem() const;
};

/// Reads weights and exported functions off a module between `heed-export-functions` and
/// `convert-entry-points`, after layouts were chosen. Weights come from `attn.weight`, in their
/// order, with `heed.layout` (0, 1 or 2), `heed.rows`, `heed.cols`, `heed.matrices` and
/// `heed.permuted` where those passes set them. Functions come from those with `heed.arg`; their
/// `heed.comment` (text) and `heed.token_limit` are optional: without the latter it is found by
/// findTokenLimit. Emits an error and fails where the runtime could not hold what was found.
llvm::FailureOr<ArtifactInfo> collectArtifactInfo(mlir::ModuleOp module, std::string name);

} // namespace heed

#endif // HEED_TARGET_CPU_ARTIFACTINFO_H
