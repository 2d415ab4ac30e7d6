//===- Format.cpp - what is special to one type of elements ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Format.h"

#include "llvm/ADT/APFloat.h"

#include <bit>

using namespace mlir;
using namespace heed::reference;
using llvm::APFloat;

static const llvm::fltSemantics &halfSemantics(bool isBFloat) {
  return isBFloat ? APFloat::BFloat() : APFloat::IEEEhalf();
}

Format Format::of(Type type) {
  if (auto shaped = dyn_cast<ShapedType>(type))
    type = shaped.getElementType();
  Format format;
  if (isa<IndexType>(type)) {
    format.kind = Kind::Integer;
    format.bits = 64;
  } else if (auto integer = dyn_cast<IntegerType>(type); integer && integer.getWidth() <= 64) {
    format.kind = Kind::Integer;
    format.bits = integer.getWidth();
  } else if (isa<Float64Type, Float32Type, Float16Type, BFloat16Type>(type)) {
    format.bits = type.getIntOrFloatBitWidth();
    format.kind = isa<Float64Type>(type)   ? Kind::F64
                  : isa<Float32Type>(type) ? Kind::F32
                  : isa<Float16Type>(type) ? Kind::F16
                                           : Kind::BF16;
  }
  return format;
}

double Format::roundedToHalf(double value) const {
  if (!isHalf())
    return value;
  return decoded(encoded(value));
}

uint64_t Format::encoded(double value) const {
  if (kind == Kind::F64)
    return std::bit_cast<uint64_t>(value);
  if (kind == Kind::F32)
    return std::bit_cast<uint32_t>(static_cast<float>(value));
  APFloat number(value);
  bool losesInfo;
  number.convert(halfSemantics(kind == Kind::BF16), APFloat::rmNearestTiesToEven, &losesInfo);
  return number.bitcastToAPInt().getZExtValue();
}

double Format::decoded(uint64_t pattern) const {
  if (kind == Kind::F64)
    return std::bit_cast<double>(pattern);
  if (kind == Kind::F32)
    return std::bit_cast<float>(static_cast<uint32_t>(pattern));
  APFloat number(halfSemantics(kind == Kind::BF16), llvm::APInt(16, pattern & 0xffff));
  bool losesInfo;
  number.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return number.convertToDouble();
}
