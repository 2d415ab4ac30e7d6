//===- ArithOps.cpp - what arith and index ops mean -----------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Integers are kept sign-extended and wrap around at their width. What LLVM calls
// poison (a shift by too much, a float that doesn't fit into an integer) is an
// element that nothing wrote; what it calls undefined is an error.
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Index/IR/IndexOps.h"

#include <cmath>

using namespace mlir;
using namespace heed::reference;

namespace {

constexpr const char *kDivisionByZero = "divides an integer by zero";
constexpr const char *kQuotientTooLarge = "the quotient passes the integer's width";

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// An op on two integers, which wraps around.
template <uint64_t (*compute)(uint64_t, uint64_t)>
const char *wrapping(const Instruction &instruction, const Scalar *operands, Scalar &result) {
  result = Scalar(instruction.resultFormat.wrapped(compute(operands[0].bits, operands[1].bits)));
  return nullptr;
}

uint64_t add(uint64_t a, uint64_t b) { return a + b; }
uint64_t subtract(uint64_t a, uint64_t b) { return a - b; }
uint64_t multiply(uint64_t a, uint64_t b) { return a * b; }
uint64_t bitAnd(uint64_t a, uint64_t b) { return a & b; }
uint64_t bitOr(uint64_t a, uint64_t b) { return a | b; }
uint64_t bitXor(uint64_t a, uint64_t b) { return a ^ b; }

template <int64_t (*compute)(int64_t, int64_t)>
const char *dividingSigned(const Instruction &instruction, const Scalar *operands, Scalar &result) {
  Format format = instruction.resultFormat;
  int64_t a = format.asSigned(operands[0].asInt()), b = format.asSigned(operands[1].asInt());
  if (b == 0)
    return kDivisionByZero;
  // The only quotient that is too large.
  if (b == -1 && format.wrapped(0 - static_cast<uint64_t>(a)) == operands[0].asInt() && a != 0)
    return kQuotientTooLarge;
  result = Scalar(format.wrapped(compute(a, b)));
  return nullptr;
}

int64_t divide(int64_t a, int64_t b) { return a / b; }
int64_t remainder(int64_t a, int64_t b) { return a % b; }
int64_t divideUp(int64_t a, int64_t b) { return a / b + (a % b != 0 && (a < 0) == (b < 0)); }
int64_t divideDown(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

template <uint64_t (*compute)(uint64_t, uint64_t)>
const char *dividingUnsigned(const Instruction &instruction, const Scalar *operands,
                             Scalar &result) {
  Format format = instruction.resultFormat;
  uint64_t b = format.asUnsigned(operands[1].asInt());
  if (b == 0)
    return kDivisionByZero;
  result = Scalar(format.wrapped(compute(format.asUnsigned(operands[0].asInt()), b)));
  return nullptr;
}

uint64_t divideUnsigned(uint64_t a, uint64_t b) { return a / b; }
uint64_t remainderUnsigned(uint64_t a, uint64_t b) { return a % b; }
uint64_t divideUpUnsigned(uint64_t a, uint64_t b) { return a / b + (a % b != 0); }

template <bool isSigned, bool isMax>
const char *integerBound(const Instruction &instruction, const Scalar *operands, Scalar &result) {
  Format format = instruction.resultFormat;
  int64_t a = operands[0].asInt(), b = operands[1].asInt();
  bool isLess = isSigned ? format.asSigned(a) < format.asSigned(b)
                         : format.asUnsigned(a) < format.asUnsigned(b);
  result = Scalar(isLess == isMax ? b : a);
  return nullptr;
}

enum class Shift { Left, RightSigned, RightUnsigned };
template <Shift shift>
const char *shifting(const Instruction &instruction, const Scalar *operands, Scalar &result) {
  Format format = instruction.resultFormat;
  uint64_t amount = format.asUnsigned(operands[1].asInt());
  if (amount >= format.width())
    return nullptr; // poison
  int64_t value = operands[0].asInt();
  if (shift == Shift::Left)
    result = Scalar(format.wrapped(static_cast<uint64_t>(value) << amount));
  else if (shift == Shift::RightSigned)
    result = Scalar(format.wrapped(format.asSigned(value) >> amount));
  else
    result = Scalar(format.wrapped(format.asUnsigned(value) >> amount));
  return nullptr;
}

const char *compareIntegers(const Instruction &instruction, const Scalar *operands,
                            Scalar &result) {
  Format format = instruction.operandFormat;
  int64_t a = format.asSigned(operands[0].asInt()), b = format.asSigned(operands[1].asInt());
  uint64_t ua = format.asUnsigned(operands[0].asInt()), ub = format.asUnsigned(operands[1].asInt());
  auto holds = [&] {
    switch (static_cast<arith::CmpIPredicate>(instruction.selector)) {
    case arith::CmpIPredicate::eq:
      return ua == ub;
    case arith::CmpIPredicate::ne:
      return ua != ub;
    case arith::CmpIPredicate::slt:
      return a < b;
    case arith::CmpIPredicate::sle:
      return a <= b;
    case arith::CmpIPredicate::sgt:
      return a > b;
    case arith::CmpIPredicate::sge:
      return a >= b;
    case arith::CmpIPredicate::ult:
      return ua < ub;
    case arith::CmpIPredicate::ule:
      return ua <= ub;
    case arith::CmpIPredicate::ugt:
      return ua > ub;
    case arith::CmpIPredicate::uge:
      return ua >= ub;
    }
    llvm_unreachable("a predicate of another op");
  };
  result = Scalar(static_cast<int64_t>(holds()));
  return nullptr;
}

template <typename Op> LogicalResult keepPredicate(Machine &, Instruction &instruction) {
  instruction.selector = static_cast<int64_t>(cast<Op>(instruction.op).getPredicate());
  return success();
}

/// index.cmp numbers its predicates otherwise.
LogicalResult keepIndexPredicate(Machine &, Instruction &instruction) {
  auto predicate = cast<index::CmpOp>(instruction.op).getPred();
  instruction.selector = static_cast<int64_t>(
      *arith::symbolizeCmpIPredicate(index::stringifyIndexCmpPredicate(predicate)));
  return success();
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

template <double (*compute)(double, double)>
const char *floats(const Instruction &, const Scalar *operands, Scalar &result) {
  result = Scalar(compute(operands[0].asFloat(), operands[1].asFloat()));
  return nullptr;
}

double addFloats(double a, double b) { return a + b; }
double subtractFloats(double a, double b) { return a - b; }
double multiplyFloats(double a, double b) { return a * b; }
double divideFloats(double a, double b) { return a / b; }
double remainderFloats(double a, double b) { return std::fmod(a, b); }
/// NaN where an operand is; +0 is more than -0.
double maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return a + b;
  return a == b ? (std::signbit(a) ? b : a) : (a > b ? a : b);
}
double minimum(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return a + b;
  return a == b ? (std::signbit(a) ? a : b) : (a < b ? a : b);
}
/// The other operand where one is NaN.
double maximumNumber(double a, double b) {
  return std::isnan(a) ? b : std::isnan(b) ? a : maximum(a, b);
}
double minimumNumber(double a, double b) {
  return std::isnan(a) ? b : std::isnan(b) ? a : minimum(a, b);
}

const char *negate(const Instruction &, const Scalar *operands, Scalar &result) {
  result = Scalar(-operands[0].asFloat());
  return nullptr;
}

const char *compareFloats(const Instruction &instruction, const Scalar *operands, Scalar &result) {
  double a = operands[0].asFloat(), b = operands[1].asFloat();
  bool isUnordered = std::isnan(a) || std::isnan(b);
  auto holds = [&] {
    switch (static_cast<arith::CmpFPredicate>(instruction.selector)) {
    case arith::CmpFPredicate::AlwaysFalse:
      return false;
    case arith::CmpFPredicate::OEQ:
      return a == b;
    case arith::CmpFPredicate::OGT:
      return a > b;
    case arith::CmpFPredicate::OGE:
      return a >= b;
    case arith::CmpFPredicate::OLT:
      return a < b;
    case arith::CmpFPredicate::OLE:
      return a <= b;
    case arith::CmpFPredicate::ONE:
      return !isUnordered && a != b;
    case arith::CmpFPredicate::ORD:
      return !isUnordered;
    case arith::CmpFPredicate::UEQ:
      return isUnordered || a == b;
    case arith::CmpFPredicate::UGT:
      return isUnordered || a > b;
    case arith::CmpFPredicate::UGE:
      return isUnordered || a >= b;
    case arith::CmpFPredicate::ULT:
      return isUnordered || a < b;
    case arith::CmpFPredicate::ULE:
      return isUnordered || a <= b;
    case arith::CmpFPredicate::UNE:
      return a != b;
    case arith::CmpFPredicate::UNO:
      return isUnordered;
    case arith::CmpFPredicate::AlwaysTrue:
      return true;
    }
    llvm_unreachable("a predicate of another op");
  };
  result = Scalar(static_cast<int64_t>(holds()));
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

const char *extendSigned(const Instruction &instruction, const Scalar *operands, Scalar &result) {
  result = Scalar(
      instruction.resultFormat.wrapped(instruction.operandFormat.asSigned(operands[0].asInt())));
  return nullptr;
}

const char *extendUnsigned(const Instruction &instruction, const Scalar *operands, Scalar &result) {
  result = Scalar(
      instruction.resultFormat.wrapped(instruction.operandFormat.asUnsigned(operands[0].asInt())));
  return nullptr;
}

const char *signedToFloat(const Instruction &instruction, const Scalar *operands, Scalar &result) {
  result = Scalar(static_cast<double>(instruction.operandFormat.asSigned(operands[0].asInt())));
  return nullptr;
}

const char *unsignedToFloat(const Instruction &instruction, const Scalar *operands,
                            Scalar &result) {
  result = Scalar(static_cast<double>(instruction.operandFormat.asUnsigned(operands[0].asInt())));
  return nullptr;
}

template <bool isSigned>
const char *floatToInteger(const Instruction &instruction, const Scalar *operands, Scalar &result) {
  Format format = instruction.resultFormat;
  double value = std::trunc(operands[0].asFloat());
  double low = isSigned ? -std::ldexp(1, format.width() - 1) : 0;
  double high = std::ldexp(1, format.width() - isSigned);
  if (!(value >= low && value < high))
    return nullptr; // poison
  uint64_t bits =
      value < 0 ? static_cast<uint64_t>(static_cast<int64_t>(value)) : static_cast<uint64_t>(value);
  result = Scalar(format.wrapped(bits));
  return nullptr;
}

/// Between f64 and f32 nothing is lost in f64. The narrow types are there to store less.
const char *convertFloat(const Instruction &instruction, const Scalar *operands, Scalar &result) {
  double value = operands[0].asFloat();
  Format format = instruction.resultFormat;
  result = Scalar(format.isHalf() ? format.rounded(value) : value);
  return nullptr;
}

const char *bitcast(const Instruction &instruction, const Scalar *operands, Scalar &result) {
  Format from = instruction.operandFormat, to = instruction.resultFormat;
  uint64_t bits =
      from.isFloat() ? from.encoded(operands[0].asFloat()) : from.asUnsigned(operands[0].asInt());
  result = to.isFloat() ? Scalar(to.decoded(bits)) : Scalar(to.wrapped(bits));
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Ops that pass elements on
//===----------------------------------------------------------------------===//

/// Chooses without looking at what it chooses from.
LogicalResult select(Step &step) {
  if (!std::holds_alternative<Array>(step.value(0))) {
    FailureOr<int64_t> condition = step.integer(0);
    if (failed(condition))
      return failure();
    step.set(step.value(*condition ? 1 : 2));
    return success();
  }
  std::vector<Scalar> conditions = step.array(0).toScalars(), yes = step.array(1).toScalars(),
                      no = step.array(2).toScalars();
  if (conditions.size() != yes.size() || yes.size() != no.size())
    return step.fail("its operands have different shapes");
  Array result = Array::uninitialised(step.array(1).element, step.array(1).shape);
  for (size_t lane = 0; lane != yes.size(); ++lane)
    if (!conditions[lane].isPoison())
      (*result.storage)[lane] = conditions[lane].asInt() ? yes[lane] : no[lane];
  step.set(std::move(result));
  return success();
}

LogicalResult poison(Step &step) {
  Type type = step.instruction.op->getResult(0).getType();
  auto shaped = dyn_cast<ShapedType>(type);
  if (shaped && !shaped.hasStaticShape())
    return step.fail("has no static shape");
  if (shaped)
    step.set(Array::uninitialised(shaped.getElementType(), shaped.getShape()));
  else
    step.set(toValue(Scalar(), isa<FloatType>(type)));
  return success();
}

} // namespace

void heed::reference::addArithOps(OpTable &table) {
  auto elementwise = [&](StringRef name, ScalarKernel kernel) {
    table[name] = {runElementwise, kernel};
  };
  auto integers = [&](StringRef arithName, StringRef indexName, ScalarKernel kernel) {
    elementwise(("arith." + arithName).str(), kernel);
    elementwise(("index." + indexName).str(), kernel);
  };
  integers("addi", "add", wrapping<add>);
  integers("subi", "sub", wrapping<subtract>);
  integers("muli", "mul", wrapping<multiply>);
  integers("andi", "and", wrapping<bitAnd>);
  integers("ori", "or", wrapping<bitOr>);
  integers("xori", "xor", wrapping<bitXor>);
  integers("divsi", "divs", dividingSigned<divide>);
  integers("divui", "divu", dividingUnsigned<divideUnsigned>);
  integers("ceildivsi", "ceildivs", dividingSigned<divideUp>);
  integers("ceildivui", "ceildivu", dividingUnsigned<divideUpUnsigned>);
  integers("floordivsi", "floordivs", dividingSigned<divideDown>);
  integers("remsi", "rems", dividingSigned<remainder>);
  integers("remui", "remu", dividingUnsigned<remainderUnsigned>);
  integers("maxsi", "maxs", integerBound<true, true>);
  integers("maxui", "maxu", integerBound<false, true>);
  integers("minsi", "mins", integerBound<true, false>);
  integers("minui", "minu", integerBound<false, false>);
  integers("shli", "shl", shifting<Shift::Left>);
  integers("shrsi", "shrs", shifting<Shift::RightSigned>);
  integers("shrui", "shru", shifting<Shift::RightUnsigned>);
  integers("index_cast", "casts", extendSigned);
  integers("index_castui", "castu", extendUnsigned);
  elementwise("arith.extsi", extendSigned);
  elementwise("arith.extui", extendUnsigned);
  elementwise("arith.trunci", extendUnsigned);
  table["arith.cmpi"] = {runElementwise, compareIntegers, keepPredicate<arith::CmpIOp>};
  table["index.cmp"] = {runElementwise, compareIntegers, keepIndexPredicate};

  elementwise("arith.addf", floats<addFloats>);
  elementwise("arith.subf", floats<subtractFloats>);
  elementwise("arith.mulf", floats<multiplyFloats>);
  elementwise("arith.divf", floats<divideFloats>);
  elementwise("arith.remf", floats<remainderFloats>);
  elementwise("arith.negf", negate);
  elementwise("arith.maximumf", floats<maximum>);
  elementwise("arith.minimumf", floats<minimum>);
  elementwise("arith.maxnumf", floats<maximumNumber>);
  elementwise("arith.minnumf", floats<minimumNumber>);
  table["arith.cmpf"] = {runElementwise, compareFloats, keepPredicate<arith::CmpFOp>};

  elementwise("arith.sitofp", signedToFloat);
  elementwise("arith.uitofp", unsignedToFloat);
  elementwise("arith.fptosi", floatToInteger<true>);
  elementwise("arith.fptoui", floatToInteger<false>);
  elementwise("arith.extf", convertFloat);
  elementwise("arith.truncf", convertFloat);
  elementwise("arith.bitcast", bitcast);

  table["arith.select"] = {select};
  table["ub.poison"] = {poison};
}
