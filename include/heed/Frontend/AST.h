//===- AST.h - the syntax tree of a program -------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a program says, before anything is known of its names and sizes. The
// parser bounds the depth, so the tree may be walked by recursion.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_FRONTEND_AST_H
#define HEED_FRONTEND_AST_H

#include "heed/Support/SourceRange.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace heed::ast {

struct Name {
  std::string text;
  SourceRange range;
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

/// `k`, or `k < dk` where the range is written out.
struct IndexBinding {
  Name name;
  ExprPtr extent; ///< null where the range is inferred
};

struct IntLiteral {
  int64_t value;
};
struct FloatLiteral {
  double value;
};
struct StringLiteral {
  std::string value;
};
struct NameRef {
  std::string name;
};
/// `base[indices…]`; a weight's layer is a subscript of its own: `Wq[l][h, k, c]`.
struct Subscript {
  ExprPtr base;
  std::vector<ExprPtr> indices;
};
/// A function of the program, or a built-in one (`sqrt`, `max`, `int`, `meta`, …).
struct Call {
  Name callee;
  std::vector<ExprPtr> arguments;
  ExprPtr fallback; ///< of `meta("key") else fallback`
};

enum class UnaryOp { Neg, Not };
struct Unary {
  UnaryOp op;
  ExprPtr operand;
};

enum class BinaryOp { Add, Sub, Mul, Div, Mod, Pow, Eq, Ne, Lt, Le, Gt, Ge, And, Or };
struct Binary {
  BinaryOp op;
  SourceRange opRange;
  ExprPtr lhs, rhs;
};

/// `if c then a else b`
struct Conditional {
  ExprPtr condition, ifTrue, ifFalse;
};

enum class Reduction { Sum, Max, Min, Softmax };
/// `sum[k, j] body where mask`, `softmax[j] body where mask with sink`
struct Reduce {
  Reduction kind;
  std::vector<IndexBinding> indices;
  ExprPtr body;
  ExprPtr mask; ///< null without `where`
  ExprPtr sink; ///< null without `with`; a softmax's only
};

struct Expr {
  using Node = std::variant<IntLiteral, FloatLiteral, StringLiteral, NameRef, Subscript, Call,
                            Unary, Binary, Conditional, Reduce>;
  Node node;
  SourceRange range;
  uint32_t depth = 1; ///< of the tree below, this node included
};

struct Statement;
using Block = std::vector<Statement>;

/// `X = …`, `X[i, k] = …`, and both with `+=`
struct Assign {
  Name target;
  bool indexed;
  std::vector<IndexBinding> indices;
  bool add; ///< `+=`
  ExprPtr value;
};
/// `for l in layers { … }`
struct For {
  Name variable;
  ExprPtr count;
  Block body;
};
struct If {
  ExprPtr condition;
  Block ifTrue, ifFalse;
};
struct Return {
  ExprPtr value;
};
struct Statement {
  std::variant<Assign, For, If, Return> node;
  SourceRange range;
};

struct Use {
  Name file;
};
/// `size n`, `size n <= bound`, `size d = value`
struct Size {
  Name name;
  ExprPtr value, bound;
};
struct Const {
  Name name;
  ExprPtr value;
};
/// `weight a, b : [d] = "pattern" else other`
struct Weight {
  std::vector<Name> names;
  std::vector<ExprPtr> shape;
  std::string pattern; ///< empty: the weight's own name
  SourceRange patternRange;
  std::optional<Name> otherWeight;
  std::string otherTensor;
  SourceRange otherRange;
  SourceRange shapeRange;
};
/// `per layer l { … }`, `per layer l in count { … }`
struct PerLayer {
  Name variable;
  ExprPtr count; ///< null: the size `layers`
  std::vector<Weight> weights;
};

enum class Element { Float, Int };
/// What a parameter or result is: a scalar where there is no shape.
struct Type {
  Element element = Element::Float;
  bool shaped = false;
  std::vector<ExprPtr> shape;
  SourceRange range;
};
struct Parameter {
  Name name;
  Type type;
};
struct Function {
  Name name;
  std::string comment; ///< the comment lines right above
  std::vector<Parameter> parameters;
  Type result;
  Block body;
  SourceRange closing; ///< the `}`
};

/// `assert params(Wq) <= 6.3 M`; the condition is a comparison.
struct Assert {
  ExprPtr condition;
};

using Declaration = std::variant<Use, Size, Const, Weight, PerLayer, Function, Assert>;

struct File {
  std::vector<Declaration> declarations;
};

} // namespace heed::ast

#endif // HEED_FRONTEND_AST_H
