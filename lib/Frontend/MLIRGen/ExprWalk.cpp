//===- ExprWalk.cpp - visits every expression of an expression ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ExprWalk.h"

namespace heed::mlirgen {

using Visit = llvm::function_ref<void(const program::Expr &)>;

void walk(const program::Expr &expr, Visit visit) {
  visit(expr);
  if (auto *read = std::get_if<program::Read>(&expr.node)) {
    for (const program::ExprPtr &index : read->indices)
      walk(*index, visit);
  } else if (auto *read = std::get_if<program::ReadWeight>(&expr.node)) {
    if (read->layer)
      walk(*read->layer, visit);
    for (const program::ExprPtr &index : read->indices)
      walk(*index, visit);
  } else if (auto *unary = std::get_if<program::Unary>(&expr.node)) {
    walk(*unary->operand, visit);
  } else if (auto *binary = std::get_if<program::Binary>(&expr.node)) {
    walk(*binary->lhs, visit);
    walk(*binary->rhs, visit);
  } else if (auto *select = std::get_if<program::Select>(&expr.node)) {
    walk(*select->condition, visit);
    walk(*select->ifTrue, visit);
    walk(*select->ifFalse, visit);
  } else if (auto *cast = std::get_if<program::Cast>(&expr.node)) {
    walk(*cast->operand, visit);
  }
}

static void walk(const program::Define &define, Visit visit) {
  if (auto *map = std::get_if<program::Map>(&define.form)) {
    walk(*map->body, visit);
  } else if (auto *reduce = std::get_if<program::Reduce>(&define.form)) {
    walk(*reduce->body, visit);
  } else if (auto *softmax = std::get_if<program::Softmax>(&define.form)) {
    if (softmax->mask)
      walk(*softmax->mask, visit);
  }
}

void walk(const std::vector<program::Statement> &body, Visit visit) {
  for (const program::Statement &statement : body) {
    if (auto *loop = std::get_if<program::Loop>(&statement.node))
      walk(loop->body, visit);
    else
      walk(std::get<program::Define>(statement.node), visit);
  }
}

} // namespace heed::mlirgen
