//===- Definitions.cpp - operands become tensors --------------------------===//
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

/// Statements of one function, all inlined calls counted.
constexpr size_t kMostDefinitions = 5'000;
/// Elements of one tensor, run-time sizes counted as 1.
constexpr int64_t kMostElements = int64_t(1) << 48;
/// Names made of an enclosing definition's name don't grow beyond this.
constexpr size_t kLongestPrefix = 96;

/// The free index variables of an expression that aren't among `own`, in the order of binding.
void addFree(std::vector<int32_t> &free, const Expr *expr, const std::vector<int32_t> &own) {
  if (!expr)
    return;
  for (int32_t var : freeIndices(*expr))
    if (std::find(own.begin(), own.end(), var) == own.end() &&
        std::find(free.begin(), free.end(), var) == free.end())
      free.push_back(var);
  std::sort(free.begin(), free.end());
}

/// A definition's axes: those that were asked for, behind one for every free index not in `bound`.
struct DefinitionAxes {
  DefinitionAxes(const Expr *body, const std::vector<int32_t> &axes,
                 const std::vector<int32_t> &bound) {
    addFree(leading, body, bound);
    all = leading;
    all.insert(all.end(), axes.begin(), axes.end());
  }
  std::vector<int32_t> leading, all;
};

} // namespace

std::string FunctionSema::valueName(std::string_view suffix) const {
  std::string name = frame->prefix + frame->target;
  return name.size() <= kLongestPrefix ? fmt::format("{}{}", name, suffix)
                                       : fmt::format("{}{}", frame->target, suffix);
}

ValueId FunctionSema::newValue(std::string name, Element element, const std::vector<int32_t> &axes,
                               SourceRange range) {
  Value value{std::move(name), element, {}, range};
  std::vector<Dim> dims;
  int64_t elements = 1;
  for (int32_t axis : axes) {
    Dim dim = indices[axis].dim.value_or(Dim{{1, -1}, ""});
    if (!dim.extent.isRuntime() && (__builtin_mul_overflow(elements, dim.extent.fixed, &elements) ||
                                    elements > kMostElements)) {
      report(DiagId::E0309, range,
             fmt::format("`{}` has the shape {}; a tensor may have 2^48 elements", value.name,
                         spell(axes)));
      elements = 1;
    }
    value.shape.push_back(dim.extent);
    dims.push_back(std::move(dim));
  }
  function.values.push_back(std::move(value));
  valueDims.push_back(std::move(dims));
  return static_cast<ValueId>(function.values.size() - 1);
}

ValueId FunctionSema::emit(std::string name, const std::vector<int32_t> &axes,
                           std::variant<Map, Reduce, Softmax> form, Element element,
                           SourceRange range) {
  if (++definitions > kMostDefinitions) {
    if (definitions == kMostDefinitions + 1)
      module.report(DiagId::E0609, function.range,
                    fmt::format("the function has more than {} statements when its calls are "
                                "inlined",
                                kMostDefinitions));
    stopped = true;
    return -1;
  }
  Define define;
  define.result = newValue(std::move(name), element, axes, range);
  define.range = range;
  // Every definition has index variables of its own.
  std::map<int32_t, ExprPtr> fresh;
  for (int32_t axis : axes) {
    IndexInfo info = indices[axis];
    int32_t var = newIndex(info.name, info.dim, info.usedAt, info.usedIn);
    define.axes.push_back({var, info.name, info.dim ? info.dim->extent : Extent{1, -1}});
    fresh[axis] = ExprBuilder::index(var, range);
  }
  auto renamed = [&](const ExprPtr &expr) -> ExprPtr {
    if (!expr)
      return nullptr;
    return substitute(*expr, [&](int32_t var) -> const Expr * {
      auto found = fresh.find(var);
      return found == fresh.end() ? nullptr : found->second.get();
    });
  };
  if (auto *map = std::get_if<Map>(&form)) {
    map->body = renamed(map->body);
  } else if (auto *reduce = std::get_if<Reduce>(&form)) {
    reduce->body = renamed(reduce->body);
  } else if (auto *softmax = std::get_if<Softmax>(&form)) {
    softmax->mask = renamed(softmax->mask);
    softmax->var = std::get<IndexValue>(fresh.at(softmax->var)->node).var;
  }
  ValueId result = define.result;
  define.form = std::move(form);
  sink->push_back({std::move(define)});
  return result;
}

namespace {

Binding tensorBinding(ValueId value, const std::vector<int32_t> &leading, SourceRange range) {
  Binding binding;
  if (value < 0)
    return binding;
  binding.kind = Binding::Tensor;
  binding.value = value;
  binding.range = range;
  for (int32_t var : leading)
    binding.leading.push_back(ExprBuilder::index(var, range));
  return binding;
}

} // namespace

Binding FunctionSema::define(std::string name, std::vector<int32_t> axes, Map form,
                             SourceRange range) {
  DefinitionAxes placed(form.body.get(), axes, axes);
  Element element = form.body->element;
  return tensorBinding(emit(std::move(name), placed.all, std::move(form), element, range),
                       placed.leading, range);
}

Binding FunctionSema::define(std::string name, std::vector<int32_t> axes, Reduce form,
                             SourceRange range) {
  std::vector<int32_t> bound = axes;
  for (const IndexVar &var : form.vars)
    bound.push_back(var.id);
  DefinitionAxes placed(form.body.get(), axes, bound);
  Element element = form.body->element;
  return tensorBinding(emit(std::move(name), placed.all, std::move(form), element, range),
                       placed.leading, range);
}

Binding FunctionSema::define(std::string name, std::vector<int32_t> axes, Softmax form,
                             SourceRange range) {
  // elaborateSoftmax has put every free index among the axes.
  return tensorBinding(emit(std::move(name), axes, std::move(form), Element::F32, range), {},
                       range);
}

Binding FunctionSema::materialise(const std::string &name, Operand operand, SourceRange range) {
  const Expr &body = *operand.body;
  const std::vector<ExprPtr> *reads = nullptr;
  const auto *read = std::get_if<Read>(&body.node);
  const auto *weight = std::get_if<ReadWeight>(&body.node);
  if (read)
    reads = &read->indices;
  else if (weight)
    reads = &weight->indices;
  size_t rank = operand.axes.size();
  bool direct = reads && reads->size() >= rank;
  for (size_t i = 0; direct && i < reads->size(); ++i) {
    size_t lead = reads->size() - rank;
    const auto *index = std::get_if<IndexValue>(&(*reads)[i]->node);
    if (i >= lead) {
      direct = index && index->var == operand.axes[i - lead];
      continue;
    }
    for (int32_t var : freeIndices(*(*reads)[i]))
      direct &= std::find(operand.axes.begin(), operand.axes.end(), var) == operand.axes.end();
  }
  if (!direct)
    return define(name, operand.axes, Map{std::move(operand.body)}, range);
  Binding binding;
  binding.kind = read ? Binding::Tensor : Binding::Weight;
  binding.value = read ? read->tensor : weight->weight;
  binding.range = range;
  for (size_t i = 0; i + rank < reads->size(); ++i)
    binding.leading.push_back(clone(*(*reads)[i]));
  if (weight && weight->layer)
    binding.layer = clone(*weight->layer);
  return binding;
}

std::optional<Binding> FunctionSema::materialiseFully(const std::string &name,
                                                      const Binding &binding, SourceRange range) {
  bool full = binding.kind == Binding::Tensor && binding.leading.size() == frame->leaks.size();
  for (size_t i = 0; full && i < binding.leading.size(); ++i) {
    const auto *index = std::get_if<IndexValue>(&binding.leading[i]->node);
    full = index && index->var == frame->leaks[i];
  }
  if (full)
    return binding;
  bool wasScalar = frame->wantScalar;
  frame->wantScalar = false;
  Operand operand = elaborateBinding(binding, name, range);
  frame->wantScalar = wasScalar;
  if (!operand)
    return std::nullopt;
  std::vector<int32_t> axes = frame->leaks;
  axes.insert(axes.end(), operand.axes.begin(), operand.axes.end());
  Element element = operand.body->element;
  ValueId value = emit(name, axes, Map{std::move(operand.body)}, element, range);
  if (value < 0)
    return std::nullopt;
  return tensorBinding(value, frame->leaks, range);
}
