//===- Expressions.cpp - formulas -----------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionSema.h"

#include <fmt/format.h>

#include <algorithm>

using namespace heed;
using namespace heed::sema;
using namespace heed::program;

namespace {

/// Formulas within formulas, all calls that are being inlined counted; bounds the stack.
constexpr uint32_t kDeepestElaboration = 500;
/// Nodes that putting indices into a formula may give.
constexpr size_t kLargestSubstitution = 1'000'000;

BinaryOp translate(ast::BinaryOp op) {
  switch (op) {
  case ast::BinaryOp::Add:
    return BinaryOp::Add;
  case ast::BinaryOp::Sub:
    return BinaryOp::Sub;
  case ast::BinaryOp::Mul:
    return BinaryOp::Mul;
  case ast::BinaryOp::Div:
    return BinaryOp::Div;
  case ast::BinaryOp::Mod:
    return BinaryOp::Mod;
  case ast::BinaryOp::Pow:
    return BinaryOp::Pow;
  case ast::BinaryOp::Eq:
    return BinaryOp::Eq;
  case ast::BinaryOp::Ne:
    return BinaryOp::Ne;
  case ast::BinaryOp::Lt:
    return BinaryOp::Lt;
  case ast::BinaryOp::Le:
    return BinaryOp::Le;
  case ast::BinaryOp::Gt:
    return BinaryOp::Gt;
  case ast::BinaryOp::Ge:
    return BinaryOp::Ge;
  case ast::BinaryOp::And:
    return BinaryOp::And;
  case ast::BinaryOp::Or:
    break;
  }
  return BinaryOp::Or;
}

} // namespace

Operand FunctionSema::elaborate(const ast::Expr &expr) {
  if (!spend())
    return {};
  if (depth >= kDeepestElaboration) {
    report(DiagId::E0609, expr.range, "calls and formulas nest too deeply when they are inlined");
    return {};
  }
  ++depth;
  Operand result;
  if (const auto *integer = std::get_if<ast::IntLiteral>(&expr.node)) {
    result.body = ExprBuilder::integer(integer->value, expr.range);
  } else if (const auto *number = std::get_if<ast::FloatLiteral>(&expr.node)) {
    result.body = ExprBuilder::number(number->value, expr.range);
  } else if (std::holds_alternative<ast::StringLiteral>(expr.node)) {
    report(DiagId::E0501, expr.range, "expected a number, found a string");
  } else if (const auto *name = std::get_if<ast::NameRef>(&expr.node)) {
    result = elaborateName(name->name, expr.range);
  } else if (const auto *subscript = std::get_if<ast::Subscript>(&expr.node)) {
    result = elaborateSubscript(*subscript, expr.range);
  } else if (const auto *call = std::get_if<ast::Call>(&expr.node)) {
    result = elaborateCall(*call, expr.range);
  } else if (const auto *unary = std::get_if<ast::Unary>(&expr.node)) {
    result = elaborate(*unary->operand);
    UnaryOp op = unary->op == ast::UnaryOp::Neg ? UnaryOp::Neg : UnaryOp::Not;
    result.body = build.unary(op, std::move(result.body), expr.range);
  } else if (const auto *binary = std::get_if<ast::Binary>(&expr.node)) {
    Operand lhs = elaborate(*binary->lhs);
    Operand rhs = elaborate(*binary->rhs);
    result = elementwise(translate(binary->op), std::move(lhs), std::move(rhs), expr.range);
  } else if (const auto *choice = std::get_if<ast::Conditional>(&expr.node)) {
    result = elaborateConditional(*choice, expr.range);
  } else {
    result = elaborateReduce(std::get<ast::Reduce>(expr.node), expr.range);
  }
  --depth;
  return result;
}

ExprPtr FunctionSema::elaborateScalar(const ast::Expr &expr) {
  bool wasScalar = frame->wantScalar;
  frame->wantScalar = true;
  Operand operand = checkScalar(elaborate(expr), "the formula", expr.range);
  frame->wantScalar = wasScalar;
  return std::move(operand.body);
}

Operand FunctionSema::checkScalar(Operand operand, std::string_view name, SourceRange range) {
  if (!operand || operand.axes.empty())
    return operand;
  report(DiagId::E0312, range,
         fmt::format("expected a number, found {}, which is {}; give it indices", name,
                     spell(operand.axes)));
  return {};
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

Operand FunctionSema::elaborateName(const std::string &name, SourceRange range) {
  if (const Binding *binding = find(name))
    return elaborateBinding(Binding(*binding), name, range);
  const Global *global = frame->unit->findGlobal(name);
  if (!global) {
    reportUnknown(name, range);
    return {};
  }
  switch (global->kind) {
  case Global::Poison:
    return {};
  case Global::Size:
  case Global::Int:
    return {{}, ExprBuilder::integer(global->integer, range)};
  case Global::Float:
    return {{}, ExprBuilder::number(global->number, range)};
  case Global::RuntimeSize:
    return {{}, ExprBuilder::make(SizeValue{localSize(global->index)}, Element::I32, range)};
  case Global::Weight:
    break;
  }
  if (module.program.weights[global->index].layers != 0) {
    report(DiagId::E0407, range,
           fmt::format("`{0}` is a weight of each layer; say of which one, as in `{0}[l]`", name));
    return {};
  }
  Binding weight;
  weight.kind = Binding::Weight;
  weight.value = global->index;
  return elaborateBinding(weight, name, range);
}

Operand FunctionSema::elaborateBinding(const Binding &binding, const std::string &name,
                                       SourceRange range) {
  switch (binding.kind) {
  case Binding::Poison:
    return {};
  case Binding::Scalar:
    return {{}, clone(*binding.scalar)};
  case Binding::Index:
    return {{}, ExprBuilder::index(binding.value, range)};
  case Binding::Layer:
    return {{}, ExprBuilder::make(LayerValue{binding.value}, Element::I32, range)};
  case Binding::Size:
    if (binding.dim.extent.isRuntime())
      return {{}, ExprBuilder::make(SizeValue{binding.dim.extent.runtime}, Element::I32, range)};
    return {{}, ExprBuilder::integer(binding.dim.extent.fixed, range)};
  case Binding::Tensor:
  case Binding::Weight:
    break;
  }
  Operand operand;
  std::vector<ExprPtr> reads;
  for (const auto &index : binding.leading)
    reads.push_back(clone(*index));
  for (const Dim &dim : visibleDims(binding)) {
    operand.axes.push_back(newIndex(fmt::format("a{}", operand.axes.size()), dim, range, name));
    reads.push_back(ExprBuilder::index(operand.axes.back(), range));
  }
  if (binding.kind == Binding::Tensor)
    operand.body = ExprBuilder::make(Read{binding.value, std::move(reads)},
                                     function.values[binding.value].element, range);
  else
    operand.body =
        ExprBuilder::make(ReadWeight{binding.value, binding.layer ? clone(*binding.layer) : nullptr,
                                     std::move(reads)},
                          Element::F32, range);
  return frame->wantScalar ? checkScalar(std::move(operand), fmt::format("`{}`", name), range)
                           : std::move(operand);
}

//===----------------------------------------------------------------------===//
// Subscripts
//===----------------------------------------------------------------------===//

Operand FunctionSema::elaborateSubscript(const ast::Subscript &subscript, SourceRange range) {
  const auto *ref = std::get_if<ast::NameRef>(&subscript.base->node);
  const Global *global = ref && !find(ref->name) ? frame->unit->findGlobal(ref->name) : nullptr;
  bool perLayer =
      global && global->kind == Global::Weight && module.program.weights[global->index].layers != 0;

  Operand base;
  bool wasScalar = frame->wantScalar;
  if (!perLayer) {
    // The brackets say where a call's result is read, not the left side.
    std::vector<int32_t> lhs = std::exchange(frame->lhs, {});
    frame->wantScalar = false;
    base = elaborate(*subscript.base);
    frame->wantScalar = wasScalar;
    frame->lhs = std::move(lhs);
  }
  std::vector<ExprPtr> at;
  bool good = true;
  for (const ast::ExprPtr &index : subscript.indices) {
    const auto *plain = std::get_if<ast::NameRef>(&index->node);
    if (plain && !find(plain->name) && !frame->unit->findGlobal(plain->name)) {
      report(DiagId::E0307, index->range,
             fmt::format("the index `{0}` is neither on the left side nor in a reduction such as "
                         "`sum[{0}]`",
                         plain->name));
      good = false;
      continue;
    }
    at.push_back(elaborateScalar(*index));
    good &= at.back() != nullptr;
  }
  if (!good)
    return {};
  if (!perLayer) {
    const auto *call = std::get_if<ast::Call>(&subscript.base->node);
    if (call && base && base.axes.empty()) {
      report(DiagId::E0305, range,
             fmt::format("`{0}` gives one number here, read at the indices of its arguments or of "
                         "none; drop the brackets after it, or give it whole tensors",
                         call->callee.text));
      return {};
    }
    std::string name = ref ? ref->name : call ? call->callee.text : "the formula";
    return readAt(std::move(base), std::move(at), name, range);
  }

  // The layer's number.
  const program::Weight &weight = module.program.weights[global->index];
  if (at.size() != 1) {
    report(DiagId::E0407, range,
           fmt::format("`{0}` is a weight of each layer; say of which one first, as in "
                       "`{0}[l][i, k]`",
                       ref->name));
    return {};
  }
  Binding binding;
  binding.kind = Binding::Weight;
  binding.value = global->index;
  Dim layers{{weight.layers, -1}, ""};
  SourceRange layerRange = at[0]->range;
  if (at[0]->element != Element::I32 || !freeIndices(*at[0]).empty()) {
    report(DiagId::E0407, layerRange,
           "a layer's number is a constant or made from the variable of a loop");
    return {};
  }
  ExprPtr layer = bounded(std::move(at[0]), layers, ref->name);
  if (!layer)
    return {};
  binding.layer = std::move(layer);
  return elaborateBinding(binding, ref->name, range);
}

Operand FunctionSema::readAt(Operand base, std::vector<ExprPtr> at, const std::string &name,
                             SourceRange range) {
  if (!base)
    return {};
  if (at.size() != base.axes.size()) {
    report(DiagId::E0305, range,
           fmt::format("`{}` has {} ax{}, found {} ind{}", name, base.axes.size(),
                       base.axes.size() == 1 ? "is" : "es", at.size(),
                       at.size() == 1 ? "ex" : "ices"));
    return {};
  }
  std::map<int32_t, ExprPtr> replacements;
  size_t largest = 1;
  for (size_t i = 0; i < at.size(); ++i) {
    const Dim dim = indices[base.axes[i]].dim.value_or(Dim{{1, -1}, ""});
    if (at[i]->element != Element::I32) {
      report(DiagId::E0501, at[i]->range,
             fmt::format("expected an integer as index, found {}", describe(at[i]->element)));
      return {};
    }
    if (const auto *plain = std::get_if<IndexValue>(&at[i]->node)) {
      if (!unify(plain->var, dim, {at[i]->range, name}))
        return {};
    } else if (!(at[i] = bounded(std::move(at[i]), dim, name))) {
      return {};
    }
    largest = std::max(largest, nodeCount(*at[i], kLargestSubstitution));
    replacements[base.axes[i]] = std::move(at[i]);
  }
  if (nodeCount(*base.body, kLargestSubstitution) > kLargestSubstitution / largest) {
    report(DiagId::E0609, range, "the formula becomes too large; name a part of it");
    return {};
  }
  ExprPtr body = substitute(*base.body, [&](int32_t var) -> const Expr * {
    auto found = replacements.find(var);
    return found == replacements.end() ? nullptr : found->second.get();
  });
  body->range = range;
  return {{}, std::move(body)};
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

bool FunctionSema::align(std::vector<Operand *> operands, SourceRange range,
                         std::string_view what) {
  const Operand *shaped = nullptr;
  for (Operand *operand : operands) {
    if (operand->axes.empty())
      continue;
    if (!shaped) {
      shaped = operand;
      continue;
    }
    bool fits = operand->axes.size() == shaped->axes.size();
    for (size_t i = 0; fits && i < shaped->axes.size(); ++i)
      fits = indices[operand->axes[i]].dim == indices[shaped->axes[i]].dim;
    if (!fits) {
      report(DiagId::E0311, range,
             fmt::format("{} need one shape, found {} and {}", what, spell(shaped->axes),
                         spell(operand->axes)));
      return false;
    }
    std::map<int32_t, ExprPtr> replacements;
    for (size_t i = 0; i < shaped->axes.size(); ++i)
      replacements[operand->axes[i]] = ExprBuilder::index(shaped->axes[i], range);
    operand->body = substitute(*operand->body, [&](int32_t var) -> const Expr * {
      auto found = replacements.find(var);
      return found == replacements.end() ? nullptr : found->second.get();
    });
    operand->axes = shaped->axes;
  }
  return true;
}

Operand FunctionSema::elementwise(BinaryOp op, Operand lhs, Operand rhs, SourceRange range) {
  if (!lhs || !rhs || !align({&lhs, &rhs}, range, "both operands"))
    return {};
  std::vector<int32_t> axes = lhs.axes.empty() ? rhs.axes : lhs.axes;
  bool divides = (op == BinaryOp::Div || op == BinaryOp::Mod) &&
                 lhs.body->element == Element::I32 && rhs.body->element == Element::I32;
  // Dividing integers by zero traps, so what divides must be known not to be zero.
  if (divides && constantInteger(*rhs.body) != 0 &&
      !(constantInteger(*lhs.body) && constantInteger(*rhs.body)) && !provablyPositive(*rhs.body)) {
    report(DiagId::E0502, rhs.body->range,
           "the divisor of an integer may be zero or negative; write `max(…, 1)`, or divide by "
           "`float(…)`");
    return {};
  }
  return {std::move(axes), build.binary(op, std::move(lhs.body), std::move(rhs.body), range)};
}

Operand FunctionSema::elaborateConditional(const ast::Conditional &choice, SourceRange range) {
  Operand condition = elaborate(*choice.condition);
  if (!condition)
    return {};
  std::optional<int64_t> known = constantInteger(*condition.body);
  if (known && condition.body->element == Element::Bool)
    return elaborate(*known ? *choice.ifTrue : *choice.ifFalse);
  Operand ifTrue = elaborate(*choice.ifTrue);
  Operand ifFalse = elaborate(*choice.ifFalse);
  if (!ifTrue || !ifFalse ||
      !align({&condition, &ifTrue, &ifFalse}, range, "the condition and both values"))
    return {};
  std::vector<int32_t> axes;
  for (const Operand *operand : {&condition, &ifTrue, &ifFalse})
    if (axes.empty())
      axes = operand->axes;
  return {std::move(axes), build.select(std::move(condition.body), std::move(ifTrue.body),
                                        std::move(ifFalse.body), range)};
}
