//===- BufferizableOpInterfaceImpl.h - how attn ops bufferize -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_DIALECT_ATTN_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H
#define HEED_DIALECT_ATTN_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace heed::attn {

/// Lets one-shot bufferization handle dequantize, embed, project and online_attention.
void registerBufferizableOpInterfaceModels(mlir::DialectRegistry &registry);

} // namespace heed::attn

#endif // HEED_DIALECT_ATTN_TRANSFORMS_BUFFERIZABLEOPINTERFACEIMPL_H
