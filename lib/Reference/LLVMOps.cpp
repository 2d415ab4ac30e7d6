//===- LLVMOps.cpp - what little of the LLVM dialect kernels use ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An address is one of three things: of an array of numbers or buffers that a
// call comes with, of a buffer, or of a weight's packed bytes. Each load is
// checked to lie inside of it and to be aligned as it says.
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "Views.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;
using namespace heed;
using namespace heed::reference;

namespace {

/// Numbers and buffers of a call have eight bytes each.
constexpr int64_t kFieldBytes = 8;

LogicalResult getElementPointer(Step &step) {
  auto op = step.op<LLVM::GEPOp>();
  if (!op.getElemType().isInteger(8) || op.getRawConstantIndices().size() != 1)
    return step.failUnknown("the evaluator knows addresses counted in bytes only");
  int64_t distance = op.getRawConstantIndices().front();
  if (!op.getDynamicIndices().empty()) {
    FailureOr<int64_t> dynamic = step.integer(1);
    if (failed(dynamic))
      return failure();
    distance = *dynamic;
  }
  reference::Value address = step.value(0);
  int64_t *offset = nullptr;
  if (auto *bytes = std::get_if<Bytes>(&address))
    offset = &bytes->offset;
  else if (auto *record = std::get_if<Record>(&address))
    offset = &record->offset;
  if (!offset || llvm::AddOverflow(*offset, distance, *offset))
    return step.failUnknown("the evaluator doesn't know the address that it starts from");
  step.set(std::move(address));
  return success();
}

/// Elements of `format` from a weight's bytes.
LogicalResult loadBytes(Step &step, const Bytes &address, Type type) {
  Format format = Format::of(type);
  int64_t width = format.width() / 8, count = 1;
  if (auto vector = dyn_cast<VectorType>(type))
    count = vector.getNumElements();
  if (width == 0 || format.width() % 8 != 0)
    return step.failUnknown("the evaluator doesn't know how its type lies in memory");
  int64_t size = address.memory.size();
  if (address.offset < 0 || address.offset > size - count * width)
    return step.fail("reads " + llvm::Twine(count * width) + " bytes at byte " +
                     llvm::Twine(address.offset) + " of a weight of " + llvm::Twine(size));
  int64_t alignment = step.op<LLVM::LoadOp>().getAlignment().value_or(1);
  if (address.offset % alignment != 0)
    return step.fail("reads at byte " + llvm::Twine(address.offset) +
                     " what it says is aligned to " + llvm::Twine(alignment));
  std::vector<Scalar> elements;
  for (int64_t element = 0; element < count; ++element) {
    uint64_t bits = 0;
    for (int64_t byte = 0; byte < width; ++byte)
      bits |= static_cast<uint64_t>(address.memory[address.offset + element * width + byte])
              << (8 * byte);
    elements.push_back(format.isFloat() ? Scalar(format.decoded(bits))
                                        : Scalar(format.wrapped(bits)));
  }
  if (auto vector = dyn_cast<VectorType>(type)) {
    Array array = Array::uninitialised(vector.getElementType(), vector.getShape());
    *array.storage = std::move(elements);
    step.set(std::move(array));
  } else {
    step.set(toValue(elements.front(), format.isFloat()));
  }
  return success();
}

LogicalResult load(Step &step) {
  if (const auto *bytes = std::get_if<Bytes>(&step.value(0)))
    return loadBytes(step, *bytes, step.instruction.op->getResult(0).getType());
  const auto *record = std::get_if<Record>(&step.value(0));
  if (!record)
    return step.failUnknown("the evaluator doesn't know the address that it reads");
  int64_t field = record->offset / kFieldBytes, count = record->fields->size();
  if (record->offset < 0 || record->offset % kFieldBytes != 0 || field >= count)
    return step.fail("reads at byte " + llvm::Twine(record->offset) + " of an array of " +
                     llvm::Twine(count) + " numbers or buffers");
  const reference::Value &value = (*record->fields)[field];
  bool isAddress = isa<LLVM::LLVMPointerType>(step.instruction.op->getResult(0).getType());
  if (std::holds_alternative<int64_t>(value) == isAddress)
    return step.fail("reads a number as an address or an address as a number");
  step.set(value);
  return success();
}

/// Fields that are still to be set.
Record emptyRecord(Type type) {
  Record record;
  record.fields = std::make_shared<std::vector<reference::Value>>();
  auto add = [&](Type field) {
    if (isa<LLVM::LLVMStructType, LLVM::LLVMArrayType>(field))
      record.fields->push_back(emptyRecord(field));
    else
      record.fields->push_back(Scalar().asInt());
  };
  if (auto structType = dyn_cast<LLVM::LLVMStructType>(type))
    llvm::for_each(structType.getBody(), add);
  else if (auto arrayType = dyn_cast<LLVM::LLVMArrayType>(type))
    for (unsigned element = 0; element != arrayType.getNumElements(); ++element)
      add(arrayType.getElementType());
  return record;
}

LogicalResult poison(Step &step) {
  Type type = step.instruction.op->getResult(0).getType();
  if (!isa<LLVM::LLVMStructType, LLVM::LLVMArrayType>(type))
    return step.failUnknown("the evaluator knows structs of no value only");
  step.set(emptyRecord(type));
  return success();
}

LogicalResult insertValue(Step &step) {
  auto replaced = [&](auto &self, const Record &record, ArrayRef<int64_t> position) -> Record {
    Record copy = record;
    copy.fields = std::make_shared<std::vector<reference::Value>>(*record.fields);
    reference::Value &field = (*copy.fields)[position.front()];
    field = position.size() == 1
                ? step.value(1)
                : reference::Value(self(self, std::get<Record>(field), position.drop_front()));
    return copy;
  };
  step.set(replaced(replaced, std::get<Record>(step.value(0)),
                    step.op<LLVM::InsertValueOp>().getPosition()));
  return success();
}

/// A buffer, which the caller gave row-major, seen as a descriptor says: two addresses, an
/// offset, sizes, strides.
LogicalResult castDescriptor(Step &step, const Record &record, MemRefType type) {
  const std::vector<reference::Value> &fields = *record.fields;
  const Array *buffer = fields.size() == 5 ? std::get_if<Array>(&fields[1]) : nullptr;
  if (!buffer || buffer->element != type.getElementType() || !buffer->isContiguous())
    return step.fail("the descriptor's buffer isn't one of row-major " +
                     llvm::Twine(type.getElementTypeBitWidth()) + "-bit elements");
  SmallVector<int64_t> sizes, strides;
  for (const reference::Value &size : *std::get<Record>(fields[3]).fields)
    sizes.push_back(std::get<int64_t>(size));
  for (const reference::Value &stride : *std::get<Record>(fields[4]).fields)
    strides.push_back(std::get<int64_t>(stride));
  int64_t last = std::get<int64_t>(fields[2]);
  bool fits = last == 0;
  for (auto [size, stride] : llvm::zip_equal(sizes, strides)) {
    int64_t reach;
    fits = fits && size >= 0 && stride >= 0 &&
           !llvm::MulOverflow(std::max<int64_t>(size - 1, 0), stride, reach) &&
           !llvm::AddOverflow(last, reach, last);
  }
  bool isEmpty = llvm::is_contained(sizes, 0);
  if (!fits || (!isEmpty && last >= buffer->numElements()))
    return step.fail("the descriptor's sizes " + listText(sizes) + " and strides " +
                     listText(strides) + " leave a buffer of " + listText(buffer->shape));
  Array view = *buffer;
  view.shape.assign(sizes.begin(), sizes.end());
  view.strides.assign(strides.begin(), strides.end());
  step.set(std::move(view));
  return success();
}

LogicalResult castBetween(Step &step) {
  Type type = step.instruction.op->getResult(0).getType();
  if (step.instruction.operands.size() == 1 && step.instruction.results.size() == 1) {
    if (const auto *handle = std::get_if<WeightHandle>(&step.value(0));
        handle && isa<LLVM::LLVMPointerType>(type)) {
      FailureOr<Bytes> bytes = step.machine.packed(step.instruction.op, *handle);
      if (failed(bytes))
        return failure();
      step.set(*bytes);
      return success();
    }
    const auto *record = std::get_if<Record>(&step.value(0));
    if (auto memref = dyn_cast<MemRefType>(type); memref && record)
      return castDescriptor(step, *record, memref);
  }
  return step.failUnknown("the evaluator knows casts of weights to addresses and of descriptors to "
                          "memrefs only");
}

} // namespace

void heed::reference::addLLVMOps(OpTable &table) {
  table["llvm.getelementptr"] = {getElementPointer};
  table["llvm.load"] = {load};
  table["llvm.mlir.poison"] = {poison};
  table["llvm.mlir.undef"] = {poison};
  table["llvm.insertvalue"] = {insertValue};
  table["builtin.unrealized_conversion_cast"] = {castBetween};
  for (StringRef name : {"add", "sub", "mul"})
    table[("llvm." + name).str()] = {runElementwise, table[("arith." + name + "i").str()].kernel};
}
