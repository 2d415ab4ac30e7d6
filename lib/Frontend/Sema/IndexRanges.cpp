//===- IndexRanges.cpp - how far each index ranges ------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An index ranges over the axes where it stands alone in brackets. When a left
// side or a reduction binds an index, the formula below is searched for such
// places before it is elaborated, so that its range is known wherever it is used.
//
//===----------------------------------------------------------------------===//

#include "FunctionSema.h"

#include "heed/Frontend/Parser.h"

#include <fmt/format.h>

#include <algorithm>

using namespace heed;
using namespace heed::sema;

namespace {

/// Calls `visit(subscript, shadowed)` for every subscript; `shadowed` holds the names that
/// reductions between the root and the subscript bind.
template <typename Visit>
void forEachSubscript(const ast::Expr &expr, std::vector<std::string_view> &shadowed, Visit visit) {
  auto descend = [&](const ast::ExprPtr &child) {
    if (child)
      forEachSubscript(*child, shadowed, visit);
  };
  if (const auto *node = std::get_if<ast::Subscript>(&expr.node)) {
    visit(*node, shadowed);
    descend(node->base);
    for (const ast::ExprPtr &index : node->indices)
      descend(index);
  } else if (const auto *call = std::get_if<ast::Call>(&expr.node)) {
    for (const ast::ExprPtr &argument : call->arguments)
      descend(argument);
    descend(call->fallback);
  } else if (const auto *unary = std::get_if<ast::Unary>(&expr.node)) {
    descend(unary->operand);
  } else if (const auto *binary = std::get_if<ast::Binary>(&expr.node)) {
    descend(binary->lhs);
    descend(binary->rhs);
  } else if (const auto *choice = std::get_if<ast::Conditional>(&expr.node)) {
    descend(choice->condition);
    descend(choice->ifTrue);
    descend(choice->ifFalse);
  } else if (const auto *reduce = std::get_if<ast::Reduce>(&expr.node)) {
    size_t outer = shadowed.size();
    if (reduce->kind != ast::Reduction::Softmax)
      for (const ast::IndexBinding &index : reduce->indices)
        shadowed.push_back(index.name.text);
    descend(reduce->body);
    descend(reduce->mask);
    descend(reduce->sink);
    shadowed.resize(outer);
  }
}

bool contains(const std::vector<std::string_view> &names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

} // namespace

int32_t FunctionSema::newIndex(std::string name, std::optional<Dim> dim, SourceRange usedAt,
                               std::string usedIn) {
  indices.push_back({std::move(name), std::move(dim), usedAt, std::move(usedIn), false});
  return static_cast<int32_t>(indices.size() - 1);
}

bool FunctionSema::bindIndices(const std::vector<ast::IndexBinding> &list,
                               std::vector<int32_t> &vars) {
  bool good = true;
  for (const ast::IndexBinding &index : list) {
    const Binding *other = find(index.name.text);
    if (other && other->kind == Binding::Index) {
      if (report(DiagId::E0310, index.name.range,
                 fmt::format("the index `{}` is bound already", index.name.text)))
        module.note(other->range, "bound here");
      good = false;
      continue;
    }
    if (!declareFresh(index.name)) {
      good = false;
      // Its uses mean nothing now, and that is reported.
      Binding poison;
      poison.range = index.name.range;
      bind(index.name.text, std::move(poison));
      continue;
    }
    std::optional<Dim> dim;
    if (index.extent) {
      dim = dimOf(*index.extent);
      good &= dim.has_value();
    }
    Binding binding;
    binding.kind = Binding::Index;
    binding.range = index.name.range;
    binding.value = newIndex(index.name.text, dim, index.name.range, "");
    if (index.extent && !dim)
      indices[binding.value].clashed = true;
    vars.push_back(binding.value);
    frame->bound.push_back(binding.value);
    bind(index.name.text, std::move(binding));
  }
  return good;
}

bool FunctionSema::unify(int32_t var, const Dim &dim, const Use &use) {
  IndexInfo &info = indices[var];
  if (!info.dim) {
    info.dim = dim;
    info.usedAt = use.range;
    info.usedIn = use.tensor;
    return true;
  }
  if (*info.dim == dim)
    return true;
  // A run-time size that is bounded fits every axis as long as its bound: positions `wpe[i, c]`.
  auto fits = [&](const Dim &runtime, const Dim &fixed) {
    if (!runtime.extent.isRuntime() || fixed.extent.isRuntime())
      return false;
    int64_t bound = function.sizes[runtime.extent.runtime].bound;
    return bound > 0 && bound <= fixed.extent.fixed;
  };
  if (fits(*info.dim, dim))
    return true;
  if (fits(dim, *info.dim)) {
    info.dim = dim;
    info.usedAt = use.range;
    info.usedIn = use.tensor;
    return true;
  }
  if (info.clashed)
    return false;
  info.clashed = true;
  std::string first = info.usedIn.empty() ? "" : fmt::format(" in `{}`", info.usedIn);
  std::string second = use.tensor.empty() ? "" : fmt::format(" in `{}`", use.tensor);
  if (report(DiagId::E0303, use.range,
             fmt::format("`{}` ranges over {}{} but over {}{}", info.name, spell(*info.dim), first,
                         spell(dim), second)))
    module.note(info.usedAt, fmt::format("`{}` ranges over {} here", info.name, spell(*info.dim)));
  return false;
}

std::vector<Dim> FunctionSema::visibleDims(const Binding &binding) const {
  const std::vector<Dim> &all =
      binding.kind == Binding::Tensor ? valueDims[binding.value] : module.weightDims[binding.value];
  return {all.begin() + static_cast<std::ptrdiff_t>(binding.leading.size()), all.end()};
}

std::optional<std::vector<Dim>> FunctionSema::dimsOf(const ast::Expr &base,
                                                     std::string &name) const {
  const ast::Expr *at = &base;
  bool hasLayer = false;
  if (const auto *inner = std::get_if<ast::Subscript>(&at->node)) {
    if (inner->indices.size() != 1)
      return std::nullopt;
    hasLayer = true;
    at = inner->base.get();
  }
  const auto *ref = std::get_if<ast::NameRef>(&at->node);
  if (!ref)
    return std::nullopt;
  name = ref->name;
  if (const Binding *binding = find(ref->name)) {
    bool tensor = binding->kind == Binding::Tensor || binding->kind == Binding::Weight;
    return tensor && !hasLayer ? std::optional(visibleDims(*binding)) : std::nullopt;
  }
  const Global *global = frame->unit->findGlobal(ref->name);
  if (!global || global->kind != Global::Weight ||
      hasLayer != (module.program.weights[global->index].layers != 0))
    return std::nullopt;
  return module.weightDims[global->index];
}

void FunctionSema::inferRanges(const ast::Expr &expr, const std::vector<int32_t> &vars) {
  std::vector<std::string_view> shadowed;
  forEachSubscript(
      expr, shadowed,
      [&](const ast::Subscript &subscript, const std::vector<std::string_view> &hidden) {
        std::string name;
        std::optional<std::vector<Dim>> dims = dimsOf(*subscript.base, name);
        if (!dims || dims->size() != subscript.indices.size())
          return; // elaboration reports what is wrong
        for (size_t i = 0; i < dims->size(); ++i) {
          const auto *ref = std::get_if<ast::NameRef>(&subscript.indices[i]->node);
          if (!ref || contains(hidden, ref->name))
            continue;
          const Binding *binding = find(ref->name);
          if (binding && binding->kind == Binding::Index &&
              std::find(vars.begin(), vars.end(), binding->value) != vars.end())
            unify(binding->value, (*dims)[i], {subscript.indices[i]->range, name});
        }
      });
}

bool FunctionSema::checkRanges(const std::vector<int32_t> &vars,
                               const std::vector<ast::IndexBinding> &list) {
  bool good = true;
  for (int32_t var : vars) {
    const IndexInfo &info = indices[var];
    good &= !info.clashed;
    if (info.dim || info.clashed)
      continue;
    good = false;
    for (const ast::IndexBinding &index : list)
      if (index.name.text == info.name)
        report(DiagId::E0304, index.name.range,
               fmt::format("nothing tells the range of `{0}`; write it out, as in `{0} < 8`",
                           info.name));
  }
  return good;
}

std::vector<ast::Name> FunctionSema::unboundIndices(const ast::Expr &expr) const {
  std::vector<ast::Name> names;
  std::vector<std::string_view> shadowed;
  forEachSubscript(
      expr, shadowed,
      [&](const ast::Subscript &subscript, const std::vector<std::string_view> &hidden) {
        for (const ast::ExprPtr &index : subscript.indices) {
          const auto *ref = std::get_if<ast::NameRef>(&index->node);
          if (!ref || contains(hidden, ref->name) || find(ref->name) ||
              frame->unit->findGlobal(ref->name))
            continue;
          bool known = std::any_of(names.begin(), names.end(),
                                   [&](const ast::Name &name) { return name.text == ref->name; });
          if (!known && names.size() < kMostAxes)
            names.push_back({ref->name, index->range});
        }
      });
  return names;
}
