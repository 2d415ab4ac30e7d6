//===- InstructionSet.h - the x86-64 instruction sets to compile for ------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TARGET_CPU_INSTRUCTIONSET_H
#define HEED_TARGET_CPU_INSTRUCTIONSET_H

#include "heed/Support/ErrorOr.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace heed {

/// What one variant of the code may use.
struct InstructionSet {
  const char *name;           ///< in flags, symbols and heed_variant
  uint64_t features;          ///< heed_features that the processor must have
  const char *cpu;            ///< LLVM's target-cpu
  const char *targetFeatures; ///< LLVM's target-features on top of it
  unsigned vectorBits;        ///< width of a vector register

  bool has(uint64_t feature) const { return (features & feature) == feature; }
};

/// Every instruction set that there is code for, best first.
llvm::ArrayRef<InstructionSet> allInstructionSets();

/// The best instruction set that this machine has; an error where it has none of them.
ErrorOr<const InstructionSet *> hostInstructionSet();

/// The instruction sets that a flag names, best first and without repetition: "host", "all", or
/// names with commas between them.
ErrorOr<std::vector<const InstructionSet *>> parseInstructionSets(llvm::StringRef names);

} // namespace heed

#endif // HEED_TARGET_CPU_INSTRUCTIONSET_H
