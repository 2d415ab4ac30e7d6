//===- Calls.cpp - inlining of functions ----------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An argument is a whole tensor or a formula with indices. A formula's last
// indices, in the order of the statement's left side, are the axes that the
// parameter names; the indices before them (heads) stay what they are, so the
// callee computes for one head. A whole tensor's axes in front are mapped over:
// they come back in front of the result.
//
//===----------------------------------------------------------------------===//

#include "FunctionSema.h"

#include "../Suggestion.h"

#include <fmt/format.h>

#include <algorithm>

using namespace heed;
using namespace heed::sema;
using namespace heed::program;

namespace {

/// A number this small is repeated where a function uses it; a larger one gets a name.
constexpr size_t kSmallScalar = 16;
/// What inlining costs, as nodes of a formula.
constexpr size_t kCostOfCall = 32;
/// Names made of the names of calls don't grow beyond this.
constexpr size_t kLongestPrefix = 64;

bool contains(const std::vector<int32_t> &vars, int32_t var) {
  return std::find(vars.begin(), vars.end(), var) != vars.end();
}

} // namespace

Operand FunctionSema::elaborateCall(const ast::Call &call, SourceRange range) {
  auto [called, unit] = frame->unit->findFunction(call.callee.text);
  if (called)
    return inlineCall(*called, *unit, call, range);
  bool known = false;
  Operand result = elaborateBuiltin(call, range, known);
  if (known)
    return result;
  std::vector<std::string> candidates;
  for (const auto &entry : frame->unit->functions)
    candidates.push_back(entry.first);
  for (const Unit *used : frame->unit->uses)
    for (const auto &entry : used->functions)
      candidates.push_back(entry.first);
  std::string hint = suggestion(call.callee.text, candidates);
  if (hint.empty() && frame->unit->uses.empty())
    hint = "; the library's functions need `use std`";
  report(DiagId::E0603, call.callee.range,
         fmt::format("unknown function `{}`{}", call.callee.text, hint));
  return {};
}

std::optional<FunctionSema::Argument> FunctionSema::elaborateArgument(const ast::Expr &expr) {
  Argument argument;
  argument.range = expr.range;
  std::vector<int32_t> lhs = std::exchange(frame->lhs, {});
  bool wasScalar = std::exchange(frame->wantScalar, false);
  size_t outerBound = frame->bound.size();
  std::vector<ast::Name> names = unboundIndices(expr);
  frame->levels.emplace_back();
  for (const ast::Name &name : names) {
    Binding binding;
    binding.kind = Binding::Index;
    binding.range = name.range;
    binding.value = newIndex(name.text, std::nullopt, name.range, "");
    argument.locals.push_back(binding.value);
    frame->bound.push_back(binding.value);
    bind(name.text, std::move(binding));
  }
  inferRanges(expr, argument.locals);
  argument.operand = elaborate(expr);
  bool good = static_cast<bool>(argument.operand);
  for (size_t i = 0; good && i < names.size(); ++i) {
    const IndexInfo &info = indices[argument.locals[i]];
    good = !info.clashed;
    if (good && !info.dim) {
      report(DiagId::E0304, names[i].range,
             fmt::format("nothing tells the range of `{}`", info.name));
      good = false;
    }
  }
  if (good) {
    // The order of the left side, then that of appearance.
    std::vector<int32_t> free = freeIndices(*argument.operand.body);
    for (int32_t var : lhs)
      if (contains(free, var))
        argument.indices.push_back(var);
    for (int32_t var : free)
      if (contains(frame->bound, var) && !contains(lhs, var) &&
          !contains(argument.operand.axes, var))
        argument.indices.push_back(var);
  }
  frame->levels.pop_back();
  frame->bound.resize(outerBound);
  frame->lhs = std::move(lhs);
  frame->wantScalar = wasScalar;
  if (!good)
    return std::nullopt;
  return argument;
}

bool FunctionSema::fitArgument(Argument &argument, const ast::Parameter &parameter) {
  size_t rank = parameter.type.shaped ? parameter.type.shape.size() : 0;
  Operand &operand = argument.operand;
  // A formula's indices are its axes; a whole tensor has its own, after those that only it
  // mentions.
  std::vector<int32_t> axes;
  bool isFormula = operand.axes.empty();
  if (isFormula) {
    axes = argument.indices;
  } else {
    argument.indices.clear();
    axes = argument.locals;
    axes.insert(axes.end(), operand.axes.begin(), operand.axes.end());
  }
  if (axes.size() < rank) {
    report(DiagId::E0608, argument.range,
           fmt::format("`{}` has {} ax{}, found {}", parameter.name.text, rank,
                       rank == 1 ? "is" : "es", spell(axes)));
    return false;
  }
  for (size_t i = 0; i < axes.size(); ++i)
    if (!indices[axes[i]].dim) {
      report(DiagId::E0304, argument.range,
             fmt::format("nothing tells the range of `{}`", indices[axes[i]].name));
      return false;
    }
  auto split = axes.end() - static_cast<std::ptrdiff_t>(rank);
  operand.axes.assign(split, axes.end());
  for (auto axis = axes.begin(); axis != split; ++axis)
    if (!isFormula || contains(argument.locals, *axis))
      argument.batch.push_back(*axis);
  if (isFormula)
    argument.indices = operand.axes; // where the result may be read
  return true;
}

bool FunctionSema::bindArgument(Frame &callee, Argument &argument,
                                const ast::Parameter &parameter) {
  Operand &operand = argument.operand;
  Element element = parameter.type.element == ast::Element::Int ? Element::I32 : Element::F32;
  operand.body = build.convert(std::move(operand.body), element,
                               fmt::format("the parameter `{}`", parameter.name.text));
  if (!operand)
    return false;

  // Sizes that the function doesn't know yet are learnt from the argument.
  for (size_t i = 0; i < operand.axes.size(); ++i) {
    const Dim found = *indices[operand.axes[i]].dim;
    const ast::Expr &axis = *parameter.type.shape[i];
    const auto *name = std::get_if<ast::NameRef>(&axis.node);
    std::optional<Dim> wanted;
    std::string_view source = "the function declares it";
    const Binding *known = nullptr;
    if (name && !callee.unit->findGlobal(name->name)) {
      auto place = callee.levels.front().find(name->name);
      if (place == callee.levels.front().end()) {
        Binding size;
        size.kind = Binding::Size;
        size.dim = found;
        size.range = argument.range;
        callee.levels.front()[name->name] = std::move(size);
        continue;
      }
      known = &place->second;
      if (known->kind == Binding::Size)
        wanted = known->dim;
      source = "another argument";
    }
    if (!wanted) {
      Frame *caller = std::exchange(frame, &callee);
      wanted = dimOf(axis);
      frame = caller;
      if (!wanted)
        return false;
    }
    if (*wanted == found)
      continue;
    std::string spelled(module.sources.text(axis.range));
    if (report(DiagId::E0608, argument.range,
               fmt::format("the axis `{}` of `{}` is {}, found {}", spelled, parameter.name.text,
                           spell(*wanted), spell(found))))
      module.note(known ? known->range : axis.range, fmt::format("{} here", source));
    return false;
  }

  Binding binding;
  std::string name = callee.prefix + parameter.name.text;
  SourceRange range = argument.range;
  if (operand.axes.empty() && nodeCount(*operand.body, kSmallScalar + 1) <= kSmallScalar) {
    binding.kind = Binding::Scalar;
    binding.scalar = std::move(operand.body);
  } else {
    binding = materialise(name, std::move(operand), range);
    if (binding.kind == Binding::Poison)
      return false;
  }
  binding.range = parameter.name.range;
  auto leak = [&](const std::shared_ptr<const Expr> &expr) {
    if (expr)
      for (int32_t var : freeIndices(*expr))
        if (!contains(callee.leaks, var))
          callee.leaks.push_back(var);
  };
  leak(binding.scalar);
  for (const auto &index : binding.leading)
    leak(index);
  callee.levels.front()[parameter.name.text] = std::move(binding);
  return true;
}

Operand FunctionSema::inlineCall(const ast::Function &called, const Unit &unit,
                                 const ast::Call &call, SourceRange range) {
  for (const Frame *at = frame; at; at = at->caller)
    if (at->function == &called) {
      if (report(DiagId::E0602, call.callee.range,
                 fmt::format("`{}` calls itself", called.name.text)))
        module.note(called.name.range, "declared here");
      return {};
    }
  if (call.arguments.size() != called.parameters.size()) {
    if (report(DiagId::E0601, range,
               fmt::format("`{}` takes {} argument{}, found {}", called.name.text,
                           called.parameters.size(), called.parameters.size() == 1 ? "" : "s",
                           call.arguments.size())))
      module.note(called.name.range, "declared here");
    return {};
  }

  if (!spend(kCostOfCall))
    return {};

  std::vector<Argument> arguments;
  bool good = true;
  for (const ast::ExprPtr &expr : call.arguments) {
    std::optional<Argument> argument = elaborateArgument(*expr);
    good &= argument.has_value();
    if (argument)
      arguments.push_back(std::move(*argument));
  }
  for (size_t i = 0; good && i < arguments.size(); ++i)
    good = fitArgument(arguments[i], called.parameters[i]);
  if (!good)
    return {};

  // All arguments that have axes in front have the same ones.
  std::vector<int32_t> batch;
  for (Argument &argument : arguments) {
    if (argument.batch.empty())
      continue;
    if (batch.empty())
      for (int32_t axis : argument.batch)
        batch.push_back(newIndex(indices[axis].name, indices[axis].dim, argument.range, ""));
    bool fits = batch.size() == argument.batch.size();
    for (size_t i = 0; fits && i < batch.size(); ++i)
      fits = indices[batch[i]].dim == indices[argument.batch[i]].dim;
    if (!fits) {
      report(DiagId::E0608, argument.range,
             fmt::format("this argument is mapped over {}, another one over {}",
                         spell(argument.batch), spell(batch)));
      return {};
    }
    std::map<int32_t, ExprPtr> replacements;
    for (size_t i = 0; i < batch.size(); ++i)
      replacements[argument.batch[i]] = ExprBuilder::index(batch[i], argument.range);
    argument.operand.body = substitute(*argument.operand.body, [&](int32_t var) -> const Expr * {
      auto found = replacements.find(var);
      return found == replacements.end() ? nullptr : found->second.get();
    });
  }

  Frame callee;
  callee.unit = &unit;
  callee.function = &called;
  callee.caller = frame;
  callee.call = range;
  callee.levels.emplace_back();
  callee.prefix = valueName(".");
  if (callee.prefix.size() > kLongestPrefix)
    callee.prefix = frame->prefix;
  for (size_t i = 0; i < arguments.size(); ++i)
    if (!bindArgument(callee, arguments[i], called.parameters[i]))
      return {};
  std::sort(callee.leaks.begin(), callee.leaks.end());
  frame = &callee;
  Operand result = runBody(called);
  frame = callee.caller;
  if (!result)
    return {};
  result.axes.insert(result.axes.begin(), batch.begin(), batch.end());
  result.body->range = range;
  return readResult(std::move(result), arguments, called, range);
}

Operand FunctionSema::readResult(Operand result, const std::vector<Argument> &arguments,
                                 const ast::Function &called, SourceRange range) {
  size_t rank = result.axes.size();
  if (rank == 0)
    return result;
  auto readAll = [&](const int32_t *first) {
    std::vector<ExprPtr> at;
    for (size_t i = 0; i < rank; ++i)
      at.push_back(ExprBuilder::index(first[i], range));
    return readAt(std::move(result), std::move(at), called.name.text, range);
  };
  for (const Argument &argument : arguments) {
    bool inScope = argument.indices.size() == rank;
    for (int32_t var : argument.indices)
      inScope &= contains(frame->bound, var);
    if (inScope && !argument.indices.empty())
      return readAll(argument.indices.data());
  }
  const std::vector<int32_t> &lhs = frame->lhs;
  if (lhs.size() >= rank) {
    std::vector<int32_t> free = freeIndices(*result.body);
    size_t front = lhs.size() - rank;
    bool mapped = std::all_of(lhs.begin(), lhs.begin() + static_cast<std::ptrdiff_t>(front),
                              [&](int32_t var) { return contains(free, var); });
    if (mapped)
      return readAll(lhs.data() + front);
  }
  return frame->wantScalar ? checkScalar(std::move(result),
                                         fmt::format("the result of `{}`", called.name.text), range)
                           : std::move(result);
}
