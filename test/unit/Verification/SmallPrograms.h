//===- SmallPrograms.h - programs to verify ---------------------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_VERIFICATION_SMALLPROGRAMS_H
#define HEED_TEST_UNIT_VERIFICATION_SMALLPROGRAMS_H

#include "heed/Pipelines/Compiler.h"

#include <memory>
#include <string>

namespace heed::verification {

/// A language model of two layers, as llama.heed is: embeddings, norms, rotations, grouped heads,
/// a feed-forward part, logits. It continues texts.
std::string smallModel();

/// One attention head with weights, of which many inputs can be evaluated quickly.
std::string oneHead();

/// Attention of given queries over keys of another number, hidden by a bias and a mask: a function
/// that doesn't continue texts, of two run-time sizes.
std::string crossAttention();

/// The program, checked; its passes are registered.
std::unique_ptr<Compiler> checked(const std::string &text);

/// The best instruction set of this machine.
const InstructionSet *hostSet();

} // namespace heed::verification

#endif // HEED_TEST_UNIT_VERIFICATION_SMALLPROGRAMS_H
