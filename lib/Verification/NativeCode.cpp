//===- NativeCode.cpp - a program's code in this process ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NativeCode.h"

#include "heed/Runtime/Memory.h"
#include "heed/Target/CPU/CodeGen.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Interfaces/DataLayoutInterfaces.h"
#include "llvm/ADT/APFloat.h"

#include <cstring>

using namespace mlir;
using namespace heed;
using namespace heed::verification;
using reference::Array;
using reference::Scalar;

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

NativeCode::NativeCode(const InstructionSet &set, std::unique_ptr<LoadedObject> code)
    : set(set), code(std::move(code)) {}

static llvm::Error asLLVM(const heed::Error &error) {
  return llvm::createStringError(error.message);
}

// Memory holds NaNs until the code writes it. Otherwise it holds what an earlier call left there,
// which may be the right numbers, and LLVM may take what it likes for what the stack holds.

static void *poisoned(void *memory, size_t bytes) { return std::memset(memory, 0xFF, bytes); }
static void *allocate(int64_t bytes) { return poisoned(heed_alloc(bytes), bytes); }
static void *allocateBuffer(size_t bytes) {
  return poisoned(_mlir_memref_to_llvm_alloc(bytes), bytes);
}
static void *allocateAligned(size_t alignment, size_t bytes) {
  return poisoned(_mlir_memref_to_llvm_aligned_alloc(alignment, bytes), bytes);
}

static const NamedFunction kAllocators[] = {
    {"heed_alloc", reinterpret_cast<void *>(&allocate)},
    {"_mlir_memref_to_llvm_alloc", reinterpret_cast<void *>(&allocateBuffer)},
    {"_mlir_memref_to_llvm_aligned_alloc", reinterpret_cast<void *>(&allocateAligned)}};

/// A copy of `module`, in the LLVM dialect, that fills what it reserves on the stack.
static OwningOpRef<ModuleOp> withPoisonedStack(ModuleOp module) {
  OwningOpRef<ModuleOp> copy = cast<ModuleOp>(module->clone());
  DataLayout layout(*copy);
  copy->walk([&](LLVM::AllocaOp reserved) {
    Location loc = reserved.getLoc();
    OpBuilder builder(reserved->getContext());
    builder.setInsertionPointAfter(reserved);
    Type i64 = builder.getI64Type();
    Value count = reserved.getArraySize();
    if (count.getType() != i64)
      count = LLVM::ZExtOp::create(builder, loc, i64, count);
    Value size = LLVM::ConstantOp::create(
        builder, loc, i64,
        builder.getI64IntegerAttr(layout.getTypeSize(reserved.getElemType()).getFixedValue()));
    Value fill = LLVM::ConstantOp::create(builder, loc, builder.getI8IntegerAttr(-1));
    LLVM::MemsetOp::create(builder, loc, reserved, fill,
                           LLVM::MulOp::create(builder, loc, count, size), /*isVolatile=*/false);
  });
  return copy;
}

llvm::Expected<std::unique_ptr<NativeCode>> NativeCode::make(ModuleOp module,
                                                             const InstructionSet &set,
                                                             ArrayRef<std::string> functions,
                                                             unsigned level) {
  std::vector<std::string> entries;
  for (const std::string &function : functions)
    entries.push_back(function + "_entry");
  CodeGenOptions options;
  options.level = level;
  llvm::LLVMContext context;
  auto compiled = compileVariant(*withPoisonedStack(module), context, set, entries, options);
  if (!compiled)
    return asLLVM(compiled.error());
  auto object = emitCode(**compiled, CodeFormat::Object, options);
  if (!object)
    return asLLVM(object.error());
  auto loaded = LoadedObject::load(*object, kAllocators);
  if (!loaded)
    return loaded.takeError();
  return std::unique_ptr<NativeCode>(new NativeCode(set, std::move(*loaded)));
}

llvm::Expected<heed_entry> NativeCode::entry(StringRef function) {
  auto address = code->find(variantSymbol((function + "_entry").str(), set));
  if (!address)
    return address.takeError();
  return reinterpret_cast<heed_entry>(*address);
}

//===----------------------------------------------------------------------===//
// Calling
//===----------------------------------------------------------------------===//

static unsigned bytesOf(Type element) {
  return element.isIndex() ? 8 : std::max(1u, element.getIntOrFloatBitWidth() / 8);
}

static uint64_t encode(Scalar scalar, Type element) {
  auto type = dyn_cast<FloatType>(element);
  if (!type)
    return static_cast<uint64_t>(scalar.asInt());
  llvm::APFloat number(scalar.asFloat());
  bool losesInfo;
  number.convert(type.getFloatSemantics(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return number.bitcastToAPInt().getZExtValue();
}

static Scalar decode(uint64_t bits, Type element) {
  auto type = dyn_cast<FloatType>(element);
  unsigned width = bytesOf(element) * 8;
  if (!type)
    return Scalar(llvm::APInt(64, bits).trunc(width).getSExtValue());
  llvm::APFloat number(type.getFloatSemantics(), llvm::APInt(64, bits).trunc(width));
  bool losesInfo;
  number.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return Scalar(number.convertToDouble());
}

namespace {
/// An array's elements as code sees them, 64-byte aligned. Behind them lie bytes that nobody may
/// write, a cache line of them.
class Buffer {
public:
  static constexpr size_t kLine = 64;
  static constexpr std::byte kGuard{0xA5};

  explicit Buffer(const Array &array) : element(array.element), count(array.numElements()) {
    size_t bytes = count * bytesOf(element);
    memory.assign(bytes + 2 * kLine, kGuard);
    auto address = reinterpret_cast<uintptr_t>(memory.data());
    data = memory.data() + (kLine - address % kLine) % kLine;
    unsigned width = bytesOf(element);
    std::byte *to = data;
    for (Scalar scalar : array.toScalars()) {
      uint64_t bits = encode(scalar, element);
      std::memcpy(to, &bits, width);
      to += width;
    }
  }

  void *address() const { return data; }
  bool isIntact() const {
    const std::byte *end = data + count * bytesOf(element);
    return std::all_of(end, end + kLine, [](std::byte byte) { return byte == kGuard; });
  }
  void copyTo(Array &array) const {
    unsigned width = bytesOf(element);
    for (int64_t i = 0; i < count; ++i) {
      uint64_t bits = 0;
      std::memcpy(&bits, data + i * width, width);
      (*array.storage)[i] = decode(bits, element);
    }
  }

private:
  Type element;
  int64_t count;
  std::vector<std::byte> memory;
  std::byte *data;
};
} // namespace

llvm::Error NativeForm::call(Call &call) {
  SmallVector<int64_t> numbers = call.sizes;
  if (function.isStep)
    numbers.append({call.past, call.first, call.capacity});
  std::vector<Buffer> buffers;
  for (const reference::Value &param : call.params)
    buffers.emplace_back(std::get<Array>(param));
  for (const Array &cache : call.caches)
    buffers.emplace_back(cache);
  for (const Array &result : call.results)
    buffers.emplace_back(result); // not a number anywhere
  std::vector<void *> addresses;
  for (const Buffer &buffer : buffers)
    addresses.push_back(buffer.address());
  entry(&context, numbers.data(), addresses.data());
  for (auto [number, buffer] : llvm::enumerate(buffers))
    if (!buffer.isIntact())
      return llvm::createStringError("the code writes behind the end of buffer " +
                                     llvm::Twine(number));
  size_t next = call.params.size();
  for (Array &cache : call.caches)
    buffers[next++].copyTo(cache);
  for (Array &result : call.results)
    buffers[next++].copyTo(result);
  return llvm::Error::success();
}
