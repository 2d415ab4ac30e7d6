//===- Reductions.cpp - sum, max, min and softmax -------------------------===//
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

/// What doesn't change a reduction's result.
ExprPtr identity(ReduceOp op, Element element, SourceRange range) {
  if (element == Element::I32) {
    int64_t value = op == ReduceOp::Sum ? 0 : op == ReduceOp::Max ? INT32_MIN : INT32_MAX;
    return ExprBuilder::integer(value, range);
  }
  double infinity = std::numeric_limits<double>::infinity();
  return ExprBuilder::number(op == ReduceOp::Sum   ? 0
                             : op == ReduceOp::Max ? -infinity
                                                   : infinity,
                             range);
}

bool contains(const std::vector<int32_t> &vars, int32_t var) {
  return std::find(vars.begin(), vars.end(), var) != vars.end();
}

std::string_view suffixOf(ast::Reduction kind) {
  switch (kind) {
  case ast::Reduction::Sum:
    return ".sum";
  case ast::Reduction::Max:
    return ".max";
  case ast::Reduction::Min:
    return ".min";
  case ast::Reduction::Softmax:
    break;
  }
  return ".softmax";
}

} // namespace

Operand FunctionSema::elaborateReduce(const ast::Reduce &reduce, SourceRange range) {
  std::optional<Binding> binding;
  if (reduce.kind == ast::Reduction::Softmax) {
    binding = elaborateSoftmax(reduce, nullptr, range);
  } else if (std::optional<Reduce> form = elaborateReduction(reduce, range)) {
    binding = define(valueName(suffixOf(reduce.kind)), {}, std::move(*form), range);
  }
  if (!binding)
    return {};
  return elaborateBinding(*binding, valueName(suffixOf(reduce.kind)), range);
}

std::optional<Reduce> FunctionSema::elaborateReduction(const ast::Reduce &reduce,
                                                       SourceRange range) {
  size_t outerBound = frame->bound.size();
  bool wasScalar = frame->wantScalar;
  frame->levels.emplace_back();
  frame->wantScalar = true;
  std::vector<int32_t> vars;
  bool good = bindIndices(reduce.indices, vars);
  inferRanges(*reduce.body, vars);
  if (reduce.mask)
    inferRanges(*reduce.mask, vars);
  ExprPtr body = elaborateScalar(*reduce.body);
  ExprPtr mask = reduce.mask ? elaborateScalar(*reduce.mask) : nullptr;
  good &= body && (mask || !reduce.mask);
  // An index that only a failed formula would have ranged isn't a mistake of its own.
  if (good)
    good = checkRanges(vars, reduce.indices);
  frame->levels.pop_back();
  frame->bound.resize(outerBound);
  frame->wantScalar = wasScalar;
  if (!good)
    return std::nullopt;

  Reduce form;
  form.op = reduce.kind == ast::Reduction::Sum   ? ReduceOp::Sum
            : reduce.kind == ast::Reduction::Max ? ReduceOp::Max
                                                 : ReduceOp::Min;
  if (body->element == Element::Bool) {
    report(DiagId::E0501, reduce.body->range, "expected a number, found a condition");
    return std::nullopt;
  }
  if (mask) {
    ExprPtr other = identity(form.op, body->element, range);
    body = build.select(std::move(mask), std::move(body), std::move(other), range);
    if (!body)
      return std::nullopt;
  }
  for (int32_t var : vars)
    form.vars.push_back({var, indices[var].name, indices[var].dim->extent});
  form.body = std::move(body);
  return form;
}

ValueId FunctionSema::tensorOver(const std::vector<int32_t> &axes, ExprPtr body,
                                 std::string_view suffix) {
  const auto *read = std::get_if<Read>(&body->node);
  bool direct = read && read->indices.size() == axes.size();
  for (size_t i = 0; direct && i < axes.size(); ++i) {
    const auto *plain = std::get_if<IndexValue>(&read->indices[i]->node);
    direct = plain && plain->var == axes[i] &&
             valueDims[read->tensor][i].extent == indices[axes[i]].dim->extent;
  }
  if (direct)
    return read->tensor;
  SourceRange range = body->range;
  return emit(valueName(suffix), axes, Map{std::move(body)}, Element::F32, range);
}

std::optional<Binding> FunctionSema::elaborateSoftmax(const ast::Reduce &reduce,
                                                      const std::vector<int32_t> *lhs,
                                                      SourceRange range) {
  const ast::Name &name = reduce.indices[0].name;
  const Binding *index = find(name.text);
  if (reduce.indices.size() != 1) {
    const ast::Name &second = reduce.indices[1].name;
    report(DiagId::E0505, second.range,
           fmt::format("softmax is over one index, found `{}` after `{}`; divide by a sum over "
                       "both instead",
                       second.text, name.text));
    return std::nullopt;
  }
  if (reduce.indices[0].extent) {
    report(DiagId::E0504, name.range,
           fmt::format("softmax keeps its index; write the range of `{}` where it is bound",
                       name.text));
    return std::nullopt;
  }
  if (!index || index->kind != Binding::Index) {
    if (!index || index->kind != Binding::Poison)
      report(DiagId::E0504, name.range,
             fmt::format("softmax keeps its index, so `{}` must stand on the left side or in an "
                         "enclosing reduction",
                         name.text));
    return std::nullopt;
  }
  int32_t var = index->value;
  ExprPtr body = elaborateScalar(*reduce.body);
  ExprPtr mask = reduce.mask ? elaborateScalar(*reduce.mask) : nullptr;
  ExprPtr sink = reduce.sink ? elaborateScalar(*reduce.sink) : nullptr;
  body = build.convert(std::move(body), Element::F32, "a score");
  if (!body || (reduce.mask && !mask) || (reduce.sink && !sink))
    return std::nullopt;
  if (mask && mask->element != Element::Bool) {
    report(DiagId::E0501, reduce.mask->range,
           fmt::format("expected a condition after `where`, found {}", describe(mask->element)));
    return std::nullopt;
  }
  if (mask && constantInteger(*mask) == 1)
    mask = nullptr; // everything is visible
  if (sink && !(sink = build.convert(std::move(sink), Element::F32, "a sink")))
    return std::nullopt;
  if (sink && contains(freeIndices(*sink), var)) {
    report(DiagId::E0507, reduce.sink->range,
           fmt::format("a sink is one more score for each row, found one that depends on the "
                       "softmax's index `{0}`; add what depends on `{0}` to the scores",
                       name.text));
    return std::nullopt;
  }
  if (std::vector<int32_t> over = mask ? freeIndices(*mask) : std::vector<int32_t>();
      !over.empty() && !contains(over, var)) {
    report(DiagId::E0506, reduce.mask->range,
           fmt::format("expected a mask over the softmax's index `{}`, found one over `{}` alone, "
                       "which hides whole rows",
                       name.text, indices[over.front()].name));
    return std::nullopt;
  }
  if (!indices[var].dim) {
    report(
        DiagId::E0304, name.range,
        fmt::format("nothing tells the range of `{}`; write it out where it is bound", name.text));
    return std::nullopt;
  }

  // The axes: what the left side says, and before it what else the formula needs.
  std::vector<int32_t> own = lhs ? *lhs : std::vector<int32_t>();
  std::vector<int32_t> axes;
  auto add = [&](int32_t free) {
    if (!contains(own, free) && !contains(axes, free))
      axes.push_back(free);
  };
  for (const Expr *expr : {body.get(), mask.get(), sink.get()})
    if (expr)
      for (int32_t free : freeIndices(*expr))
        add(free);
  add(var);
  std::sort(axes.begin(), axes.end());
  const std::vector<int32_t> leading = axes;
  axes.insert(axes.end(), own.begin(), own.end());

  Softmax form{var, tensorOver(axes, std::move(body), ".scores"), std::move(mask)};
  if (sink) {
    std::vector<int32_t> rows = axes;
    rows.erase(std::find(rows.begin(), rows.end(), var));
    form.sink = tensorOver(rows, std::move(sink), ".sink");
  }
  if (form.scores < 0 || (reduce.sink && form.sink < 0))
    return std::nullopt;
  Binding result = define(valueName(lhs ? "" : ".softmax"), axes, std::move(form), range);
  if (result.kind == Binding::Poison)
    return std::nullopt;
  for (int32_t free : leading)
    result.leading.push_back(ExprBuilder::index(free, range));
  return result;
}
