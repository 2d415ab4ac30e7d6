//===- FileWeights.h - a weights file for the evaluator ---------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_VERIFICATION_FILEWEIGHTS_H
#define HEED_VERIFICATION_FILEWEIGHTS_H

#include "heed/Reference/WeightSource.h"

#include <memory>

namespace heed::verification {

/// The weights of the file at `path` (GGUF or safetensors), or random ones where it is "".
llvm::Expected<std::unique_ptr<reference::WeightSource>> openWeights(const std::string &path);

/// The path that an input's file (see writeInput) names; "" for random weights.
std::string savedWeightsPath(llvm::StringRef savedInput);

} // namespace heed::verification

#endif // HEED_VERIFICATION_FILEWEIGHTS_H
