//===- AttnOps.cpp - the operations' verifiers, folds and effects -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/IR/AttnDialect.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace heed::attn;

//===----------------------------------------------------------------------===//
// Plain spellings of attributes
//===----------------------------------------------------------------------===//

static ParseResult parsePlainRole(OpAsmParser &parser, RoleAttr &role) {
  StringRef keyword;
  SMLoc place = parser.getCurrentLocation();
  if (parser.parseKeyword(&keyword))
    return failure();
  std::optional<Role> value = symbolizeRole(keyword);
  if (!value)
    return parser.emitError(place) << "found role '" << keyword
                                   << "', expected linear, query, key, value or output";
  role = RoleAttr::get(parser.getContext(), *value);
  return success();
}
static void printPlainRole(OpAsmPrinter &printer, Operation *, RoleAttr role) {
  printer << stringifyRole(role.getValue());
}

static ParseResult parsePlainF64(OpAsmParser &parser, FloatAttr &value) {
  double number;
  if (parser.parseFloat(number))
    return failure();
  value = parser.getBuilder().getF64FloatAttr(number);
  return success();
}
static void printPlainF64(OpAsmPrinter &printer, Operation *, FloatAttr value) {
  printer.printFloat(value.getValue());
}

static ParseResult parsePlainI64(OpAsmParser &parser, IntegerAttr &value) {
  int64_t number;
  if (parser.parseInteger(number))
    return failure();
  value = parser.getBuilder().getI64IntegerAttr(number);
  return success();
}
static void printPlainI64(OpAsmPrinter &printer, Operation *, IntegerAttr value) {
  printer << value.getInt();
}

#define GET_OP_CLASSES
#include "heed/Dialect/Attn/IR/AttnOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Effects: tensor forms have none; memref forms read operands and write `into`
//===----------------------------------------------------------------------===//

using Effects = SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

static void readsIfMemory(OpOperand &operand, Effects &effects) {
  if (isa<MemRefType>(operand.get().getType()))
    effects.emplace_back(MemoryEffects::Read::get(), &operand);
}
static void writesIfMemory(OpOperand &operand, Effects &effects) {
  if (isa<MemRefType>(operand.get().getType()))
    effects.emplace_back(MemoryEffects::Write::get(), &operand);
}

void EmbedOp::getEffects(Effects &effects) {
  readsIfMemory(getIdsMutable(), effects);
  for (OpOperand &into : getIntoMutable())
    writesIfMemory(into, effects);
}

void ProjectOp::getEffects(Effects &effects) {
  readsIfMemory(getXMutable(), effects);
  for (OpOperand &into : getIntoMutable()) {
    if (getAccumulate())
      readsIfMemory(into, effects);
    writesIfMemory(into, effects);
  }
}

void OnlineAttentionOp::getEffects(Effects &effects) {
  for (OpOperand *operand : {&getQMutable(), &getKMutable(), &getVMutable(), &getHeadsMutable(),
                             &getRowsMutable()})
    readsIfMemory(*operand, effects);
  for (OpOperand *operand : {&getAccMutable(), &getMaxMutable(), &getSumMutable()}) {
    readsIfMemory(*operand, effects);
    writesIfMemory(*operand, effects);
  }
}

//===----------------------------------------------------------------------===//
// Verifiers; C1 … Cn are the constraints of the op's documentation
//===----------------------------------------------------------------------===//

LogicalResult WeightOp::verify() { return success(); }
LogicalResult GetWeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  if (!weight) // C1
    return emitOpError() << "names @" << getWeight() << ", which is no attn.weight";
  WeightType declared = weight.getWeightType();
  SmallVector<int64_t> shape(declared.getShape());
  if (std::optional<ArrayRef<int64_t>> order = getPermuted()) {
    if (static_cast<int64_t>(order->size()) != declared.getRank() || !isPermutationVector(*order))
      return emitOpError() << "permuted [" << *order << "] is no permutation of the weight's "
                           << declared.getRank() << " axes"; // C3
    if (declared.getStorage() > Storage::BF16 && order->back() != declared.getRank() - 1)
      return emitOpError() << "permuted [" << *order << "] moves the last axis, along which "
                           << stringifyStorage(declared.getStorage()) << " has its blocks"; // C3
    shape = applyPermutation(declared.getShape(), *order);
  }
  auto expected = WeightType::get(getContext(), shape, declared.getStorage());
  if (getType() != expected) { // C1
    InFlightDiagnostic error = emitOpError() << "has type " << getType() << "; expected " << expected;
    error.attachNote(weight.getLoc()) << "the weight is declared here";
    return error;
  }
  if (static_cast<bool>(getLayer()) != (weight.getLayers() > 0)) // C2
    return emitOpError() << (getLayer() ? "gives a layer, but @" : "gives no layer, but @")
                         << getWeight() << (getLayer() ? " is not per layer" : " is per layer");
  return success();
}
LogicalResult DequantizeOp::verify() { return success(); }
LogicalResult EmbedOp::verify() { return success(); }
LogicalResult ProjectOp::verify() { return success(); }
LogicalResult ScoresOp::verify() { return success(); }
LogicalResult MaskOp::verifyRegions() { return success(); }
LogicalResult SoftmaxOp::verify() { return success(); }
LogicalResult WeighOp::verify() { return success(); }
LogicalResult CacheAppendOp::verify() { return success(); }
LogicalResult CacheReadOp::verify() { return success(); }
LogicalResult AttentionOp::verifyRegions() { return success(); }
LogicalResult OnlineAttentionOp::verifyRegions() { return success(); }
