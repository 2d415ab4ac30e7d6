//===- FunctionSema.cpp - names and sizes inside a function ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FunctionSema.h"

#include "../Suggestion.h"

#include <fmt/format.h>

using namespace heed;
using namespace heed::sema;

namespace {

/// Nodes of formulas elaborated for one function, all inlined calls counted.
constexpr size_t kMostWork = 1'000'000;

} // namespace

FunctionSema::FunctionSema(Module &module, program::Function &function)
    : module(module), function(function), build(module), sink(&function.body) {}

//===----------------------------------------------------------------------===//
// Names and errors
//===----------------------------------------------------------------------===//

bool FunctionSema::report(DiagId id, SourceRange range, std::string message) {
  if (!module.report(id, range, std::move(message)))
    return false;
  for (const Frame *at = frame; at && at->caller; at = at->caller)
    module.note(at->call, fmt::format("in this call of `{}`", at->function->name.text));
  return true;
}

bool FunctionSema::spend(size_t cost) {
  if (stopped)
    return false;
  work += cost;
  stopped = work > kMostWork;
  if (stopped)
    module.report(DiagId::E0609, function.range,
                  "the function becomes too large when its calls are inlined");
  return !stopped;
}

const Binding *FunctionSema::find(std::string_view name) const {
  for (auto level = frame->levels.rbegin(); level != frame->levels.rend(); ++level) {
    auto found = level->find(name);
    if (found != level->end())
      return &found->second;
  }
  return nullptr;
}

void FunctionSema::reportUnknown(const std::string &name, SourceRange range) {
  std::vector<std::string> candidates;
  for (const auto &level : frame->levels)
    for (const auto &entry : level)
      candidates.push_back(entry.first);
  for (const auto &entry : frame->unit->globals)
    candidates.push_back(entry.first);
  std::string hint = suggestion(name, candidates);
  if (hint.empty() && !frame->bound.empty()) {
    std::vector<std::string> inScope;
    for (int32_t var : frame->bound)
      inScope.push_back(fmt::format("`{}`", indices[var].name));
    hint = fmt::format("; the indices here are {}", fmt::join(inScope, ", "));
  }
  report(DiagId::E0302, range, fmt::format("unknown name `{}`{}", name, hint));
}

bool FunctionSema::declareFresh(const ast::Name &name) {
  SourceRange other;
  if (const Binding *binding = find(name.text))
    other = binding->range;
  else if (const Global *global = frame->unit->findGlobal(name.text))
    other = global->range;
  else
    return true;
  if (report(DiagId::E0301, name.range, fmt::format("`{}` has a meaning already", name.text)))
    module.note(other, "declared here");
  return false;
}

int32_t FunctionSema::localSize(int32_t moduleSize) {
  auto [place, isNew] = localSizes.emplace(moduleSize, static_cast<int32_t>(function.sizes.size()));
  if (isNew)
    function.sizes.push_back(module.sizes[moduleSize]);
  return place->second;
}

Dim FunctionSema::globalDim(const Global &global, std::string_view name) {
  Dim dim;
  if (global.kind == Global::RuntimeSize)
    dim.extent.runtime = localSize(global.index);
  else
    dim.extent.fixed = global.integer;
  dim.spelling = std::string(name);
  return dim;
}

std::string FunctionSema::spell(const Dim &dim) const {
  if (dim.extent.isRuntime())
    return fmt::format("`{}`", function.sizes[dim.extent.runtime].name);
  if (dim.spelling.empty())
    return fmt::format("{}", dim.extent.fixed);
  return fmt::format("`{}` = {}", dim.spelling, dim.extent.fixed);
}

std::string FunctionSema::spell(const std::vector<int32_t> &axes) const {
  if (axes.empty())
    return "a number";
  std::string text;
  for (int32_t axis : axes) {
    const std::optional<Dim> &dim = indices[axis].dim;
    text += text.empty() ? "[" : ", ";
    if (!dim)
      text += '?';
    else if (dim->extent.isRuntime())
      text += function.sizes[dim->extent.runtime].name;
    else
      text += fmt::format("{}", dim->extent.fixed);
  }
  return text + "]";
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

std::optional<Dim> FunctionSema::dimOf(const ast::Expr &expr) {
  const auto *name = std::get_if<ast::NameRef>(&expr.node);
  bool wasScalar = frame->wantScalar;
  frame->wantScalar = true;
  ExprPtr value = elaborateScalar(expr);
  frame->wantScalar = wasScalar;
  if (!value)
    return std::nullopt;
  Dim dim;
  if (const auto *size = std::get_if<program::SizeValue>(&value->node)) {
    dim.extent.runtime = size->size;
    dim.spelling = function.sizes[size->size].name;
    return dim;
  }
  std::optional<int64_t> fixed = constantInteger(*value);
  if (!fixed || value->element != Element::I32) {
    report(constantNumber(*value) ? DiagId::E0309 : DiagId::E0308, expr.range,
           constantNumber(*value) ? "a size is an integer"
                                  : "a size must be known when the program is compiled");
    return std::nullopt;
  }
  if (*fixed < 1 || *fixed > INT32_MAX) {
    report(DiagId::E0309, expr.range,
           fmt::format("the size is {}; sizes go from 1 to {}", *fixed, INT32_MAX));
    return std::nullopt;
  }
  dim.extent.fixed = *fixed;
  if (name)
    dim.spelling = name->name;
  else if (!std::holds_alternative<ast::IntLiteral>(expr.node))
    dim.spelling = std::string(module.sources.text(expr.range).substr(0, 40));
  return dim;
}

ExprPtr FunctionSema::evaluateGlobal(const Unit &unit, const ast::Expr &expr) {
  Frame global;
  global.unit = &unit;
  global.levels.emplace_back();
  global.wantScalar = true;
  frame = &global;
  ExprPtr value = elaborateScalar(expr);
  frame = nullptr;
  if (!value)
    return nullptr;
  bool constant = std::holds_alternative<program::ConstInt>(value->node) ||
                  std::holds_alternative<program::ConstFloat>(value->node);
  if (constant && value->element != Element::Bool)
    return value;
  if (constant)
    module.report(DiagId::E0501, expr.range, "expected a number, found a condition");
  else
    module.report(DiagId::E0308, expr.range,
                  "the value must be known when the program is compiled, and depends on a run-time "
                  "size or a weight");
  return nullptr;
}

std::optional<Dim> FunctionSema::evaluateDim(const Unit &unit, const ast::Expr &expr,
                                             bool runtime) {
  Frame global;
  global.unit = &unit;
  global.levels.emplace_back();
  frame = &global;
  std::optional<Dim> dim = dimOf(expr);
  frame = nullptr;
  if (dim && dim->extent.isRuntime() && !runtime) {
    module.report(DiagId::E0308, expr.range,
                  fmt::format("`{}` is known at run time only; the size must be known when the "
                              "program is compiled",
                              dim->spelling));
    return std::nullopt;
  }
  return dim;
}

//===----------------------------------------------------------------------===//
// Exported functions
//===----------------------------------------------------------------------===//

namespace {

bool namesAreSizes(const Unit &unit, const std::vector<ast::ExprPtr> &shape) {
  for (const ast::ExprPtr &expr : shape) {
    const auto *name = std::get_if<ast::NameRef>(&expr->node);
    if (name && !unit.findGlobal(name->name))
      return false;
  }
  return true;
}

} // namespace

bool FunctionSema::isExported(const Unit &unit, const ast::Function &function) {
  bool hasTensor = false;
  for (const ast::Parameter &parameter : function.parameters) {
    hasTensor |= parameter.type.shaped;
    if (!namesAreSizes(unit, parameter.type.shape))
      return false;
  }
  return hasTensor;
}

void FunctionSema::runExported(const Unit &unit, const ast::Function &tree) {
  function.name = tree.name.text;
  function.comment = tree.comment;
  function.range = tree.name.range;
  Frame top;
  top.unit = &unit;
  top.function = &tree;
  top.levels.emplace_back();
  frame = &top;
  for (const ast::Parameter &parameter : tree.parameters) {
    bool fresh = declareFresh(parameter.name);
    std::vector<int32_t> axes;
    bool good = true;
    for (const ast::ExprPtr &expr : parameter.type.shape) {
      std::optional<Dim> dim = dimOf(*expr);
      good &= dim.has_value();
      axes.push_back(newIndex("", dim, expr->range, parameter.name.text));
    }
    Binding binding;
    binding.range = parameter.name.range;
    if (good && fresh) {
      Element element = parameter.type.element == ast::Element::Int ? Element::I32 : Element::F32;
      binding.kind = Binding::Tensor;
      binding.value = newValue(parameter.name.text, element, axes, parameter.name.range);
      function.params.push_back(binding.value);
    }
    if (fresh)
      bind(parameter.name.text, std::move(binding));
  }
  Operand result = runBody(tree);
  if (result) {
    SourceRange range = result.body->range;
    auto last = static_cast<program::ValueId>(function.values.size()) - 1;
    Binding binding = materialise(tree.name.text, std::move(result), range);
    // A result is a tensor of its own: no weight, no part of another tensor.
    if (binding.kind == Binding::Weight || !binding.leading.empty()) {
      Operand copy = elaborateBinding(binding, tree.name.text, range);
      binding = define(tree.name.text, copy.axes, program::Map{std::move(copy.body)}, range);
    }
    if (binding.kind == Binding::Tensor) {
      function.results.push_back(binding.value);
      bool unnamed = function.values[binding.value].name.starts_with(tree.name.text + ".");
      if (binding.value == last && unnamed)
        function.values[binding.value].name = tree.name.text;
    }
  }
  frame = nullptr;
}
