//===- RegisterInterfaces.h - what upstream ops can be asked ---*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_PIPELINES_REGISTERINTERFACES_H
#define HEED_PIPELINES_REGISTERINTERFACES_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace heed {

/// Registers the dialects that any phase uses, and the interfaces of their ops that live outside
/// them: bufferization, tiling, subsets, value bounds, inlining. Every tool that runs passes calls
/// it before it makes a context, so that a pass does the same in each.
void registerInterfaces(mlir::DialectRegistry &registry);

} // namespace heed

#endif // HEED_PIPELINES_REGISTERINTERFACES_H
