//===- Weights.h - random weights in files that the tests write -*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_ENDTOEND_WEIGHTS_H
#define HEED_TEST_UNIT_ENDTOEND_WEIGHTS_H

#include "heed/Weights/StorageType.h"

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

namespace heed::endtoend {

/// A tensor, row-major.
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<float> values;

  int64_t size() const { return static_cast<int64_t>(values.size()); }
  double operator[](int64_t element) const { return values[element]; }
};

/// Values spread evenly between -bound and bound, the same for the same seed on every machine.
Tensor randomTensor(std::vector<int64_t> shape, uint32_t seed, float bound = 1);

/// The weights of one model, and their files.
class Weights {
public:
  /// Adds a tensor of random values. Those that aren't stored as F32 are made so that the storage
  /// holds them exactly. Q8_0 needs a last axis that is a multiple of 32.
  void add(const std::string &name, std::vector<int64_t> shape, float bound = 1,
           StorageType storage = StorageType::F32);
  /// Adds a tensor all of whose numbers are the largest that the storage, a quantised one, holds.
  void addLargest(const std::string &name, std::vector<int64_t> shape, StorageType storage);
  /// Adds a value of the GGUF header.
  void set(const std::string &key, std::variant<uint32_t, float, std::string> value);

  /// The values that a reference computes with.
  const Tensor &operator[](const std::string &name) const { return tensors.at(name).tensor; }

  void writeSafetensors(const std::string &path) const; ///< F32 and F16 only, no header values
  void writeGguf(const std::string &path) const;

private:
  struct Stored {
    Tensor tensor;
    StorageType storage;
    std::string bytes;
  };
  /// Adds what the storage makes of the tensor.
  void add(const std::string &name, Tensor tensor, StorageType storage);

  std::map<std::string, Stored> tensors;
  std::map<std::string, std::variant<uint32_t, float, std::string>> header;
  uint32_t nextSeed = 1;
};

} // namespace heed::endtoend

#endif // HEED_TEST_UNIT_ENDTOEND_WEIGHTS_H
