//===- ExprBuilder.h - typed, folded scalar expressions -------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_SEMA_EXPRBUILDER_H
#define HEED_LIB_FRONTEND_SEMA_EXPRBUILDER_H

#include "Module.h"

#include <functional>

namespace heed::sema {

using program::Element;
using program::Expr;
using program::ExprPtr;

/// Makes expressions whose operands agree in type, with constants folded. Every method takes null
/// for "went wrong and is reported" and then returns null.
class ExprBuilder {
public:
  explicit ExprBuilder(Module &module) : module(module) {}

  static ExprPtr make(Expr::Node node, Element element, SourceRange range);
  static ExprPtr integer(int64_t value, SourceRange range);
  static ExprPtr number(double value, SourceRange range);
  static ExprPtr index(int32_t var, SourceRange range);

  ExprPtr unary(program::UnaryOp op, ExprPtr operand, SourceRange range);
  ExprPtr binary(program::BinaryOp op, ExprPtr lhs, ExprPtr rhs, SourceRange range);
  ExprPtr select(ExprPtr condition, ExprPtr ifTrue, ExprPtr ifFalse, SourceRange range);
  /// An explicit conversion, which may go from any type to any number.
  ExprPtr cast(ExprPtr operand, Element element, SourceRange range);
  /// A conversion that the program doesn't write: integers become numbers; all else is an error.
  ExprPtr convert(ExprPtr operand, Element element, std::string_view what);

private:
  ExprPtr foldIntegers(program::BinaryOp op, int64_t lhs, int64_t rhs, SourceRange range);
  ExprPtr foldNumbers(program::BinaryOp op, double lhs, double rhs, SourceRange range);
  /// Reports it and returns null.
  ExprPtr wrongType(const Expr &found, std::string_view expected);

  Module &module;
};

std::optional<int64_t> constantInteger(const Expr &expr);
/// The value of a constant integer or number.
std::optional<double> constantNumber(const Expr &expr);

/// How many nodes an expression has, counted up to `limit`.
size_t nodeCount(const Expr &expr, size_t limit);
/// Calls `visit` for every node, parents first, operands from left to right.
void walk(const Expr &expr, const std::function<void(const Expr &)> &visit);
/// The index variables that occur, in the order of their first occurrence.
std::vector<int32_t> freeIndices(const Expr &expr);

/// What to put for an index variable; null leaves it.
using Substitution = std::function<const Expr *(int32_t var)>;
/// A copy with index variables replaced.
ExprPtr substitute(const Expr &expr, const Substitution &replacement);
ExprPtr clone(const Expr &expr);

std::string_view describe(Element element);

} // namespace heed::sema

#endif // HEED_LIB_FRONTEND_SEMA_EXPRBUILDER_H
