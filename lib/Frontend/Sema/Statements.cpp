//===- Statements.cpp - assignments, loops, decided branches --------------===//
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

/// Formulas larger than this are given a name when a function returns them, so that nested calls
/// don't pile up one expression of any depth.
constexpr size_t kLargestInline = 64;

/// The names that a block assigns, in the order of their first assignment.
void assignedNames(const ast::Block &block, std::vector<ast::Name> &names) {
  for (const ast::Statement &statement : block) {
    if (const auto *assign = std::get_if<ast::Assign>(&statement.node)) {
      names.push_back(assign->target);
    } else if (const auto *loop = std::get_if<ast::For>(&statement.node)) {
      assignedNames(loop->body, names);
    } else if (const auto *branch = std::get_if<ast::If>(&statement.node)) {
      assignedNames(branch->ifTrue, names);
      assignedNames(branch->ifFalse, names);
    }
  }
}

bool isTensorLike(Binding::Kind kind) {
  return kind == Binding::Tensor || kind == Binding::Scalar || kind == Binding::Weight;
}

} // namespace

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

Operand FunctionSema::runBody(const ast::Function &tree) {
  const ast::Block &body = tree.body;
  const ast::Return *result = body.empty() ? nullptr : std::get_if<ast::Return>(&body.back().node);
  bool returnsEarly = false;
  for (const ast::Statement &statement : body) {
    if (result && &statement == &body.back())
      return runReturn(*result);
    if (const auto *early = std::get_if<ast::Return>(&statement.node)) {
      report(DiagId::E0605, early->value->range, "`return` must be the function's last statement");
      returnsEarly = true;
    } else if (const auto *assign = std::get_if<ast::Assign>(&statement.node))
      runAssign(*assign);
    else if (const auto *loop = std::get_if<ast::For>(&statement.node))
      runFor(*loop);
    else
      runIf(std::get<ast::If>(statement.node));
  }
  if (!returnsEarly)
    report(DiagId::E0604, tree.closing, fmt::format("`{}` ends without `return`", tree.name.text));
  return {};
}

void FunctionSema::runBlock(const ast::Block &block) {
  for (const ast::Statement &statement : block) {
    if (const auto *result = std::get_if<ast::Return>(&statement.node))
      report(DiagId::E0605, result->value->range,
             "`return` must be the function's last statement; it can't stand in a block");
    else if (const auto *assign = std::get_if<ast::Assign>(&statement.node))
      runAssign(*assign);
    else if (const auto *loop = std::get_if<ast::For>(&statement.node))
      runFor(*loop);
    else
      runIf(std::get<ast::If>(statement.node));
  }
}

Operand FunctionSema::runReturn(const ast::Return &result) {
  const ast::Type &type = frame->function->result;
  frame->target = frame->caller ? "result" : frame->function->name.text;
  frame->wantScalar = false;
  Operand operand = elaborate(*result.value);
  if (!operand)
    return {};
  std::vector<Dim> declared;
  for (const ast::ExprPtr &expr : type.shape) {
    std::optional<Dim> dim = dimOf(*expr);
    if (!dim)
      return {};
    declared.push_back(std::move(*dim));
  }
  bool fits = declared.size() == operand.axes.size();
  for (size_t i = 0; fits && i < declared.size(); ++i)
    fits = indices[operand.axes[i]].dim == declared[i];
  if (!fits) {
    std::vector<int32_t> axes;
    for (const Dim &dim : declared)
      axes.push_back(newIndex("", dim, type.range, ""));
    if (report(DiagId::E0311, result.value->range,
               fmt::format("`{}` returns {}, found {}", frame->function->name.text, spell(axes),
                           spell(operand.axes))) &&
        type.shaped)
      module.note(type.range, "declared here");
    return {};
  }
  Element element = type.element == ast::Element::Int ? Element::I32 : Element::F32;
  operand.body = build.convert(std::move(operand.body), element, "the result");
  if (operand && nodeCount(*operand.body, kLargestInline + 1) > kLargestInline) {
    Binding binding = materialise(valueName(), std::move(operand), result.value->range);
    return elaborateBinding(binding, frame->target, result.value->range);
  }
  return operand;
}

std::optional<bool> FunctionSema::decide(const ast::Expr &condition) {
  ExprPtr value = elaborateScalar(condition);
  if (!value)
    return std::nullopt;
  std::optional<int64_t> known = constantInteger(*value);
  if (known && value->element == Element::Bool)
    return *known != 0;
  if (value->element == Element::Bool)
    report(DiagId::E0503, condition.range,
           "the condition isn't known when the program is compiled; choose by element with `if … "
           "then … else …` in a formula");
  else
    report(DiagId::E0501, condition.range,
           fmt::format("expected a condition, found {}", describe(value->element)));
  return std::nullopt;
}

void FunctionSema::runIf(const ast::If &branch) {
  std::optional<bool> decided = decide(*branch.condition);
  if (decided) {
    runBlock(*decided ? branch.ifTrue : branch.ifFalse);
    return;
  }
  // What either branch would have defined is unknown now, and that is reported.
  std::vector<ast::Name> names;
  assignedNames(branch.ifTrue, names);
  assignedNames(branch.ifFalse, names);
  for (const ast::Name &name : names)
    bind(name.text, {});
}

//===----------------------------------------------------------------------===//
// Assignments
//===----------------------------------------------------------------------===//

void FunctionSema::runAssign(const ast::Assign &assign) {
  if (!spend())
    return;
  const Binding *old = find(assign.target.text);
  if (old ? old->kind != Binding::Poison && !isTensorLike(old->kind)
          : frame->unit->findGlobal(assign.target.text) != nullptr) {
    declareFresh(assign.target); // reports what the name means
    return;
  }
  if (assign.add && !old) {
    reportUnknown(assign.target.text, assign.target.range);
    bind(assign.target.text, {});
    return;
  }
  frame->target = assign.target.text;
  if (assign.indexed)
    assignIndexed(assign);
  else
    assignWhole(assign);
}

void FunctionSema::assignIndexed(const ast::Assign &assign) {
  Binding result;
  auto firstNew = static_cast<ValueId>(function.values.size());
  std::optional<Binding> old;
  if (const Binding *found = find(assign.target.text); found && assign.add)
    old = *found;
  frame->levels.emplace_back();
  frame->wantScalar = true;
  std::vector<int32_t> vars;
  bool good = bindIndices(assign.indices, vars);
  frame->lhs = vars;
  if (good && old && old->kind != Binding::Poison) {
    std::vector<Dim> dims = old->kind == Binding::Scalar ? std::vector<Dim>() : visibleDims(*old);
    if (dims.size() != vars.size()) {
      report(DiagId::E0305, assign.target.range,
             fmt::format("`{}` is a tensor of rank {}, found indices for rank {}",
                         assign.target.text, dims.size(), vars.size()));
      good = false;
    }
    for (size_t i = 0; good && i < dims.size(); ++i)
      unify(vars[i], dims[i], {assign.indices[i].name.range, assign.target.text});
  }
  inferRanges(*assign.value, vars);

  const auto *reduce = std::get_if<ast::Reduce>(&assign.value->node);
  bool poisoned = old && old->kind == Binding::Poison;
  if (reduce && !assign.add && reduce->kind == ast::Reduction::Softmax) {
    std::optional<Binding> softmax = elaborateSoftmax(*reduce, &vars, assign.value->range);
    if (softmax && good && checkRanges(vars, assign.indices))
      result = std::move(*softmax);
  } else if (reduce && !assign.add) {
    std::optional<Reduce> form = elaborateReduction(*reduce, assign.value->range);
    if (form && good && checkRanges(vars, assign.indices))
      result = define(valueName(), vars, std::move(*form), assign.target.range);
  } else {
    Operand operand = checkScalar(elaborate(*assign.value), "the formula", assign.value->range);
    if (operand && old && good && !poisoned) {
      frame->wantScalar = false;
      Operand before = elaborateBinding(*old, assign.target.text, assign.target.range);
      std::vector<ExprPtr> at;
      for (int32_t var : vars)
        at.push_back(ExprBuilder::index(var, assign.target.range));
      before = readAt(std::move(before), std::move(at), assign.target.text, assign.target.range);
      operand =
          elementwise(BinaryOp::Add, std::move(before), std::move(operand), assign.value->range);
    }
    if (operand && good && !poisoned && checkRanges(vars, assign.indices))
      result = defineOrName(vars, std::move(operand.body), firstNew, assign);
  }
  frame->wantScalar = false;
  frame->lhs.clear();
  frame->bound.clear();
  frame->levels.pop_back();
  result.range = assign.target.range;
  bind(assign.target.text, std::move(result));
}

Binding FunctionSema::defineOrName(const std::vector<int32_t> &vars, ExprPtr body, ValueId firstNew,
                                   const ast::Assign &assign) {
  // A call's result that is read at just these indices needs a name, not a copy.
  const auto *read = std::get_if<Read>(&body->node);
  Define *define = nullptr;
  if (read && read->tensor >= firstNew && !sink->empty())
    define = std::get_if<Define>(&sink->back().node);
  bool same = define && define->result == read->tensor && read->indices.size() >= vars.size();
  size_t lead = same ? read->indices.size() - vars.size() : 0;
  for (size_t i = 0; same && i < vars.size(); ++i) {
    const auto *index = std::get_if<IndexValue>(&read->indices[lead + i]->node);
    same = index && index->var == vars[i] &&
           indices[vars[i]].dim->extent == define->axes[lead + i].extent;
  }
  if (!same)
    return this->define(valueName(), vars, Map{std::move(body)}, assign.target.range);
  for (size_t i = 0; i < vars.size(); ++i)
    define->axes[lead + i].name = indices[vars[i]].name;
  function.values[read->tensor].name = valueName();
  return materialise(valueName(), {vars, std::move(body)}, assign.target.range);
}

void FunctionSema::assignWhole(const ast::Assign &assign) {
  Binding result;
  auto firstNew = static_cast<ValueId>(function.values.size());
  frame->wantScalar = false;
  Operand operand = elaborate(*assign.value);
  if (operand && assign.add) {
    const Binding old = *find(assign.target.text);
    Operand before = old.kind == Binding::Poison
                         ? Operand()
                         : elaborateBinding(old, assign.target.text, assign.target.range);
    size_t rank = before.axes.size();
    if (before && operand.axes.size() > rank) {
      report(DiagId::E0311, assign.value->range,
             fmt::format("`{}` is {}, found {}", assign.target.text, spell(before.axes),
                         spell(operand.axes)));
      before = {};
    }
    operand = before ? elementwise(BinaryOp::Add, std::move(before), std::move(operand),
                                   assign.value->range)
                     : Operand();
  }
  if (operand && operand.axes.empty() && constantNumber(*operand.body) &&
      operand.body->element != Element::Bool) {
    result.kind = Binding::Scalar;
    result.scalar = std::move(operand.body);
  } else if (operand) {
    result = materialise(valueName(), std::move(operand), assign.target.range);
    if (result.kind == Binding::Tensor && result.value >= firstNew)
      function.values[result.value].name = valueName();
  }
  result.range = assign.target.range;
  bind(assign.target.text, std::move(result));
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void FunctionSema::runFor(const ast::For &tree) {
  if (!spend())
    return;
  std::optional<Dim> count = dimOf(*tree.count);
  if (count && count->extent.isRuntime()) {
    report(DiagId::E0308, tree.count->range,
           fmt::format("`{}` is known at run time only; the number of rounds must be known when "
                       "the program is compiled",
                       count->spelling));
    count.reset();
  }
  bool fresh = declareFresh(tree.variable);
  Loop loop;
  loop.id = loops++;
  loop.name = tree.variable.text;
  loop.count = count ? count->extent.fixed : 1;
  loop.range = tree.variable.range;
  loopCounts[loop.id] = loop.count;

  std::vector<ast::Name> assigned;
  assignedNames(tree.body, assigned);
  struct Candidate {
    ast::Name name;
    Loop::Carried carried;
    Binding inside;
  };
  std::vector<Candidate> candidates;
  std::map<std::string, Binding, std::less<>> inner;
  for (const ast::Name &name : assigned) {
    const Binding *outer = find(name.text);
    if (!outer || !isTensorLike(outer->kind) || inner.count(name.text))
      continue;
    Binding copy = *outer; // defining may move what `outer` points to
    std::optional<Binding> init = materialiseFully(frame->prefix + name.text, copy, copy.range);
    if (!init) {
      inner[name.text] = {};
      continue;
    }
    std::vector<int32_t> axes;
    for (const Dim &dim : valueDims[init->value])
      axes.push_back(newIndex("", dim, init->range, name.text));
    Binding inside = *init;
    inside.value = newValue(frame->prefix + name.text, function.values[init->value].element, axes,
                            init->range);
    inner[name.text] = inside;
    candidates.push_back({name, {init->value, inside.value, -1, -1}, inside});
  }

  if (fresh) {
    Binding variable;
    variable.kind = Binding::Layer;
    variable.value = loop.id;
    variable.range = tree.variable.range;
    inner[tree.variable.text] = std::move(variable);
  }
  frame->levels.push_back(std::move(inner));
  std::vector<Statement> *outerSink = sink;
  sink = &loop.body;
  runBlock(tree.body);

  for (Candidate &candidate : candidates) {
    Binding next = *find(candidate.name.text);
    const std::vector<Dim> before = visibleDims(candidate.inside);
    const Element element = function.values[candidate.inside.value].element;
    if (next.kind == Binding::Poison)
      continue;
    std::vector<Dim> after = next.kind == Binding::Scalar ? std::vector<Dim>() : visibleDims(next);
    std::optional<Binding> full =
        materialiseFully(frame->prefix + candidate.name.text, next, next.range);
    if (!full)
      continue;
    if (after != before || function.values[full->value].element != element) {
      auto shapeOf = [&](const std::vector<Dim> &dims) {
        std::vector<int32_t> axes;
        for (const Dim &dim : dims)
          axes.push_back(newIndex("", dim, next.range, ""));
        return spell(axes);
      };
      if (report(DiagId::E0607, next.range,
                 fmt::format("`{}` enters the loop as {} and leaves a round as {}",
                             candidate.name.text, shapeOf(before), shapeOf(after))))
        module.note(candidate.inside.range, "it gets its shape before the loop here");
      continue;
    }
    candidate.carried.next = full->value;
  }
  sink = outerSink;
  frame->levels.pop_back();

  for (Candidate &candidate : candidates) {
    Binding after;
    after.range = candidate.inside.range;
    if (candidate.carried.next >= 0) {
      std::vector<int32_t> axes;
      for (const Dim &dim : valueDims[candidate.inside.value])
        axes.push_back(newIndex("", dim, candidate.inside.range, candidate.name.text));
      after = candidate.inside;
      after.value =
          newValue(frame->prefix + candidate.name.text,
                   function.values[candidate.inside.value].element, axes, candidate.inside.range);
      candidate.carried.result = after.value;
      loop.carried.push_back(candidate.carried);
    }
    bind(candidate.name.text, std::move(after));
  }
  sink->push_back({std::move(loop)});
}
