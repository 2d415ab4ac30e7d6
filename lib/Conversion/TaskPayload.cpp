//===- TaskPayload.cpp - what a task's or a team's function uses -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TaskPayload.h"

using namespace mlir;
using namespace heed;

TaskPayload::TaskPayload(MLIRContext *context, ArrayRef<Value> values)
    : types(context), values(values.begin(), values.end()) {
  SmallVector<Type> fields;
  for (Value value : values)
    fields.push_back(types.convertType(value.getType()));
  type = LLVM::LLVMStructType::getLiteral(context, fields);
}

void TaskPayload::store(OpBuilder &builder, Location loc, Value address) const {
  for (auto [field, value] : llvm::enumerate(values)) {
    Value converted = value;
    if (Type fieldType = type.getBody()[field]; fieldType != value.getType())
      converted = UnrealizedConversionCastOp::create(builder, loc, fieldType, value).getResult(0);
    LLVM::StoreOp::create(builder, loc, converted, place(builder, loc, address, field));
  }
}

Value TaskPayload::load(OpBuilder &builder, Location loc, Value address, size_t field) const {
  Type fieldType = type.getBody()[field], wanted = values[field].getType();
  Value value = LLVM::LoadOp::create(builder, loc, fieldType, place(builder, loc, address, field));
  if (fieldType != wanted)
    value = UnrealizedConversionCastOp::create(builder, loc, wanted, value).getResult(0);
  return value;
}

Value TaskPayload::place(OpBuilder &builder, Location loc, Value address, size_t field) const {
  return LLVM::GEPOp::create(builder, loc, address.getType(), type, address,
                             ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(field)});
}
