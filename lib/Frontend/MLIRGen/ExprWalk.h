//===- ExprWalk.h - visits every expression of an expression --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_MLIRGEN_EXPRWALK_H
#define HEED_LIB_FRONTEND_MLIRGEN_EXPRWALK_H

#include "heed/Frontend/Program.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace heed::mlirgen {

/// Calls `visit` with `expr` and then with all that it holds, in the order of the text. The indices
/// and the layer of a read are part of it. Sema bounds how deep an expression is.
void walk(const program::Expr &expr, llvm::function_ref<void(const program::Expr &)> visit);

/// Walks every expression of a function's body, loops included.
void walk(const std::vector<program::Statement> &body,
          llvm::function_ref<void(const program::Expr &)> visit);

} // namespace heed::mlirgen

#endif // HEED_LIB_FRONTEND_MLIRGEN_EXPRWALK_H
