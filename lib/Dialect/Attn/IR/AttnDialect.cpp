//===- AttnDialect.cpp - the attention dialect, its types and attributes -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "heed/Weights/StorageType.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace heed::attn;

/// A shape in angle brackets as types print it: `9x64x576`.
static ParseResult parseShape(AsmParser &parser, SmallVectorImpl<int64_t> &shape) {
  return parser.parseDimensionList(shape, /*allowDynamic=*/false, /*withTrailingX=*/false);
}
static void printShape(AsmPrinter &printer, ArrayRef<int64_t> shape) {
  printer.printDimensionList(shape);
}

#include "heed/Dialect/Attn/IR/AttnDialect.cpp.inc"
#include "heed/Dialect/Attn/IR/AttnEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "heed/Dialect/Attn/IR/AttnAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "heed/Dialect/Attn/IR/AttnTypes.cpp.inc"

void AttnDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "heed/Dialect/Attn/IR/AttnAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "heed/Dialect/Attn/IR/AttnTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "heed/Dialect/Attn/IR/AttnOps.cpp.inc"
      >();
}

static int64_t blockElements(Storage storage) {
  std::optional<heed::StorageSet> set = heed::StorageSet::fromBits(static_cast<uint32_t>(storage));
  return set ? set->blockElements() : 1;
}

int64_t WeightType::getBlockElements() const { return blockElements(getStorage()); }

RankedTensorType WeightType::getDequantizedType() const {
  return RankedTensorType::get(getShape(), Float32Type::get(getContext()));
}

LogicalResult ProjectTileAttr::verify(function_ref<InFlightDiagnostic()> emitError, int64_t rows,
                                      int64_t panels, int64_t part) {
  if (rows > 0 && panels > 0 && part > 0 && part % panels == 0) // C1
    return success();
  return emitError() << "tile of " << rows << " rows and " << panels << " panels in a part of "
                     << part << ", expected positive numbers and a whole number of tiles";
}

LogicalResult WeightType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> shape, Storage storage) {
  if (shape.empty()) // C1
    return emitError() << "weight has no axes, expected at least one";
  int64_t elements = 1;
  for (int64_t size : shape) {
    if (size <= 0) // C1
      return emitError() << "weight has a size of " << size << "; sizes are positive";
    if (llvm::MulOverflow(elements, size, elements)) // C2
      return emitError() << "weight has more elements than 64 bits count";
  }
  int64_t block = blockElements(storage);
  if (elements % block != 0) // C2
    return emitError() << "weight has " << elements << " elements; " << stringifyStorage(storage)
                       << " stores blocks of " << block;
  return success();
}
