//===- Recognition.h - what attn-recognise finds in a formula, a file for each -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_TRANSFORMS_RECOGNITION_H
#define HEED_DIALECT_ATTN_TRANSFORMS_RECOGNITION_H

#include "heed/Dialect/Attn/IR/AttnDialect.h"
#include "heed/Dialect/Attn/Transforms/Contraction.h"

#include "mlir/IR/PatternMatch.h"

namespace heed::attn {

/// Replaces each gather of a weight's rows by integers from a tensor, in the body of
/// `op`, by an attn.embed that `op` then reads elementwise. `op` itself is replaced; how
/// many gathers were found.
unsigned recogniseEmbeddings(mlir::RewriterBase &rewriter, mlir::linalg::GenericOp op);

/// Replaces a product of one weight and one activation by attn.project. Where the axes
/// don't allow that, emits a remark that says why and returns false.
bool recogniseProjection(mlir::RewriterBase &rewriter, const Contraction &product);

/// Replaces the products of two activations that `softmax` normalises, seen through masks
/// and elementwise modifiers, by attn.scores. How many there were.
unsigned recogniseScores(mlir::RewriterBase &rewriter, SoftmaxOp softmax);

/// Replaces the products of `softmax`'s pattern with values by attn.weigh. How many there were.
unsigned recogniseWeighing(mlir::RewriterBase &rewriter, SoftmaxOp softmax);

/// Gives the projections below `root` the role in which attention reads or feeds them. One
/// that has several roles, such as a fused query, key and value, stays linear.
void markRoles(mlir::Operation *root);

} // namespace heed::attn

#endif // HEED_DIALECT_ATTN_TRANSFORMS_RECOGNITION_H
