//===- Program.h - a checked program, ready to become IR ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What Sema makes of the syntax tree and MLIRGen turns into IR. Everything that
// the text left open is settled here: sizes are numbers or run-time sizes, names
// are resolved, user functions are inlined, constants are folded, `if` on sizes
// is decided, and every statement defines one tensor by one of three forms:
//
//   map      X[i, k] = f(reads at any indices)
//   reduce   X[i, k] = sum[c] f(…)            (also max, min)
//   softmax  A[i, j] = softmax[j] S[i, j] where p(i, j) with z[i]
//
// Sema splits nested reductions off into definitions of their own, whose axes
// are the free indices of the reduction in the order of the enclosing axes.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_FRONTEND_PROGRAM_H
#define HEED_FRONTEND_PROGRAM_H

#include "heed/Support/Cost.h"
#include "heed/Support/SourceRange.h"
#include "heed/Weights/StorageType.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace heed::program {

/// An axis's length: a number, or one of the function's run-time sizes.
struct Extent {
  int64_t fixed = 0;    ///< the length, where `runtime` is -1
  int32_t runtime = -1; ///< an index into Function::sizes

  bool isRuntime() const { return runtime >= 0; }
  bool operator==(const Extent &) const = default;
};

enum class Element { F32, I32, Bool };

/// A size known only at run time, such as `n`.
struct RuntimeSize {
  std::string name;
  int64_t bound = 0; ///< from `size n <= bound`; 0 where the program gives none
  SourceRange range;
};

/// A `weight`: a tensor of the weights file, or one a layer.
struct Weight {
  std::string name;           ///< as the program spells it
  std::string tensor;         ///< in the file, with "{l}" for the layer's number
  std::string fallback;       ///< the tensor to take where the first is missing, or ""
  StorageSet storages;        ///< of all its layers; F32 without a file
  std::vector<int64_t> shape; ///< of one layer's tensor, row-major
  int64_t layers = 0;         ///< 0: not per layer
  SourceRange range;
};

/// A tensor inside a function: a parameter, a definition, or a loop's carried value.
struct Value {
  std::string name; ///< the program's name for it, or one made from the enclosing definition's
  Element element = Element::F32;
  std::vector<Extent> shape;
  SourceRange range;
};
using ValueId = int32_t; ///< an index into Function::values

/// An index variable; it ranges over 0 … extent-1. Numbers are unique within a function.
struct IndexVar {
  int32_t id = -1;
  std::string name;
  Extent extent;
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct ConstFloat {
  double value;
};
struct ConstInt {
  int64_t value;
};
/// The index itself as a number: the position `i`, which becomes `past + i` under a cache.
struct IndexValue {
  int32_t var;
};
/// A run-time size as a number.
struct SizeValue {
  int32_t size;
};
/// The number of the layer inside a Loop.
struct LayerValue {
  int32_t loop;
};
/// tensor[indices…]: integer expressions, most often plain IndexValues.
struct Read {
  ValueId tensor;
  std::vector<ExprPtr> indices;
};
/// weight[layer][indices…]; `layer` is null where the weight isn't per layer.
struct ReadWeight {
  int32_t weight;
  ExprPtr layer;
  std::vector<ExprPtr> indices;
};

enum class UnaryOp { Neg, Not, Exp, Log, Sqrt, Rsqrt, Tanh, Sin, Cos, Abs, Floor, Ceil, Erf };
struct Unary {
  UnaryOp op;
  ExprPtr operand;
};

/// On integers Div and Mod floor; And and Or are on booleans and evaluate both sides.
enum class BinaryOp { Add, Sub, Mul, Div, Mod, Pow, Min, Max, Eq, Ne, Lt, Le, Gt, Ge, And, Or };
struct Binary {
  BinaryOp op;
  ExprPtr lhs, rhs;
};

struct Select {
  ExprPtr condition, ifTrue, ifFalse;
};
/// To the expression's element type.
struct Cast {
  ExprPtr operand;
};

/// A scalar, as a function of the index variables in scope. Operands of Unary, Binary and Select
/// agree in element type (Sema inserts Casts); comparisons and logic give Bool.
struct Expr {
  using Node = std::variant<ConstFloat, ConstInt, IndexValue, SizeValue, LayerValue, Read,
                            ReadWeight, Unary, Binary, Select, Cast>;
  Element element = Element::F32;
  Node node;
  SourceRange range;
};

struct Map {
  ExprPtr body;
};

enum class ReduceOp { Sum, Max, Min };
struct Reduce {
  ReduceOp op;
  std::vector<IndexVar> vars;
  ExprPtr body;
};

/// softmax over `var`, one of the definition's axes, of the tensor `scores`, which has exactly the
/// definition's axes in their order. `mask` (Bool, null: everything visible) says what is visible;
/// a row with nothing visible is all zeros. `sink` (-1: none) has the definition's axes but `var`:
/// one more score a row that takes part in the normalisation and isn't in the result.
struct Softmax {
  int32_t var;
  ValueId scores;
  ExprPtr mask;
  ValueId sink = -1;
};

struct Define {
  ValueId result;
  std::vector<IndexVar> axes; ///< one for each axis of the result, in order
  std::variant<Map, Reduce, Softmax> form;
  SourceRange range;
};

struct Statement;

/// `for l in layers`: runs `body` `count` times. Each carried tensor enters as `inside`, which is
/// `init` in the first round and the previous round's `next` afterwards; it leaves as `result`.
struct Loop {
  struct Carried {
    ValueId init, inside, next, result;
  };
  int32_t id; ///< what LayerValue refers to
  std::string name;
  int64_t count;
  std::vector<Carried> carried;
  std::vector<Statement> body;
  SourceRange range;
};

struct Statement {
  std::variant<Define, Loop> node;
};

/// An exported `fn`, with all that it calls inlined.
struct Function {
  std::string name;
  std::string comment; ///< the comment lines right above it, for the generated header
  std::vector<RuntimeSize> sizes;
  std::vector<Value> values;
  std::vector<ValueId> params;
  std::vector<Statement> body;
  std::vector<ValueId> results;
  SourceRange range;
};

/// An `assert` on the bytes that the cache takes for a token. They are known once it is derived.
struct Assertion {
  std::string condition; ///< its text
  SourceRange range;
  Relation relation;
  Cost bound;
  bool costOnLeft; ///< else the bound is
};

struct Program {
  std::string name; ///< the file's name without folder and extension
  std::vector<Weight> weights;
  std::vector<Function> functions;   ///< exported ones: those of the main file, not of `use`d ones
  std::vector<Assertion> assertions; ///< those that only the derived cache can answer
};

} // namespace heed::program

#endif // HEED_FRONTEND_PROGRAM_H
