//===- KernelWeights.h - weights to time a product with ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TUNING_KERNELWEIGHTS_H
#define HEED_TUNING_KERNELWEIGHTS_H

#include "heed/Frontend/ModelHeader.h"
#include "heed/Weights/WeightsFile.h"

namespace heed::tuning {

/// A weights file in memory with a matrix for each layer, called "W.0", "W.1", …. Their numbers are
/// all alike: products take as long as of others.
class KernelWeights : public ModelHeader {
public:
  static ErrorOr<std::unique_ptr<KernelWeights>> make(StorageType storage, int64_t features,
                                                      int64_t columns, int64_t layers);

  const WeightsFile &file() const { return *opened; }

  std::optional<TensorHeader> tensor(std::string_view name) const override;
  std::optional<Value> meta(std::string_view) const override { return std::nullopt; }
  std::vector<std::string> names() const override { return {}; }
  std::vector<std::string> keys() const override { return {}; }
  std::string path() const override { return "weights to time products with"; }

private:
  std::unique_ptr<WeightsFile> opened;
};

} // namespace heed::tuning

#endif // HEED_TUNING_KERNELWEIGHTS_H
