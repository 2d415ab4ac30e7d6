//===- TinyModel.h - a model small enough to write by hand ------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the compiler would emit, written in C++, with a weights file to match.
// The step's logits depend on every earlier token through a cache and on every
// weight, and always prefer the token after the last one: "abc" continues "def".
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_RUNTIME_TINYMODEL_H
#define HEED_TEST_UNIT_RUNTIME_TINYMODEL_H

#include "heed/Runtime/Artifact.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tiny {

constexpr int64_t kVocabulary = 257; // each byte, and the end token
constexpr int64_t kWidth = 32, kLayers = 2, kHeads = 2, kContext = 64;
constexpr int32_t kEndToken = 256;

/// Functions of the artefact, by number.
enum Function : int32_t { kScale = 0, kStep = 1, kPick = 2 };

/// name "tiny"; functions scale(x: [n, 32]) -> [n, 32], x times the layer scales;
/// step(tokens: int[n]) -> [n, 257]; pick(tokens: int[n]) -> [n], column 0 of the embedding.
extern const heed_artifact artifact;

/// One tensor of a weights file.
struct Tensor {
  std::string name;
  std::vector<uint64_t> extents; // innermost first, as GGUF has them
  uint32_t type;                 // ggml's number: 0 F32, 8 Q8_0
  std::string bytes;
};

/// The tensors that the artefact expects.
std::vector<Tensor> tensors();

/// Writes a GGUF file with `tensors` and the tokenizer to a temporary place.
class WeightsOnDisk {
public:
  explicit WeightsOnDisk(const std::vector<Tensor> &tensors = tiny::tensors());
  ~WeightsOnDisk();
  const std::string &path() const { return filePath; }

private:
  std::string filePath;
};

/// A GGUF file's bytes.
std::string ggufBytes(const std::vector<Tensor> &tensors);

} // namespace tiny

#endif // HEED_TEST_UNIT_RUNTIME_TINYMODEL_H
