//===- ParserExpr.cpp - formulas ------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ParserImpl.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <string>

using namespace heed;
using namespace heed::ast;

namespace {

struct Operator {
  TokenKind token;
  BinaryOp op;
  unsigned level; ///< 0 binds loosest
};

constexpr unsigned kComparison = 2;
constexpr unsigned kSum = 3;
constexpr unsigned kProduct = 4;
constexpr Operator kOperators[] = {
    {TokenKind::OrOr, BinaryOp::Or, 0},
    {TokenKind::AndAnd, BinaryOp::And, 1},
    {TokenKind::EqualEqual, BinaryOp::Eq, kComparison},
    {TokenKind::NotEqual, BinaryOp::Ne, kComparison},
    {TokenKind::Less, BinaryOp::Lt, kComparison},
    {TokenKind::LessEqual, BinaryOp::Le, kComparison},
    {TokenKind::Greater, BinaryOp::Gt, kComparison},
    {TokenKind::GreaterEqual, BinaryOp::Ge, kComparison},
    {TokenKind::Plus, BinaryOp::Add, kSum},
    {TokenKind::Minus, BinaryOp::Sub, kSum},
    {TokenKind::Star, BinaryOp::Mul, kProduct},
    {TokenKind::Slash, BinaryOp::Div, kProduct},
    {TokenKind::Percent, BinaryOp::Mod, kProduct},
};

const Operator *operatorAt(TokenKind kind, unsigned level) {
  for (const Operator &entry : kOperators)
    if (entry.token == kind && entry.level == level)
      return &entry;
  return nullptr;
}

bool compares(BinaryOp op) { return op >= BinaryOp::Eq && op <= BinaryOp::Ge; }

/// Read together with the unit's power of ten, so that 6.3 M is 6,300,000 exactly.
double scaledBy(const Token &number, const NumberUnit &unit) {
  double value = number.number * static_cast<double>(unit.factor);
  if (number.text.find_first_of("eE") != std::string_view::npos || unit.exponent.empty())
    return value;
  std::string plain;
  std::copy_if(number.text.begin(), number.text.end(), std::back_inserter(plain),
               [](char c) { return c != '_'; });
  plain += unit.exponent;
  std::from_chars(plain.data(), plain.data() + plain.size(), value);
  return value;
}

uint32_t depthOf(const std::vector<ExprPtr> &list) {
  uint32_t deepest = 0;
  for (const ExprPtr &expr : list)
    deepest = std::max(deepest, expr->depth);
  return deepest;
}

} // namespace

ExprPtr Parser::make(Expr::Node node, SourceRange range, uint32_t deepestChild) {
  if (deepestChild >= kDeepestNesting) {
    diagnostics.report(DiagId::E0203, range,
                       fmt::format("more than {} operators in one formula; name a part of it in a "
                                   "line of its own",
                                   kDeepestNesting));
    return nullptr;
  }
  auto expr = std::make_unique<Expr>();
  expr->node = std::move(node);
  expr->range = range;
  expr->depth = deepestChild + 1;
  return expr;
}

ExprPtr Parser::make(Expr::Node node, SourceRange range,
                     std::initializer_list<const Expr *> children) {
  uint32_t deepest = 0;
  for (const Expr *child : children)
    deepest = std::max(deepest, child ? child->depth : 0);
  return make(std::move(node), range, deepest);
}

ExprPtr Parser::parseExpr() {
  Nesting nest(*this);
  if (!nest.allowed())
    return nullptr;
  SourceRange begin = token.range;
  if (!accept(TokenKind::KwIf))
    return parseBinary(0);
  Conditional choice;
  if (!(choice.condition = parseExpr()) ||
      !expect(TokenKind::KwThen, "after the condition of `if`") || !(choice.ifTrue = parseExpr()) ||
      !expect(TokenKind::KwElse, "after the value of `then`") || !(choice.ifFalse = parseExpr()))
    return nullptr;
  std::initializer_list<const Expr *> children = {choice.condition.get(), choice.ifTrue.get(),
                                                  choice.ifFalse.get()};
  return make(std::move(choice), rangeFrom(begin), children);
}

ExprPtr Parser::parseBinary(unsigned level) {
  if (level > kProduct)
    return parseUnary();
  SourceRange begin = token.range;
  ExprPtr lhs = parseBinary(level + 1);
  while (lhs) {
    const Operator *entry = operatorAt(token.kind, level);
    if (!entry)
      break;
    SourceRange opRange = token.range;
    advance();
    ExprPtr rhs = parseBinary(level + 1);
    if (!rhs)
      return nullptr;
    std::initializer_list<const Expr *> children = {lhs.get(), rhs.get()};
    lhs = make(Binary{entry->op, opRange, std::move(lhs), std::move(rhs)}, rangeFrom(begin),
               children);
    if (lhs && level == kComparison && operatorAt(token.kind, level)) {
      diagnostics.report(DiagId::E0204, token.range,
                         "comparisons can't be chained; join two of them with `&&`");
      return nullptr;
    }
  }
  return lhs;
}

ExprPtr Parser::parseUnary() {
  Nesting nest(*this);
  if (!nest.allowed())
    return nullptr;
  SourceRange begin = token.range;
  switch (token.kind) {
  case TokenKind::Minus:
  case TokenKind::Not: {
    UnaryOp op = at(TokenKind::Minus) ? UnaryOp::Neg : UnaryOp::Not;
    advance();
    ExprPtr operand = parseUnary();
    if (!operand)
      return nullptr;
    uint32_t depth = operand->depth;
    return make(Unary{op, std::move(operand)}, rangeFrom(begin), depth);
  }
  case TokenKind::KwSum:
  case TokenKind::KwSoftmax:
  case TokenKind::KwMax:
  case TokenKind::KwMin:
    return parseReduction();
  default:
    break;
  }
  ExprPtr base = parsePrimary();
  return base ? parsePower(std::move(base), begin) : nullptr;
}

ExprPtr Parser::parseReduction() {
  SourceRange begin = token.range;
  ast::Name word{std::string(token.text), token.range};
  Reduce reduce;
  reduce.kind = at(TokenKind::KwSum)       ? Reduction::Sum
                : at(TokenKind::KwSoftmax) ? Reduction::Softmax
                : at(TokenKind::KwMax)     ? Reduction::Max
                                           : Reduction::Min;
  advance();
  if (at(TokenKind::LeftParen) &&
      (reduce.kind == Reduction::Max || reduce.kind == Reduction::Min)) {
    ExprPtr call = parseCall(std::move(word)); // max(a, b)
    return call ? parsePower(std::move(call), begin) : nullptr;
  }
  if (!at(TokenKind::LeftSquare)) {
    reportExpected("`[` and the indices", fmt::format("after `{}`", word.text));
    return nullptr;
  }
  if (!parseBindings(reduce.indices) || !(reduce.body = parseBinary(kProduct)))
    return nullptr;
  if (accept(TokenKind::KwWhere) && !(reduce.mask = parseBinary(0)))
    return nullptr;
  if (at(TokenKind::KwWith) && reduce.kind != Reduction::Softmax) {
    diagnostics.report(
        DiagId::E0207, token.range,
        fmt::format("`with` gives a softmax its sink, found it after `{}`; add to the "
                    "reduction in brackets instead",
                    word.text));
    return nullptr;
  }
  if (accept(TokenKind::KwWith) && !(reduce.sink = parseBinary(kSum)))
    return nullptr;
  std::initializer_list<const Expr *> children = {reduce.body.get(), reduce.mask.get(),
                                                  reduce.sink.get()};
  return make(std::move(reduce), rangeFrom(begin), children);
}

ExprPtr Parser::parsePower(ExprPtr base, SourceRange begin) {
  while (base && at(TokenKind::LeftSquare)) {
    SourceRange open = token.range;
    advance();
    Subscript subscript;
    if (!parseExprList(subscript.indices, TokenKind::RightSquare, open))
      return nullptr;
    uint32_t depth = std::max(base->depth, depthOf(subscript.indices));
    subscript.base = std::move(base);
    base = make(std::move(subscript), rangeFrom(begin), depth);
  }
  SourceRange opRange = token.range;
  if (!base || !accept(TokenKind::StarStar))
    return base;
  ExprPtr exponent = parseUnary();
  if (!exponent)
    return nullptr;
  std::initializer_list<const Expr *> children = {base.get(), exponent.get()};
  return make(Binary{BinaryOp::Pow, opRange, std::move(base), std::move(exponent)},
              rangeFrom(begin), children);
}

ExprPtr Parser::parsePrimary() {
  Token first = token;
  switch (first.kind) {
  case TokenKind::Integer:
  case TokenKind::Float:
    advance();
    return parseUnit(first);
  case TokenKind::String:
    advance();
    return make(StringLiteral{std::string(first.text)}, first.range, 0u);
  case TokenKind::KwInf:
    advance();
    return make(FloatLiteral{std::numeric_limits<double>::infinity()}, first.range, 0u);
  case TokenKind::KwInt:
  case TokenKind::KwFloat:
  case TokenKind::Name: {
    advance();
    ast::Name name{std::string(first.text), first.range};
    if (at(TokenKind::LeftParen))
      return parseCall(std::move(name));
    if (first.kind != TokenKind::Name) {
      reportExpected("`(`", fmt::format("after `{}`", name.text));
      return nullptr;
    }
    return make(NameRef{std::move(name.text)}, first.range, 0u);
  }
  case TokenKind::LeftParen: {
    advance();
    ExprPtr inner = parseExpr();
    if (!inner || !expectClosing(TokenKind::RightParen, first.range))
      return nullptr;
    return inner;
  }
  case TokenKind::Error:
    return nullptr;
  default:
    diagnostics.report(DiagId::E0202, first.range,
                       fmt::format("expected a formula, found {}", found()));
    return nullptr;
  }
}

ExprPtr Parser::parseUnit(const Token &number) {
  bool isFloat = number.kind == TokenKind::Float;
  const NumberUnit *unit =
      unitsAllowed && at(TokenKind::Name) && !token.startsLine ? findUnit(token.text) : nullptr;
  if (!unit)
    return isFloat ? make(FloatLiteral{number.number}, number.range, 0u)
                   : make(IntLiteral{number.integer}, number.range, 0u);
  advance();
  SourceRange range = rangeFrom(number.range);
  int64_t scaled = 0;
  if (isFloat)
    return make(FloatLiteral{scaledBy(number, *unit)}, range, 0u);
  if (!__builtin_mul_overflow(number.integer, unit->factor, &scaled))
    return make(IntLiteral{scaled}, range, 0u);
  diagnostics.report(DiagId::E0103, range,
                     fmt::format("the number `{} {}` is out of range", number.text, unit->name));
  return nullptr;
}

ExprPtr Parser::parseCondition() {
  SourceRange begin = token.range;
  ExprPtr condition = parseBinary(kComparison);
  if (!condition)
    return nullptr;
  const auto *binary = std::get_if<Binary>(&condition->node);
  // A comparison in brackets begins after them.
  if (binary && compares(binary->op) && condition->range.begin == begin.begin)
    return condition;
  reportExpected("`==`, `!=`, `<`, `<=`, `>` or `>=`", "after the left side of an `assert`");
  return nullptr;
}

ExprPtr Parser::parseCall(ast::Name callee) {
  SourceRange begin = callee.range, open = token.range;
  advance();
  Call call{std::move(callee), {}, nullptr};
  if (!accept(TokenKind::RightParen) && !parseExprList(call.arguments, TokenKind::RightParen, open))
    return nullptr;
  if (call.callee.text == "meta" && accept(TokenKind::KwElse) && !(call.fallback = parseBinary(0)))
    return nullptr;
  uint32_t depth = std::max(depthOf(call.arguments), call.fallback ? call.fallback->depth : 0);
  return make(std::move(call), rangeFrom(begin), depth);
}

bool Parser::parseExprList(std::vector<ExprPtr> &list, TokenKind close, SourceRange open) {
  do {
    ExprPtr expr = parseExpr();
    if (!expr)
      return false;
    list.push_back(std::move(expr));
  } while (accept(TokenKind::Comma));
  return expectClosing(close, open);
}
