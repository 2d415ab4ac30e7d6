//===- ProgramEvaluator.h - what a checked program means, slowly ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs a Program in double precision, one element at a time, straight from the
// definitions of Program.h. Reads outside a tensor fail the test.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_FRONTEND_PROGRAMEVALUATOR_H
#define HEED_TEST_UNIT_FRONTEND_PROGRAMEVALUATOR_H

#include "heed/Frontend/Program.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace heed::test {

struct Tensor {
  std::vector<int64_t> shape;
  std::vector<double> data;

  double at(const std::vector<int64_t> &index) const {
    int64_t offset = 0;
    for (size_t i = 0; i < shape.size(); ++i) {
      EXPECT_GE(index.at(i), 0);
      EXPECT_LT(index.at(i), shape[i]);
      offset = offset * shape[i] + index[i];
    }
    return data.at(static_cast<size_t>(offset));
  }
};

class ProgramEvaluator {
public:
  /// `weights` by name, per-layer ones as "name.0", "name.1", …
  ProgramEvaluator(const program::Program &program, std::map<std::string, Tensor> weights)
      : program(program), weights(std::move(weights)) {}

  Tensor run(const program::Function &called, const std::vector<Tensor> &arguments,
             const std::vector<int64_t> &sizeValues) {
    function = &called;
    sizes = sizeValues;
    values.assign(called.values.size(), {});
    for (size_t i = 0; i < arguments.size(); ++i)
      values[called.params.at(i)] = arguments[i];
    run(called.body);
    return values[called.results.at(0)];
  }

private:
  int64_t length(const program::Extent &extent) const {
    return extent.isRuntime() ? sizes.at(extent.runtime) : extent.fixed;
  }

  /// Calls `body` for every value of the variables, the last one fastest.
  template <typename Body>
  void forEach(const std::vector<program::IndexVar> &vars, size_t first, Body body) {
    if (first == vars.size())
      return body();
    for (int64_t i = 0; i < length(vars[first].extent); ++i) {
      at[vars[first].id] = i;
      forEach(vars, first + 1, body);
    }
  }

  void run(const std::vector<program::Statement> &statements) {
    for (const program::Statement &statement : statements) {
      if (const auto *define = std::get_if<program::Define>(&statement.node))
        run(*define);
      else
        run(std::get<program::Loop>(statement.node));
    }
  }

  void run(const program::Loop &loop) {
    for (const auto &carried : loop.carried)
      values[carried.inside] = values[carried.init];
    for (int64_t round = 0; round < loop.count; ++round) {
      layers[loop.id] = round;
      run(loop.body);
      std::vector<Tensor> next;
      for (const auto &carried : loop.carried)
        next.push_back(values[carried.next]);
      for (size_t i = 0; i < loop.carried.size(); ++i)
        values[loop.carried[i].inside] = next[i];
    }
    for (const auto &carried : loop.carried)
      values[carried.result] = values[carried.inside];
  }

  void run(const program::Define &define) {
    Tensor result;
    for (const program::Extent &extent : function->values[define.result].shape)
      result.shape.push_back(length(extent));
    forEach(define.axes, 0, [&] {
      if (const auto *map = std::get_if<program::Map>(&define.form))
        result.data.push_back(evaluate(*map->body));
      else if (const auto *reduce = std::get_if<program::Reduce>(&define.form))
        result.data.push_back(run(*reduce));
      else
        result.data.push_back(run(std::get<program::Softmax>(define.form), define));
    });
    values[define.result] = std::move(result);
  }

  double run(const program::Reduce &reduce) {
    double total = reduce.op == program::ReduceOp::Sum   ? 0
                   : reduce.op == program::ReduceOp::Max ? -INFINITY
                                                         : INFINITY;
    forEach(reduce.vars, 0, [&] {
      double value = evaluate(*reduce.body);
      total = reduce.op == program::ReduceOp::Sum   ? total + value
              : reduce.op == program::ReduceOp::Max ? std::max(total, value)
                                                    : std::min(total, value);
    });
    return total;
  }

  double run(const program::Softmax &softmax, const program::Define &define) {
    std::vector<int64_t> index;
    size_t axis = 0;
    for (const program::IndexVar &var : define.axes) {
      if (var.id == softmax.var)
        axis = index.size();
      index.push_back(at.at(var.id));
    }
    auto score = [&](int64_t position) {
      std::vector<int64_t> place = index;
      place[axis] = position;
      at[softmax.var] = position;
      bool visible = !softmax.mask || evaluate(*softmax.mask) != 0;
      return visible ? values[softmax.scores].at(place) : -INFINITY;
    };
    double largest = -INFINITY, total = 0;
    int64_t count = length(define.axes[axis].extent);
    for (int64_t position = 0; position < count; ++position)
      largest = std::max(largest, score(position));
    if (softmax.sink >= 0) { // one more score of the row, without a place in the result
      std::vector<int64_t> row = index;
      row.erase(row.begin() + static_cast<std::ptrdiff_t>(axis));
      double sink = values[softmax.sink].at(row);
      largest = std::max(largest, sink);
      total = largest == -INFINITY ? 0 : std::exp(sink - largest);
    }
    for (int64_t position = 0; position < count; ++position)
      total += largest == -INFINITY ? 0 : std::exp(score(position) - largest);
    double own = score(index[axis]);
    return total == 0 ? 0 : std::exp(own - largest) / total;
  }

  std::vector<int64_t> evaluateAll(const std::vector<program::ExprPtr> &exprs) {
    std::vector<int64_t> result;
    for (const program::ExprPtr &expr : exprs)
      result.push_back(static_cast<int64_t>(evaluate(*expr)));
    return result;
  }

  double evaluate(const program::Expr &expr) {
    using namespace program;
    if (const auto *node = std::get_if<ConstFloat>(&expr.node))
      return node->value;
    if (const auto *node = std::get_if<ConstInt>(&expr.node))
      return static_cast<double>(node->value);
    if (const auto *node = std::get_if<IndexValue>(&expr.node))
      return static_cast<double>(at.at(node->var));
    if (const auto *node = std::get_if<SizeValue>(&expr.node))
      return static_cast<double>(sizes.at(node->size));
    if (const auto *node = std::get_if<LayerValue>(&expr.node))
      return static_cast<double>(layers.at(node->loop));
    if (const auto *node = std::get_if<Read>(&expr.node))
      return values.at(node->tensor).at(evaluateAll(node->indices));
    if (const auto *node = std::get_if<ReadWeight>(&expr.node)) {
      std::string name = this->program.weights.at(node->weight).name;
      if (node->layer)
        name += "." + std::to_string(static_cast<int64_t>(evaluate(*node->layer)));
      return weights.at(name).at(evaluateAll(node->indices));
    }
    if (const auto *node = std::get_if<Unary>(&expr.node))
      return evaluate(*node);
    if (const auto *node = std::get_if<Binary>(&expr.node))
      return evaluate(*node, node->lhs->element == Element::I32);
    if (const auto *node = std::get_if<Select>(&expr.node))
      return evaluate(evaluate(*node->condition) != 0 ? *node->ifTrue : *node->ifFalse);
    double operand = evaluate(*std::get<Cast>(expr.node).operand);
    return expr.element == Element::I32 ? std::trunc(operand) : operand;
  }

  double evaluate(const program::Unary &node) {
    using program::UnaryOp;
    double x = evaluate(*node.operand);
    switch (node.op) {
    case UnaryOp::Neg:
      return -x;
    case UnaryOp::Not:
      return x == 0;
    case UnaryOp::Exp:
      return std::exp(x);
    case UnaryOp::Log:
      return std::log(x);
    case UnaryOp::Sqrt:
      return std::sqrt(x);
    case UnaryOp::Rsqrt:
      return 1 / std::sqrt(x);
    case UnaryOp::Tanh:
      return std::tanh(x);
    case UnaryOp::Sin:
      return std::sin(x);
    case UnaryOp::Cos:
      return std::cos(x);
    case UnaryOp::Abs:
      return std::fabs(x);
    case UnaryOp::Floor:
      return std::floor(x);
    case UnaryOp::Ceil:
      return std::ceil(x);
    case UnaryOp::Erf:
      return std::erf(x);
    }
    return 0;
  }

  double evaluate(const program::Binary &node, bool integers) {
    using program::BinaryOp;
    double a = evaluate(*node.lhs), b = evaluate(*node.rhs);
    switch (node.op) {
    case BinaryOp::Add:
      return a + b;
    case BinaryOp::Sub:
      return a - b;
    case BinaryOp::Mul:
      return a * b;
    case BinaryOp::Div:
      return integers ? std::floor(a / b) : a / b;
    case BinaryOp::Mod:
      return a - b * std::floor(a / b);
    case BinaryOp::Pow:
      return std::pow(a, b);
    case BinaryOp::Min:
      return std::min(a, b);
    case BinaryOp::Max:
      return std::max(a, b);
    case BinaryOp::Eq:
      return a == b;
    case BinaryOp::Ne:
      return a != b;
    case BinaryOp::Lt:
      return a < b;
    case BinaryOp::Le:
      return a <= b;
    case BinaryOp::Gt:
      return a > b;
    case BinaryOp::Ge:
      return a >= b;
    case BinaryOp::And:
      return a != 0 && b != 0;
    case BinaryOp::Or:
      return a != 0 || b != 0;
    }
    return 0;
  }

  const program::Program &program;
  const program::Function *function = nullptr;
  std::map<std::string, Tensor> weights;
  std::vector<int64_t> sizes;
  std::vector<Tensor> values;
  std::map<int32_t, int64_t> at, layers;
};

} // namespace heed::test

#endif // HEED_TEST_UNIT_FRONTEND_PROGRAMEVALUATOR_H
