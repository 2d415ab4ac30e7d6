//===- Format.h - what is special to one type of elements -*- C++ -*-------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_REFERENCE_FORMAT_H
#define HEED_LIB_REFERENCE_FORMAT_H

#include "mlir/IR/BuiltinTypes.h"

#include <cstdint>

namespace heed::reference {

/// An element type: how its numbers are rounded, wrap around and look as bits.
class Format {
public:
  Format() = default;
  /// Of a float, integer or index type, or of the elements of a shaped one; other types have none.
  static Format of(mlir::Type type);

  bool isFloat() const { return kind >= Kind::F16; }
  /// Bits of an integer or float; an index has 64.
  unsigned width() const { return bits; }

  /// `value` rounded to the nearest number of this float type.
  double rounded(double value) const {
    if (kind == Kind::F32)
      return static_cast<float>(value);
    return kind == Kind::F64 ? value : roundedToHalf(value);
  }
  bool isHalf() const { return kind == Kind::F16 || kind == Kind::BF16; }

  /// The low bits of `value` as a number of this integer type.
  int64_t wrapped(uint64_t value) const {
    if (bits >= 64)
      return static_cast<int64_t>(value);
    if (bits <= 1)
      return static_cast<int64_t>(value & 1);
    return static_cast<int64_t>(value << (64 - bits)) >> (64 - bits);
  }
  /// `value`, a number of this integer type, read as unsigned.
  uint64_t asUnsigned(int64_t value) const {
    return bits >= 64 ? static_cast<uint64_t>(value)
                      : static_cast<uint64_t>(value) & ((uint64_t{1} << bits) - 1);
  }
  /// `value`, a number of this integer type, read as signed: an i1 is 0 or -1.
  int64_t asSigned(int64_t value) const { return bits == 1 ? -value : value; }

  /// The bits of a float, and the float with these bits.
  uint64_t encoded(double value) const;
  double decoded(uint64_t bits) const;

private:
  enum class Kind { None, Integer, F16, BF16, F32, F64 };

  double roundedToHalf(double value) const;

  Kind kind = Kind::None;
  unsigned bits = 0;
};

} // namespace heed::reference

#endif // HEED_LIB_REFERENCE_FORMAT_H
