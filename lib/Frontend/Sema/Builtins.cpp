//===- Builtins.cpp - the functions that the language has -----------------===//
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
using namespace heed::program;

namespace {

struct UnaryBuiltin {
  std::string_view name;
  UnaryOp op;
};

constexpr UnaryBuiltin kUnary[] = {
    {"exp", UnaryOp::Exp},     {"log", UnaryOp::Log},   {"sqrt", UnaryOp::Sqrt},
    {"rsqrt", UnaryOp::Rsqrt}, {"tanh", UnaryOp::Tanh}, {"sin", UnaryOp::Sin},
    {"cos", UnaryOp::Cos},     {"abs", UnaryOp::Abs},   {"floor", UnaryOp::Floor},
    {"ceil", UnaryOp::Ceil},   {"erf", UnaryOp::Erf},
};

} // namespace

Operand FunctionSema::elaborateBuiltin(const ast::Call &call, SourceRange range, bool &known) {
  const std::string &name = call.callee.text;
  known = true;
  if (name == "meta")
    return elaborateMeta(call, range);
  if (name == "extent")
    return elaborateExtent(call, range);
  const UnaryBuiltin *unary = nullptr;
  for (const UnaryBuiltin &entry : kUnary)
    if (entry.name == name)
      unary = &entry;
  bool cast = name == "int" || name == "float";
  bool extremum = name == "min" || name == "max";
  known = unary || cast || extremum;
  if (!known)
    return {};
  if (extremum ? call.arguments.size() < 2 : call.arguments.size() != 1) {
    report(DiagId::E0601, range,
           fmt::format("`{}` takes {}, found {}", name,
                       extremum ? "two or more arguments" : "1 argument", call.arguments.size()));
    return {};
  }
  Operand result = elaborate(*call.arguments[0]);
  for (size_t i = 1; i < call.arguments.size(); ++i)
    result = elementwise(name == "min" ? BinaryOp::Min : BinaryOp::Max, std::move(result),
                         elaborate(*call.arguments[i]), range);
  if (unary)
    result.body = build.unary(unary->op, std::move(result.body), range);
  else if (cast)
    result.body =
        build.cast(std::move(result.body), name == "int" ? Element::I32 : Element::F32, range);
  return result;
}

Operand FunctionSema::elaborateMeta(const ast::Call &call, SourceRange range) {
  const auto *key = call.arguments.size() == 1
                        ? std::get_if<ast::StringLiteral>(&call.arguments[0]->node)
                        : nullptr;
  if (!key) {
    report(DiagId::E0601, range, "`meta` takes one string, a key of the weights file's header");
    return {};
  }
  std::optional<ModelHeader::Value> value;
  if (module.header)
    value = module.header->meta(key->value);
  if (!value) {
    if (call.fallback)
      return elaborate(*call.fallback);
    if (!module.header)
      module.reportNoHeader(range, "`meta` reads a weights file, and none is given; name one with "
                                   "--weights FILE, or give a default: `meta(…) else 8`");
    else
      report(DiagId::E0402, call.arguments[0]->range,
             fmt::format("{} has no number or string `{}`{}", module.header->path(), key->value,
                         suggestion(key->value, module.header->keys())));
    return {};
  }
  if (const auto *integer = std::get_if<int64_t>(&*value))
    return {{}, ExprBuilder::integer(*integer, range)};
  if (const auto *number = std::get_if<double>(&*value))
    return {{}, ExprBuilder::number(*number, range)};
  report(DiagId::E0501, range,
         fmt::format("expected a number, found a string: `{}` is \"{}\"", key->value,
                     std::get<std::string>(*value).substr(0, 80)));
  return {};
}

Operand FunctionSema::elaborateExtent(const ast::Call &call, SourceRange range) {
  const auto *name = call.arguments.size() == 2
                         ? std::get_if<ast::StringLiteral>(&call.arguments[0]->node)
                         : nullptr;
  if (!name) {
    report(DiagId::E0601, range,
           "`extent` takes the name of a stored tensor and the number of an axis, 0 for the "
           "contiguous one");
    return {};
  }
  ExprPtr axis = elaborateScalar(*call.arguments[1]);
  if (!axis)
    return {};
  if (!module.header) {
    module.reportNoHeader(
        range, "`extent` reads a weights file, and none is given; name one with --weights FILE");
    return {};
  }
  std::optional<TensorHeader> tensor = module.header->tensor(name->value);
  if (!tensor) {
    report(DiagId::E0403, call.arguments[0]->range,
           fmt::format("{} has no tensor `{}`{}", module.header->path(), name->value,
                       suggestion(name->value, module.header->names())));
    return {};
  }
  std::optional<int64_t> number = constantInteger(*axis);
  auto rank = static_cast<int64_t>(tensor->shape.size());
  if (!number || *number < 0 || *number >= rank) {
    report(DiagId::E0306, call.arguments[1]->range,
           fmt::format("`{}` has {} ax{}, numbered from 0 for the contiguous one", name->value,
                       rank, rank == 1 ? "is" : "es"));
    return {};
  }
  return {{}, ExprBuilder::integer(tensor->shape[static_cast<size_t>(rank - 1 - *number)], range)};
}
