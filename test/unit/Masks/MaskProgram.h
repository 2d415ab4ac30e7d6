//===- MaskProgram.h - functions that differ in their masks -*- C++ -*-----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_MASKS_MASKPROGRAM_H
#define HEED_TEST_UNIT_MASKS_MASKPROGRAM_H

#include "heed/Pipelines/Pipelines.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>

namespace heed::masks {

/// The text of a function of `n` rows and `m` keys, of two heads, with a mask that may name h, i,
/// j, w, of_row[i] and of_key[j].
std::string functionText(const std::string &name, const std::string &mask);

/// Compiles such functions up to `phase`. Null, after a failure of the test, where they are wrong.
mlir::OwningOpRef<mlir::ModuleOp> compile(mlir::MLIRContext &context, const std::string &functions,
                                          Phase phase);

} // namespace heed::masks

#endif // HEED_TEST_UNIT_MASKS_MASKPROGRAM_H
