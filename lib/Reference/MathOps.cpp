//===- MathOps.cpp - what math ops mean -----------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include <cmath>

using namespace mlir;
using namespace heed::reference;

namespace {

template <double (*compute)(double)>
const char *one(const Instruction &, const Scalar *operands, Scalar &result) {
  result = Scalar(compute(operands[0].asFloat()));
  return nullptr;
}

template <double (*compute)(double, double)>
const char *two(const Instruction &, const Scalar *operands, Scalar &result) {
  result = Scalar(compute(operands[0].asFloat(), operands[1].asFloat()));
  return nullptr;
}

const char *fusedMultiplyAdd(const Instruction &, const Scalar *operands, Scalar &result) {
  result = Scalar(std::fma(operands[0].asFloat(), operands[1].asFloat(), operands[2].asFloat()));
  return nullptr;
}

const char *floatToIntegerPower(const Instruction &, const Scalar *operands, Scalar &result) {
  result = Scalar(std::pow(operands[0].asFloat(), static_cast<double>(operands[1].asInt())));
  return nullptr;
}

const char *absoluteInteger(const Instruction &instruction, const Scalar *operands,
                            Scalar &result) {
  int64_t value = operands[0].asInt();
  result = Scalar(
      instruction.resultFormat.wrapped(value < 0 ? 0 - static_cast<uint64_t>(value) : value));
  return nullptr;
}

template <bool (*holds)(double)>
const char *test(const Instruction &, const Scalar *operands, Scalar &result) {
  result = Scalar(static_cast<int64_t>(holds(operands[0].asFloat())));
  return nullptr;
}

double reciprocalRoot(double x) { return 1 / std::sqrt(x); }
bool isNan(double x) { return std::isnan(x); }
bool isInfinite(double x) { return std::isinf(x); }
bool isFinite(double x) { return std::isfinite(x); }

} // namespace

void heed::reference::addMathOps(OpTable &table) {
  auto add = [&](StringRef name, ScalarKernel kernel) {
    table[("math." + name).str()] = {runElementwise, kernel};
  };
  add("absf", one<std::fabs>);
  add("acos", one<std::acos>);
  add("acosh", one<std::acosh>);
  add("asin", one<std::asin>);
  add("asinh", one<std::asinh>);
  add("atan", one<std::atan>);
  add("atanh", one<std::atanh>);
  add("cbrt", one<std::cbrt>);
  add("ceil", one<std::ceil>);
  add("cos", one<std::cos>);
  add("cosh", one<std::cosh>);
  add("erf", one<std::erf>);
  add("erfc", one<std::erfc>);
  add("exp", one<std::exp>);
  add("exp2", one<std::exp2>);
  add("expm1", one<std::expm1>);
  add("floor", one<std::floor>);
  add("log", one<std::log>);
  add("log10", one<std::log10>);
  add("log1p", one<std::log1p>);
  add("log2", one<std::log2>);
  add("round", one<std::round>);
  add("roundeven", one<std::nearbyint>); // in the default rounding mode
  add("rsqrt", one<reciprocalRoot>);
  add("sin", one<std::sin>);
  add("sinh", one<std::sinh>);
  add("sqrt", one<std::sqrt>);
  add("tan", one<std::tan>);
  add("tanh", one<std::tanh>);
  add("trunc", one<std::trunc>);
  add("atan2", two<std::atan2>);
  add("copysign", two<std::copysign>);
  add("powf", two<std::pow>);
  add("fma", fusedMultiplyAdd);
  add("fpowi", floatToIntegerPower);
  add("absi", absoluteInteger);
  add("isnan", test<isNan>);
  add("isinf", test<isInfinite>);
  add("isfinite", test<isFinite>);
}
