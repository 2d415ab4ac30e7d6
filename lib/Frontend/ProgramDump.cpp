//===- ProgramDump.cpp - a readable listing of a checked program ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Frontend/Frontend.h"

#include <fmt/format.h>

#include <array>
#include <map>
#include <set>

using namespace heed;
using namespace heed::program;

namespace {

constexpr std::array<std::string_view, 13> kUnary = {
    "-", "!", "exp", "log", "sqrt", "rsqrt", "tanh", "sin", "cos", "abs", "floor", "ceil", "erf"};
constexpr std::array<std::string_view, 16> kBinary = {
    "+", "-", "*", "/", "%", "**", "min", "max", "==", "!=", "<", "<=", ">", ">=", "&&", "||"};
constexpr std::array<std::string_view, 3> kReduce = {"sum", "max", "min"};

std::string_view spell(Element element) {
  switch (element) {
  case Element::F32:
    return "float";
  case Element::I32:
    return "int";
  case Element::Bool:
    return "bool";
  }
  return "";
}

/// Lists one function. Where names repeat (`E` after each `+=`), a number tells them apart.
class FunctionDumper {
public:
  FunctionDumper(const Program &program, const Function &function)
      : program(program), function(function) {
    std::map<std::string, int> seen;
    for (const Value &value : function.values) {
      int round = seen[value.name]++;
      names.push_back(round == 0 ? value.name : fmt::format("{}'{}", value.name, round));
    }
  }

  std::string run() {
    std::string params;
    for (ValueId param : function.params)
      params += fmt::format("{}{}: {}", params.empty() ? "" : ", ", names[param], type(param));
    line(fmt::format("fn {}({})", function.name, params));
    ++indent;
    for (const RuntimeSize &size : function.sizes)
      line(size.bound ? fmt::format("size {} <= {}", size.name, size.bound)
                      : fmt::format("size {}", size.name));
    dump(function.body);
    for (ValueId result : function.results)
      line(fmt::format("return {}: {}", names[result], type(result)));
    return std::move(out);
  }

private:
  void line(std::string_view text) {
    out.append(2 * size_t(indent), ' ');
    out += text;
    out += '\n';
  }

  std::string extent(const Extent &extent) const {
    return extent.isRuntime() ? function.sizes[extent.runtime].name
                              : fmt::format("{}", extent.fixed);
  }

  std::string type(ValueId id) const {
    const Value &value = function.values[id];
    std::string text(spell(value.element));
    std::string axes;
    for (const Extent &axis : value.shape)
      axes += (axes.empty() ? "" : ", ") + extent(axis);
    return value.shape.empty() ? text : fmt::format("{}[{}]", text, axes);
  }

  std::string bindings(const std::vector<IndexVar> &vars) {
    std::string text;
    for (const IndexVar &var : vars) {
      std::string name = var.name.empty() ? "a" : var.name;
      while (!usedNames.insert(name).second)
        name += '\'';
      indexNames[var.id] = name;
      text += fmt::format("{}{} < {}", text.empty() ? "" : ", ", name, extent(var.extent));
    }
    return text;
  }

  std::string list(const std::vector<ExprPtr> &exprs) const {
    std::string text;
    for (const ExprPtr &expr : exprs)
      text += (text.empty() ? "" : ", ") + show(*expr);
    return exprs.empty() ? "" : fmt::format("[{}]", text);
  }

  std::string show(const Expr &expr) const {
    if (const auto *node = std::get_if<ConstFloat>(&expr.node))
      return fmt::format("{:.9g}f", node->value);
    if (const auto *node = std::get_if<ConstInt>(&expr.node))
      return expr.element == Element::Bool ? (node->value ? "true" : "false")
                                           : fmt::format("{}", node->value);
    if (const auto *node = std::get_if<IndexValue>(&expr.node)) {
      auto found = indexNames.find(node->var);
      return found == indexNames.end() ? fmt::format("<index {}>", node->var) : found->second;
    }
    if (const auto *node = std::get_if<SizeValue>(&expr.node))
      return function.sizes[node->size].name;
    if (const auto *node = std::get_if<LayerValue>(&expr.node))
      return loopNames.at(node->loop);
    if (const auto *node = std::get_if<Read>(&expr.node))
      return names[node->tensor] + list(node->indices);
    if (const auto *node = std::get_if<ReadWeight>(&expr.node)) {
      std::string layer = node->layer ? fmt::format("[{}]", show(*node->layer)) : "";
      return program.weights[node->weight].name + layer + list(node->indices);
    }
    if (const auto *node = std::get_if<Unary>(&expr.node)) {
      std::string_view op = kUnary[size_t(node->op)];
      return op.size() == 1 ? fmt::format("({}{})", op, show(*node->operand))
                            : fmt::format("{}({})", op, show(*node->operand));
    }
    if (const auto *node = std::get_if<Binary>(&expr.node)) {
      std::string_view op = kBinary[size_t(node->op)];
      return node->op == BinaryOp::Min || node->op == BinaryOp::Max
                 ? fmt::format("{}({}, {})", op, show(*node->lhs), show(*node->rhs))
                 : fmt::format("({} {} {})", show(*node->lhs), op, show(*node->rhs));
    }
    if (const auto *node = std::get_if<Select>(&expr.node))
      return fmt::format("(if {} then {} else {})", show(*node->condition), show(*node->ifTrue),
                         show(*node->ifFalse));
    return fmt::format("{}({})", spell(expr.element), show(*std::get<Cast>(expr.node).operand));
  }

  void dump(const Define &define) {
    indexNames.clear();
    usedNames.clear();
    std::string axes = bindings(define.axes);
    std::string form;
    if (const auto *map = std::get_if<Map>(&define.form)) {
      form = show(*map->body);
    } else if (const auto *reduce = std::get_if<Reduce>(&define.form)) {
      std::string vars = bindings(reduce->vars);
      form = fmt::format("{}[{}] {}", kReduce[size_t(reduce->op)], vars, show(*reduce->body));
    } else {
      const auto &softmax = std::get<Softmax>(define.form);
      form = fmt::format("softmax[{}] {}", indexNames.at(softmax.var), names[softmax.scores]);
      if (softmax.mask)
        form += fmt::format(" where {}", show(*softmax.mask));
      if (softmax.sink >= 0)
        form += fmt::format(" with {}", names[softmax.sink]);
    }
    line(fmt::format("{}{} = {}", names[define.result],
                     axes.empty() ? "" : fmt::format("[{}]", axes), form));
  }

  void dump(const Loop &loop) {
    loopNames[loop.id] = loop.name;
    line(fmt::format("for {} < {}", loop.name, loop.count));
    ++indent;
    for (const Loop::Carried &carried : loop.carried)
      line(fmt::format("carry {} = {}", names[carried.inside], names[carried.init]));
    dump(loop.body);
    for (const Loop::Carried &carried : loop.carried)
      line(fmt::format("next {} = {}", names[carried.result], names[carried.next]));
    --indent;
  }

  void dump(const std::vector<Statement> &statements) {
    for (const Statement &statement : statements)
      std::visit([this](const auto &node) { dump(node); }, statement.node);
  }

  const Program &program;
  const Function &function;
  std::vector<std::string> names;
  std::map<int32_t, std::string> indexNames, loopNames;
  std::set<std::string> usedNames;
  std::string out;
  unsigned indent = 0;
};

} // namespace

std::string heed::dumpProgram(const Program &program) {
  std::string out = fmt::format("program {}\n", program.name);
  for (const Weight &weight : program.weights) {
    std::string storages;
    for (StorageType type : allStorageTypes)
      if (weight.storages.contains(type))
        storages.append(storages.empty() ? "" : "|").append(storageInfo(type).name);
    out += fmt::format("weight {}: {}[{}] = \"{}\"", weight.name, storages,
                       fmt::join(weight.shape, ", "), weight.tensor);
    if (!weight.fallback.empty())
      out += fmt::format(" else \"{}\"", weight.fallback);
    if (weight.layers)
      out += fmt::format(" for l < {}", weight.layers);
    out += '\n';
  }
  for (const Function &function : program.functions)
    out += FunctionDumper(program, function).run();
  for (const Assertion &assertion : program.assertions)
    out += fmt::format("assert {}\n", assertion.condition);
  return out;
}
