//===- ExprBuilder.cpp - typed, folded scalar expressions -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExprBuilder.h"

#include <fmt/format.h>

#include <cmath>

using namespace heed;
using namespace heed::sema;
using namespace heed::program;

//===----------------------------------------------------------------------===//
// Constants and folding
//===----------------------------------------------------------------------===//

std::optional<int64_t> sema::constantInteger(const Expr &expr) {
  if (const auto *constant = std::get_if<ConstInt>(&expr.node))
    return constant->value;
  return std::nullopt;
}

std::optional<double> sema::constantNumber(const Expr &expr) {
  if (const auto *constant = std::get_if<ConstFloat>(&expr.node))
    return constant->value;
  if (const auto *constant = std::get_if<ConstInt>(&expr.node))
    return static_cast<double>(constant->value);
  return std::nullopt;
}

std::string_view sema::describe(Element element) {
  switch (element) {
  case Element::F32:
    return "a number";
  case Element::I32:
    return "an integer";
  case Element::Bool:
    return "a condition";
  }
  return "";
}

ExprPtr ExprBuilder::make(Expr::Node node, Element element, SourceRange range) {
  auto expr = std::make_unique<Expr>();
  expr->node = std::move(node);
  expr->element = element;
  expr->range = range;
  return expr;
}

ExprPtr ExprBuilder::integer(int64_t value, SourceRange range) {
  return make(ConstInt{value}, Element::I32, range);
}

ExprPtr ExprBuilder::number(double value, SourceRange range) {
  return make(ConstFloat{value}, Element::F32, range);
}

ExprPtr ExprBuilder::index(int32_t var, SourceRange range) {
  return make(IndexValue{var}, Element::I32, range);
}

ExprPtr ExprBuilder::wrongType(const Expr &found, std::string_view expected) {
  module.report(DiagId::E0501, found.range,
                fmt::format("expected {}, found {}", expected, describe(found.element)));
  return nullptr;
}

namespace {

/// A condition that is known is an integer constant of type Bool.
ExprPtr truth(bool value, SourceRange range) {
  return ExprBuilder::make(ConstInt{value}, Element::Bool, range);
}

int64_t floorDiv(int64_t a, int64_t b) { return a / b - ((a % b != 0) && ((a < 0) != (b < 0))); }
int64_t floorMod(int64_t a, int64_t b) {
  return a % b + ((a % b != 0) && ((a < 0) != (b < 0)) ? b : 0);
}

/// base ** exponent for exponent >= 0; nothing where it overflows.
std::optional<int64_t> power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) && __builtin_mul_overflow(result, base, &result))
      return std::nullopt;
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base))
      return std::nullopt;
  }
  return result;
}

bool isComparison(BinaryOp op) { return op >= BinaryOp::Eq && op <= BinaryOp::Ge; }

template <typename T> bool compare(BinaryOp op, T lhs, T rhs) {
  switch (op) {
  case BinaryOp::Eq:
    return lhs == rhs;
  case BinaryOp::Ne:
    return lhs != rhs;
  case BinaryOp::Lt:
    return lhs < rhs;
  case BinaryOp::Le:
    return lhs <= rhs;
  case BinaryOp::Gt:
    return lhs > rhs;
  default:
    return lhs >= rhs;
  }
}

double apply(UnaryOp op, double x) {
  switch (op) {
  case UnaryOp::Neg:
    return -x;
  case UnaryOp::Exp:
    return std::exp(x);
  case UnaryOp::Log:
    return std::log(x);
  case UnaryOp::Sqrt:
    return std::sqrt(x);
  case UnaryOp::Rsqrt:
    return 1 / std::sqrt(x);
  case UnaryOp::Tanh:
    return std::tanh(x);
  case UnaryOp::Sin:
    return std::sin(x);
  case UnaryOp::Cos:
    return std::cos(x);
  case UnaryOp::Abs:
    return std::fabs(x);
  case UnaryOp::Floor:
    return std::floor(x);
  case UnaryOp::Ceil:
    return std::ceil(x);
  case UnaryOp::Erf:
    return std::erf(x);
  case UnaryOp::Not:
    break;
  }
  return x;
}

} // namespace

ExprPtr ExprBuilder::foldIntegers(BinaryOp op, int64_t lhs, int64_t rhs, SourceRange range) {
  if (isComparison(op))
    return truth(compare(op, lhs, rhs), range);
  int64_t result = 0;
  bool overflow = false;
  switch (op) {
  case BinaryOp::Add:
    overflow = __builtin_add_overflow(lhs, rhs, &result);
    break;
  case BinaryOp::Sub:
    overflow = __builtin_sub_overflow(lhs, rhs, &result);
    break;
  case BinaryOp::Mul:
    overflow = __builtin_mul_overflow(lhs, rhs, &result);
    break;
  case BinaryOp::Div:
  case BinaryOp::Mod:
    overflow = rhs == -1 && lhs == INT64_MIN;
    if (!overflow)
      result = op == BinaryOp::Div ? floorDiv(lhs, rhs) : floorMod(lhs, rhs);
    break;
  case BinaryOp::Min:
    result = std::min(lhs, rhs);
    break;
  case BinaryOp::Max:
    result = std::max(lhs, rhs);
    break;
  default: {
    std::optional<int64_t> value = power(lhs, rhs);
    overflow = !value;
    result = value.value_or(0);
    break;
  }
  }
  if (!overflow)
    return integer(result, range);
  module.report(DiagId::E0502, range, "the result doesn't fit an integer of 64 bits");
  return nullptr;
}

ExprPtr ExprBuilder::foldNumbers(BinaryOp op, double lhs, double rhs, SourceRange range) {
  if (isComparison(op))
    return truth(compare(op, lhs, rhs), range);
  switch (op) {
  case BinaryOp::Add:
    return number(lhs + rhs, range);
  case BinaryOp::Sub:
    return number(lhs - rhs, range);
  case BinaryOp::Mul:
    return number(lhs * rhs, range);
  case BinaryOp::Div:
    return number(rhs == 0 ? std::copysign(INFINITY, lhs) : lhs / rhs, range);
  case BinaryOp::Mod:
    return number(lhs - rhs * std::floor(lhs / rhs), range);
  case BinaryOp::Min:
    return number(std::fmin(lhs, rhs), range);
  case BinaryOp::Max:
    return number(std::fmax(lhs, rhs), range);
  default:
    return number(std::pow(lhs, rhs), range);
  }
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

ExprPtr ExprBuilder::cast(ExprPtr operand, Element element, SourceRange range) {
  if (!operand || operand->element == element)
    return operand;
  if (std::optional<double> value = constantNumber(*operand)) {
    if (element == Element::F32)
      return number(*value, range);
    if (auto whole = constantInteger(*operand))
      return integer(*whole, range);
    if (std::fabs(*value) < 9.2e18)
      return integer(static_cast<int64_t>(*value), range);
    module.report(DiagId::E0502, range, "the number doesn't fit an integer");
    return nullptr;
  }
  return make(Cast{std::move(operand)}, element, range);
}

ExprPtr ExprBuilder::convert(ExprPtr operand, Element element, std::string_view what) {
  if (!operand || operand->element == element)
    return operand;
  if (operand->element == Element::I32 && element == Element::F32) {
    SourceRange range = operand->range;
    return cast(std::move(operand), element, range);
  }
  module.report(DiagId::E0501, operand->range,
                fmt::format("expected {} for {}, found {}", describe(element), what,
                            describe(operand->element)));
  return nullptr;
}

ExprPtr ExprBuilder::unary(UnaryOp op, ExprPtr operand, SourceRange range) {
  if (!operand)
    return nullptr;
  if (op == UnaryOp::Not) {
    if (operand->element != Element::Bool)
      return wrongType(*operand, "a condition");
    if (auto known = constantInteger(*operand))
      return truth(!*known, range);
    return make(Unary{op, std::move(operand)}, Element::Bool, range);
  }
  if (operand->element == Element::Bool)
    return wrongType(*operand, "a number");
  bool keepsIntegers =
      op == UnaryOp::Neg || op == UnaryOp::Abs || op == UnaryOp::Floor || op == UnaryOp::Ceil;
  if (keepsIntegers && operand->element == Element::I32) {
    if (op == UnaryOp::Floor || op == UnaryOp::Ceil)
      return operand;
    if (auto value = constantInteger(*operand)) {
      if (*value == INT64_MIN) {
        module.report(DiagId::E0502, range, "the result doesn't fit an integer of 64 bits");
        return nullptr;
      }
      return integer(op == UnaryOp::Neg || *value < 0 ? -*value : *value, range);
    }
    return make(Unary{op, std::move(operand)}, Element::I32, range);
  }
  operand = convert(std::move(operand), Element::F32, "a function");
  if (auto value = constantNumber(*operand))
    return number(apply(op, *value), range);
  return make(Unary{op, std::move(operand)}, Element::F32, range);
}

ExprPtr ExprBuilder::binary(BinaryOp op, ExprPtr lhs, ExprPtr rhs, SourceRange range) {
  if (!lhs || !rhs)
    return nullptr;
  bool logic = op == BinaryOp::And || op == BinaryOp::Or;
  bool equality = op == BinaryOp::Eq || op == BinaryOp::Ne;
  bool bothConditions = lhs->element == Element::Bool && rhs->element == Element::Bool;
  for (const Expr *side : {lhs.get(), rhs.get()}) {
    bool isCondition = side->element == Element::Bool;
    if (logic ? isCondition : !isCondition || (equality && bothConditions))
      continue;
    wrongType(*side, logic ? "a condition" : "a number");
    return nullptr;
  }
  if (logic) {
    // A known side decides or vanishes.
    bool absorbing = op == BinaryOp::Or;
    for (ExprPtr *side : {&lhs, &rhs})
      if (auto known = constantInteger(**side)) {
        ExprPtr &other = side == &lhs ? rhs : lhs;
        return (*known != 0) == absorbing ? truth(absorbing, range) : std::move(other);
      }
    return make(Binary{op, std::move(lhs), std::move(rhs)}, Element::Bool, range);
  }
  auto left = constantInteger(*lhs), right = constantInteger(*rhs);
  bool integers = lhs->element != Element::F32 && rhs->element != Element::F32;
  if (integers && (op == BinaryOp::Div || op == BinaryOp::Mod) && right == 0) {
    module.report(DiagId::E0502, range, "division by zero");
    return nullptr;
  }
  if (integers && left && right && (op != BinaryOp::Pow || *right >= 0))
    return foldIntegers(op, *left, *right, range);
  if (!integers || op == BinaryOp::Pow) {
    lhs = convert(std::move(lhs), Element::F32, "an operand");
    rhs = convert(std::move(rhs), Element::F32, "an operand");
    auto a = constantNumber(*lhs), b = constantNumber(*rhs);
    if (a && b)
      return foldNumbers(op, *a, *b, range);
  }
  Element element = isComparison(op) ? Element::Bool : lhs->element;
  return make(Binary{op, std::move(lhs), std::move(rhs)}, element, range);
}

ExprPtr ExprBuilder::select(ExprPtr condition, ExprPtr ifTrue, ExprPtr ifFalse, SourceRange range) {
  if (!condition || !ifTrue || !ifFalse)
    return nullptr;
  if (condition->element != Element::Bool) {
    wrongType(*condition, "a condition");
    return nullptr;
  }
  if (auto known = constantInteger(*condition))
    return *known ? std::move(ifTrue) : std::move(ifFalse);
  if (ifTrue->element != ifFalse->element) {
    if (ifTrue->element == Element::Bool || ifFalse->element == Element::Bool) {
      wrongType(*ifFalse, fmt::format("{} as after `then`", describe(ifTrue->element)));
      return nullptr;
    }
    ifTrue = convert(std::move(ifTrue), Element::F32, "`then`");
    ifFalse = convert(std::move(ifFalse), Element::F32, "`else`");
  }
  Element element = ifTrue->element;
  return make(Select{std::move(condition), std::move(ifTrue), std::move(ifFalse)}, element, range);
}

//===----------------------------------------------------------------------===//
// Walking
//===----------------------------------------------------------------------===//

namespace {

/// The operands of a node, in order; a weight's layer comes first.
template <typename Visit> void forEachOperand(const Expr &expr, Visit visit) {
  std::visit(
      [&](const auto &node) {
        using Node = std::decay_t<decltype(node)>;
        if constexpr (std::is_same_v<Node, Read> || std::is_same_v<Node, ReadWeight>) {
          if constexpr (std::is_same_v<Node, ReadWeight>)
            if (node.layer)
              visit(*node.layer);
          for (const ExprPtr &index : node.indices)
            visit(*index);
        } else if constexpr (std::is_same_v<Node, Unary> || std::is_same_v<Node, Cast>) {
          visit(*node.operand);
        } else if constexpr (std::is_same_v<Node, Binary>) {
          visit(*node.lhs);
          visit(*node.rhs);
        } else if constexpr (std::is_same_v<Node, Select>) {
          visit(*node.condition);
          visit(*node.ifTrue);
          visit(*node.ifFalse);
        }
      },
      expr.node);
}

} // namespace

void sema::walk(const Expr &expr, const std::function<void(const Expr &)> &visit) {
  visit(expr);
  forEachOperand(expr, [&](const Expr &operand) { walk(operand, visit); });
}

size_t sema::nodeCount(const Expr &expr, size_t limit) {
  size_t count = 1;
  forEachOperand(expr, [&](const Expr &operand) {
    if (count < limit)
      count += nodeCount(operand, limit - count);
  });
  return count;
}

std::vector<int32_t> sema::freeIndices(const Expr &expr) {
  std::vector<int32_t> vars;
  walk(expr, [&](const Expr &node) {
    const auto *index = std::get_if<IndexValue>(&node.node);
    if (index && std::find(vars.begin(), vars.end(), index->var) == vars.end())
      vars.push_back(index->var);
  });
  return vars;
}

ExprPtr sema::substitute(const Expr &expr, const Substitution &replacement) {
  if (const auto *index = std::get_if<IndexValue>(&expr.node))
    if (const Expr *other = replacement(index->var))
      return clone(*other);
  auto copy = [&](const ExprPtr &operand) -> ExprPtr {
    return operand ? substitute(*operand, replacement) : nullptr;
  };
  auto copyAll = [&](const std::vector<ExprPtr> &operands) {
    std::vector<ExprPtr> result;
    result.reserve(operands.size());
    for (const ExprPtr &operand : operands)
      result.push_back(copy(operand));
    return result;
  };
  Expr::Node node = std::visit(
      [&](const auto &from) -> Expr::Node {
        using Node = std::decay_t<decltype(from)>;
        if constexpr (std::is_same_v<Node, Read>)
          return Read{from.tensor, copyAll(from.indices)};
        else if constexpr (std::is_same_v<Node, ReadWeight>)
          return ReadWeight{from.weight, copy(from.layer), copyAll(from.indices)};
        else if constexpr (std::is_same_v<Node, Unary>)
          return Unary{from.op, copy(from.operand)};
        else if constexpr (std::is_same_v<Node, Cast>)
          return Cast{copy(from.operand)};
        else if constexpr (std::is_same_v<Node, Binary>)
          return Binary{from.op, copy(from.lhs), copy(from.rhs)};
        else if constexpr (std::is_same_v<Node, Select>)
          return Select{copy(from.condition), copy(from.ifTrue), copy(from.ifFalse)};
        else
          return from;
      },
      expr.node);
  return ExprBuilder::make(std::move(node), expr.element, expr.range);
}

ExprPtr sema::clone(const Expr &expr) {
  return substitute(expr, [](int32_t) -> const Expr * { return nullptr; });
}
