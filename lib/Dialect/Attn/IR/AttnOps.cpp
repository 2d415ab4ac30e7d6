//===- AttnOps.cpp - the operations' spelling and effects -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Dialect/Attn/IR/AttnDialect.h"

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
    return parser.emitError(place)
           << "found role '" << keyword << "', expected linear, query, key, value or output";
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

/// `score` and `mask`, each a keyword and a region, and absent where it changes nothing.
static ParseResult parseScoreAndMask(OpAsmParser &parser, Region &score, Region &mask) {
  if (succeeded(parser.parseOptionalKeyword("score")) && parser.parseRegion(score))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("mask")) && parser.parseRegion(mask))
    return failure();
  return success();
}
static void printScoreAndMask(OpAsmPrinter &printer, Operation *, Region &score, Region &mask) {
  for (auto [keyword, region] : {std::pair("score", &score), std::pair("mask", &mask)}) {
    if (region->empty())
      continue;
    printer << ' ' << keyword << ' ';
    printer.printRegion(*region);
  }
}

/// `epilogue` and a region, absent where it changes nothing.
static ParseResult parseEpilogue(OpAsmParser &parser, Region &epilogue) {
  if (succeeded(parser.parseOptionalKeyword("epilogue")))
    return parser.parseRegion(epilogue);
  return success();
}
static void printEpilogue(OpAsmPrinter &printer, Operation *, Region &epilogue) {
  if (epilogue.empty())
    return;
  printer << " epilogue ";
  printer.printRegion(epilogue);
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

void QuantizeOp::getEffects(Effects &effects) {
  readsIfMemory(getXMutable(), effects);
  for (OpOperand *operand : getDestinations())
    writesIfMemory(*operand, effects);
}

void ProjectOp::getEffects(Effects &effects) {
  for (OpOperand *operand : getReadOperands())
    readsIfMemory(*operand, effects);
  for (OpOperand &into : getIntoMutable()) {
    if (getAccumulate())
      readsIfMemory(into, effects);
    writesIfMemory(into, effects);
  }
}

void OnlineAttentionOp::getEffects(Effects &effects) {
  for (OpOperand *operand :
       {&getQMutable(), &getKMutable(), &getVMutable(), &getHeadsMutable(), &getRowsMutable()})
    readsIfMemory(*operand, effects);
  for (OpOperand *operand : {&getAccMutable(), &getMaxMutable(), &getSumMutable()}) {
    readsIfMemory(*operand, effects);
    writesIfMemory(*operand, effects);
  }
}
