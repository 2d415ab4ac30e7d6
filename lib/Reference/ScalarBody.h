//===- ScalarBody.h - regions that compute with scalars only -*- C++ -*----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Most of the evaluator's time goes to the regions of linalg ops, and most of
// those multiply and add. Such a region is a list of kernels over registers; it
// means what running its instructions means.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_REFERENCE_SCALARBODY_H
#define HEED_LIB_REFERENCE_SCALARBODY_H

#include "Machine.h"

#include <optional>

namespace heed::reference {

class ScalarBody {
public:
  /// Nothing where an op of `body` has no kernel and is neither an index nor a choice. The body
  /// must stay where it is.
  static std::optional<ScalarBody> of(const Body &body);

  /// Registers in which the values from outside of the region are set.
  std::vector<Scalar> registers(const Frame &frame) const;
  /// The register of the region's argument `number`.
  unsigned argument(unsigned number) const { return number; }
  /// The register of what the region yields as `number`.
  unsigned yielded(unsigned number) const { return yields[number]; }

  /// Runs the region, whose arguments are set in `values`, for an element of a loop nest.
  mlir::LogicalResult run(Machine &machine, llvm::MutableArrayRef<Scalar> values,
                          llvm::ArrayRef<int64_t> indices) const;

private:
  enum class Kind { Kernel, Index, Select };
  struct Op {
    Kind kind;
    const Instruction *instruction;
    llvm::SmallVector<unsigned, 3> operands;
    unsigned result;
  };
  mlir::LogicalResult runKernel(Machine &machine, const Op &op,
                                llvm::MutableArrayRef<Scalar> values) const;

  std::vector<Op> ops;
  std::vector<unsigned> yields;
  /// Slots of the frame, and the registers that their values are set in.
  std::vector<std::pair<unsigned, unsigned>> outside;
  unsigned count = 0;
};

} // namespace heed::reference

#endif // HEED_LIB_REFERENCE_SCALARBODY_H
