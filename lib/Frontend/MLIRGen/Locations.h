//===- Locations.h - where IR comes from, and what its values are called --===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_MLIRGEN_LOCATIONS_H
#define HEED_LIB_FRONTEND_MLIRGEN_LOCATIONS_H

#include "heed/Support/SourceRange.h"

#include "mlir/IR/Location.h"
#include "llvm/ADT/StringRef.h"

namespace heed {

class SourceManager;

namespace mlirgen {

/// Turns places of the program text into locations of the IR.
class Locations {
public:
  /// `sources` may be null: every place is then unknown.
  Locations(mlir::MLIRContext &context, const SourceManager *sources)
      : context(context), sources(sources) {}

  /// The line and column at which `range` begins.
  mlir::Location at(SourceRange range) const;
  /// The same, with a name for the printer to use. Letters that MLIR's names don't have become `_`;
  /// an empty name gives a plain location.
  mlir::Location named(llvm::StringRef name, SourceRange range) const;

private:
  mlir::MLIRContext &context;
  const SourceManager *sources;
};

} // namespace mlirgen
} // namespace heed

#endif // HEED_LIB_FRONTEND_MLIRGEN_LOCATIONS_H
