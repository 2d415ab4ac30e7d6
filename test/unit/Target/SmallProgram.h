//===- SmallProgram.h - a compiled program that tests write and link ------- ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_TARGET_SMALLPROGRAM_H
#define HEED_TEST_UNIT_TARGET_SMALLPROGRAM_H

#include "heed/Target/CPU/Artifact.h"

#include <string>

namespace heed::test {

/// What the program "tiny-1" says of itself: the plain function twice(x: [n, 2]) -> [n, 2], the
/// step logits(tokens: int[n]) -> [n, 3], and two weights.
ArtifactInfo smallProgram();

/// The same with `twice` alone and no weights, so that it can be run without a weights file's
/// tensors.
ArtifactInfo plainProgram();

/// The code of `info`, a program of these, as an object for `sets`; "" after a failed expectation.
std::string compileProgram(const ArtifactInfo &info, llvm::ArrayRef<const InstructionSet *> sets,
                           ArtifactUse use);

} // namespace heed::test

#endif // HEED_TEST_UNIT_TARGET_SMALLPROGRAM_H
