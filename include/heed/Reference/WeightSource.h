//===- WeightSource.h - where the evaluator's weights come from -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_REFERENCE_WEIGHTSOURCE_H
#define HEED_REFERENCE_WEIGHTSOURCE_H

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Weights/StorageType.h"

#include "llvm/Support/Error.h"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace heed::reference {

/// A tensor as a weights file has it.
struct StoredWeight {
  StorageType storage; ///< one of those that the weight's type allows
  llvm::ArrayRef<std::byte> bytes;
};

/// Gives weights' elements. What is returned stays valid as long as the source.
class WeightSource {
public:
  virtual ~WeightSource();

  /// The elements of `weight`, row-major in its declared shape, as its storage's formula gives
  /// them. `layer` is 0 for a weight that isn't per layer.
  virtual llvm::Expected<llvm::ArrayRef<double>> dense(attn::WeightOp weight, int64_t layer) = 0;

  /// The same elements as they are stored in a weights file, row-major in the declared shape:
  /// whole blocks of a storage type.
  virtual llvm::Expected<StoredWeight> stored(attn::WeightOp weight, int64_t layer) = 0;
};

/// A weight's bytes as the runtime lays them out for the code of the vector phase: panels or dense
/// f32, as the `heed.layout`, `heed.rows`, `heed.cols`, `heed.matrices` and `heed.permuted` of the
/// declaration say.
llvm::Expected<std::vector<std::byte>> packWeight(WeightSource &source, attn::WeightOp weight,
                                                  int64_t layer);

/// Random weights, the same for the same seed, tensor and layer on every machine. The elements of
/// a square matrix are about 1 / sqrt(columns), so that activations keep their size; those of
/// others only depend on how many there are, so that two declarations of one tensor have the
/// same. Floating-point vectors (norms, biases) lie between 0.5 and 1.5. Blocks have scales that
/// are powers of two: whoever dequantises in f32 and in f64 finds the same. Of several storage
/// types layers take one after the other.
class RandomWeights : public WeightSource {
public:
  explicit RandomWeights(uint64_t seed = 0) : seed(seed) {}

  llvm::Expected<llvm::ArrayRef<double>> dense(attn::WeightOp weight, int64_t layer) override;
  llvm::Expected<StoredWeight> stored(attn::WeightOp weight, int64_t layer) override;

private:
  struct Tensor {
    StorageType storage;
    std::vector<std::byte> bytes;
    std::vector<double> values;
  };
  const Tensor &tensor(attn::WeightOp weight, int64_t layer);

  uint64_t seed;
  std::map<std::string, Tensor> tensors;
};

} // namespace heed::reference

#endif // HEED_REFERENCE_WEIGHTSOURCE_H
