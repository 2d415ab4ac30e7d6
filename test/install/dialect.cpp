//===- dialect.cpp - uses an installed Heed's dialect ---------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include <heed/Dialect/Attn/IR/AttnDialect.h>

#include <cstdio>
#include <mlir/IR/MLIRContext.h>

int main() {
  mlir::MLIRContext context;
  auto *dialect = context.getOrLoadDialect<heed::attn::AttnDialect>();
  std::printf("%s\n", dialect->getNamespace().data());
  return dialect->getNamespace() == "attn" ? 0 : 1;
}
