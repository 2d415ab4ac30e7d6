//===- Value.h - what the reference evaluator computes with -*- C++ -*-----===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_REFERENCE_VALUE_H
#define HEED_REFERENCE_VALUE_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

namespace heed::reference {

/// One element: a float of any type as f64, or an integer of any width, sign-extended to 64 bits
/// (an i1 is 0 or 1). Which of them it is the type says that goes with it.
struct Scalar {
  uint64_t bits = kPoison;

  /// What memory holds that nothing wrote: a NaN as a float, an unlikely number as an integer.
  static constexpr uint64_t kPoison = 0x7FF8DEAD00000000;

  Scalar() = default;
  explicit Scalar(double value) : bits(std::bit_cast<uint64_t>(value)) {}
  explicit Scalar(int64_t value) : bits(static_cast<uint64_t>(value)) {}
  double asFloat() const { return std::bit_cast<double>(bits); }
  int64_t asInt() const { return static_cast<int64_t>(bits); }
  bool isPoison() const { return bits == kPoison; }
};

/// A tensor, a vector or a memref: a strided view of shared elements. Tensors and vectors are
/// never written after they were made, so copies may share; memrefs share on purpose.
struct Array {
  mlir::Type element; ///< f64, f32, f16, bf16, an integer or index
  llvm::SmallVector<int64_t> shape, strides;
  int64_t offset = 0;
  std::shared_ptr<std::vector<Scalar>> storage;

  /// Row-major elements that nothing wrote yet.
  static Array uninitialised(mlir::Type element, llvm::ArrayRef<int64_t> shape);
  /// Row-major elements with these values, as many as `shape` has.
  static Array floats(mlir::Type element, llvm::ArrayRef<int64_t> shape,
                      llvm::ArrayRef<double> values);
  static Array integers(mlir::Type element, llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<int64_t> values);
  static Array filled(mlir::Type element, llvm::ArrayRef<int64_t> shape, Scalar value);

  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  int64_t numElements() const;
  bool isFloat() const { return mlir::isa<mlir::FloatType>(element); }
  /// True where the elements are in the order of row-major indices, without gaps.
  bool isContiguous() const;

  /// Whether `indices` has one index for each axis, inside of it.
  bool contains(llvm::ArrayRef<int64_t> indices) const;
  /// The element at `indices`, which the array contains.
  Scalar &at(llvm::ArrayRef<int64_t> indices) const;
  /// The elements in row-major order. Those of an array of floats, and of integers.
  std::vector<double> toFloats() const;
  std::vector<int64_t> toIntegers() const;
  std::vector<Scalar> toScalars() const;
  /// A row-major copy that shares nothing.
  Array clone() const;
  /// How many elements nothing wrote.
  int64_t countPoison() const;
};

/// A weight as `attn.get_weight` gives it: which op asked, of which layer.
struct WeightHandle {
  mlir::Operation *getWeight = nullptr;
  int64_t layer = 0;
};

struct Bytes;
struct Record;

/// What an SSA value holds. Programs' arguments and results are the first three; the others occur
/// inside of functions.
using Value = std::variant<double, int64_t, Array, WeightHandle, Bytes, Record>;

/// An address in a weight's packed bytes.
struct Bytes {
  llvm::ArrayRef<std::byte> memory; ///< all of them
  int64_t offset = 0;               ///< where the address points to
};

/// A struct of the LLVM dialect, or the address of an array of numbers or buffers.
struct Record {
  std::shared_ptr<std::vector<Value>> fields;
  int64_t offset = 0; ///< in bytes, eight for each field, where it is an address
};

} // namespace heed::reference

#endif // HEED_REFERENCE_VALUE_H
