//===- Assertions.cpp - costs that a program promises ---------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `params(…)` is known once functions are checked: it is replaced by its value,
// and what remains is a formula of constants. `bytes_per_token(kv)` isn't known
// before the cache is derived, so such an assertion goes on into the program.
//
//===----------------------------------------------------------------------===//

#include "FunctionSema.h"
#include "WeightNames.h"

#include "../Suggestion.h"

#include <fmt/format.h>

using namespace heed;
using namespace heed::sema;

namespace {

constexpr std::string_view kParams = "params", kBytesPerToken = "bytes_per_token";

Relation translate(ast::BinaryOp op) {
  switch (op) {
  case ast::BinaryOp::Eq:
    return Relation::Equal;
  case ast::BinaryOp::Ne:
    return Relation::NotEqual;
  case ast::BinaryOp::Lt:
    return Relation::Less;
  case ast::BinaryOp::Le:
    return Relation::LessEqual;
  case ast::BinaryOp::Gt:
    return Relation::Greater;
  default:
    return Relation::GreaterEqual;
  }
}

/// The text of a range in one line.
std::string inOneLine(std::string_view text) {
  std::string line;
  for (char c : text) {
    bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!blank)
      line += c;
    else if (!line.ends_with(' '))
      line += ' ';
  }
  return line;
}

void collectWeights(const std::vector<program::Statement> &body, std::set<int32_t> &weights) {
  auto visit = [&](const Expr &expr) {
    if (const auto *read = std::get_if<program::ReadWeight>(&expr.node))
      weights.insert(read->weight);
  };
  for (const program::Statement &statement : body) {
    if (const auto *loop = std::get_if<program::Loop>(&statement.node)) {
      collectWeights(loop->body, weights);
      continue;
    }
    const auto &form = std::get<program::Define>(statement.node).form;
    if (const auto *map = std::get_if<program::Map>(&form))
      walk(*map->body, visit);
    else if (const auto *reduce = std::get_if<program::Reduce>(&form))
      walk(*reduce->body, visit);
    else if (const auto &mask = std::get<program::Softmax>(form).mask)
      walk(*mask, visit);
  }
}

class AssertionChecker {
public:
  AssertionChecker(Module &module, const Unit &unit, bool functionsAreGood)
      : module(module), unit(unit), functionsAreGood(functionsAreGood) {}

  void check(ast::Assert &assertion);

private:
  static const ast::Call *cacheCost(const ast::Expr &expr);
  bool checkCacheCost(const ast::Call &call, SourceRange range);
  std::optional<Cost> evaluate(ast::Expr &expr);
  /// Replaces each `params(…)` by its value; false where that is reported to be impossible.
  bool resolve(ast::Expr &expr);
  std::optional<int64_t> countParams(const ast::Call &call, SourceRange range);
  /// The weights that a name stands for; reports.
  std::optional<std::set<int32_t>> weightsOf(const std::string &name, SourceRange range);
  void reportUnknown(const std::string &name, SourceRange range);
  /// The elements of the distinct stored tensors; nothing where they exceed 64 bits.
  std::optional<int64_t> countElements(const std::set<int32_t> &weights) const;

  Module &module;
  const Unit &unit;
  bool functionsAreGood;
  std::map<std::string, int64_t, std::less<>> known; ///< what `params` gave for a name
};

} // namespace

void AssertionChecker::check(ast::Assert &assertion) {
  auto &condition = std::get<ast::Binary>(assertion.condition->node);
  SourceRange range = assertion.condition->range;
  const ast::Call *cacheLeft = cacheCost(*condition.lhs), *cacheRight = cacheCost(*condition.rhs);
  if (cacheLeft && cacheRight) {
    module.report(DiagId::E0314, range,
                  "`bytes_per_token` is on both sides; compare it with a constant");
    return;
  }
  std::optional<Cost> left = cacheLeft ? Cost() : evaluate(*condition.lhs);
  std::optional<Cost> right = cacheRight ? Cost() : evaluate(*condition.rhs);
  if (!left || !right)
    return;
  std::string text = inOneLine(module.sources.text(range));
  Relation relation = translate(condition.op);
  if (cacheLeft || cacheRight) {
    if (checkCacheCost(cacheLeft ? *cacheLeft : *cacheRight,
                       cacheLeft ? condition.lhs->range : condition.rhs->range))
      module.program.assertions.push_back(
          {std::move(text), range, relation, cacheLeft ? *right : *left, cacheLeft != nullptr});
  } else if (!holds(*left, relation, *right)) {
    module.report(DiagId::E0313, range, describeFailure(text, *left, *right));
  }
}

const ast::Call *AssertionChecker::cacheCost(const ast::Expr &expr) {
  const auto *call = std::get_if<ast::Call>(&expr.node);
  return call && call->callee.text == kBytesPerToken ? call : nullptr;
}

bool AssertionChecker::checkCacheCost(const ast::Call &call, SourceRange range) {
  const ast::Expr *argument = call.arguments.size() == 1 ? call.arguments[0].get() : nullptr;
  const auto *name = argument ? std::get_if<ast::NameRef>(&argument->node) : nullptr;
  if (name && name->name == "kv")
    return true;
  module.report(DiagId::E0314, argument ? argument->range : range,
                "`bytes_per_token` is known of the key/value cache; write `bytes_per_token(kv)`");
  return false;
}

std::optional<Cost> AssertionChecker::evaluate(ast::Expr &expr) {
  if (!resolve(expr))
    return std::nullopt;
  program::Function scratch;
  ExprPtr value = FunctionSema(module, scratch).evaluateGlobal(unit, expr);
  if (!value)
    return std::nullopt;
  if (std::optional<int64_t> integer = constantInteger(*value))
    return Cost(*integer);
  return Cost(*constantNumber(*value));
}

bool AssertionChecker::resolve(ast::Expr &expr) {
  if (auto *call = std::get_if<ast::Call>(&expr.node)) {
    if (call->callee.text == kBytesPerToken) {
      module.report(DiagId::E0314, expr.range,
                    "`bytes_per_token(kv)` isn't known before the cache is derived; it must stand "
                    "alone on one side");
      return false;
    }
    if (call->callee.text == kParams) {
      std::optional<int64_t> count = countParams(*call, expr.range);
      if (count)
        expr.node = ast::IntLiteral{*count};
      return count.has_value();
    }
    bool good = !call->fallback || resolve(*call->fallback);
    for (ast::ExprPtr &argument : call->arguments)
      good &= resolve(*argument);
    return good;
  }
  if (auto *unary = std::get_if<ast::Unary>(&expr.node))
    return resolve(*unary->operand);
  if (auto *binary = std::get_if<ast::Binary>(&expr.node)) {
    bool good = resolve(*binary->lhs);
    return resolve(*binary->rhs) && good;
  }
  if (auto *choice = std::get_if<ast::Conditional>(&expr.node)) {
    bool good = resolve(*choice->condition) && resolve(*choice->ifTrue);
    return good && resolve(*choice->ifFalse);
  }
  return true;
}

std::optional<int64_t> AssertionChecker::countParams(const ast::Call &call, SourceRange range) {
  if (call.arguments.size() != 1) {
    module.report(DiagId::E0601, range,
                  fmt::format("`params` takes 1 argument, the name of a weight or function, found "
                              "{}",
                              call.arguments.size()));
    return std::nullopt;
  }
  const ast::Expr &argument = *call.arguments[0];
  const auto *name = std::get_if<ast::NameRef>(&argument.node);
  if (!name) {
    module.report(DiagId::E0314, argument.range, "expected the name of a weight or function");
    return std::nullopt;
  }
  auto found = known.find(name->name);
  if (found != known.end())
    return found->second;
  std::optional<std::set<int32_t>> weights = weightsOf(name->name, argument.range);
  if (!weights)
    return std::nullopt;
  std::optional<int64_t> count = countElements(*weights);
  if (count)
    known[name->name] = *count;
  else
    module.report(DiagId::E0502, range, "the number of parameters exceeds 64 bits");
  return count;
}

std::optional<std::set<int32_t>> AssertionChecker::weightsOf(const std::string &name,
                                                             SourceRange range) {
  const Global *global = unit.findGlobal(name);
  if (global && global->kind == Global::Weight)
    return std::set<int32_t>{global->index};
  if (global && global->kind == Global::Poison)
    return std::nullopt;
  auto [function, owner] = unit.findFunction(name);
  if (!function) {
    if (!global)
      reportUnknown(name, range);
    else
      module.report(
          DiagId::E0314, range,
          fmt::format("expected the name of a weight or function, found the number `{}`", name));
    return std::nullopt;
  }
  if (owner == &unit && FunctionSema::isExported(unit, *function)) {
    std::set<int32_t> weights;
    for (const program::Function &checked : module.program.functions)
      if (checked.name == name)
        collectWeights(checked.body, weights);
    return functionsAreGood ? std::optional(weights) : std::nullopt;
  }
  if (module.report(DiagId::E0314, range,
                    fmt::format("the parameters of `{}` depend on its calls; ask for those of an "
                                "exported function",
                                name)))
    module.note(function->name.range, "not exported: not all of its sizes are declared in this "
                                      "file, or it has no tensor among its parameters");
  return std::nullopt;
}

void AssertionChecker::reportUnknown(const std::string &name, SourceRange range) {
  std::vector<std::string> candidates;
  for (const auto &entry : unit.globals)
    candidates.push_back(entry.first);
  for (const auto &entry : unit.functions)
    candidates.push_back(entry.first);
  module.report(DiagId::E0302, range,
                fmt::format("unknown name `{}`{}", name, suggestion(name, candidates)));
}

std::optional<int64_t> AssertionChecker::countElements(const std::set<int32_t> &weights) const {
  // Tied weights and substitutes are one tensor of the file; without a file, a weight has its own.
  std::set<std::string> tensors;
  int64_t total = 0;
  for (int32_t number : weights) {
    const program::Weight &weight = module.program.weights[number];
    int64_t elements = 1; // within 2^48, as was checked when the weight was declared
    for (int64_t extent : weight.shape)
      elements *= extent;
    int64_t layers = std::max<int64_t>(weight.layers, 1), stored = 0;
    if (!module.header) {
      stored = tensors.insert(weight.tensor).second ? layers : 0;
    } else {
      for (int64_t layer = 0; layer < layers; ++layer) {
        std::string tensor = tensorOfLayer(weight.tensor, layer);
        if (!module.header->tensor(tensor))
          tensor = tensorOfLayer(weight.fallback, layer);
        stored += tensors.insert(std::move(tensor)).second;
      }
    }
    int64_t added = 0;
    if (__builtin_mul_overflow(elements, stored, &added) ||
        __builtin_add_overflow(total, added, &total))
      return std::nullopt;
  }
  return total;
}

void Module::checkAssertions(bool functionsAreGood) {
  Unit &unit = units.front();
  AssertionChecker checker(*this, unit, functionsAreGood);
  for (ast::Declaration &declaration : unit.tree.declarations)
    if (auto *assertion = std::get_if<ast::Assert>(&declaration))
      checker.check(*assertion);
}
