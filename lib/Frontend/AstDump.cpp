//===- AstDump.cpp - a readable listing of the syntax tree ----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Frontend/Frontend.h"

#include <fmt/format.h>

#include <array>

using namespace heed;
using namespace heed::ast;

namespace {

template <typename... Ts> struct Overloaded : Ts... {
  using Ts::operator()...;
};

class Dumper {
public:
  std::string run(const File &file) {
    for (const Declaration &declaration : file.declarations)
      std::visit([this](const auto &node) { dump(node); }, declaration);
    return std::move(out);
  }

private:
  void line(std::string_view text) {
    out.append(2 * size_t(indent), ' ');
    out += text;
    out += '\n';
  }

  static std::string list(const std::vector<ExprPtr> &exprs) {
    std::string text;
    for (const ExprPtr &expr : exprs)
      text += (text.empty() ? "" : ", ") + show(*expr);
    return text;
  }

  static std::string bindings(const std::vector<IndexBinding> &indices) {
    std::string text;
    for (const IndexBinding &index : indices) {
      text += (text.empty() ? "" : ", ") + index.name.text;
      if (index.extent)
        text += " < " + show(*index.extent);
    }
    return text;
  }

  static std::string show(const Type &type) {
    std::string text = type.element == Element::Int ? "int" : "float";
    return type.shaped ? fmt::format("{}[{}]", text, list(type.shape)) : text;
  }

  static std::string show(const Expr &expr) {
    static constexpr std::array<std::string_view, 14> kOps = {
        "+", "-", "*", "/", "%", "**", "==", "!=", "<", "<=", ">", ">=", "&&", "||"};
    static constexpr std::array<std::string_view, 4> kReductions = {"sum", "max", "min", "softmax"};
    return std::visit(
        Overloaded{
            [](const IntLiteral &node) { return fmt::format("{}", node.value); },
            [](const FloatLiteral &node) { return fmt::format("{}", node.value); },
            [](const StringLiteral &node) { return fmt::format("\"{}\"", node.value); },
            [](const NameRef &node) { return node.name; },
            [](const Subscript &node) {
              return fmt::format("{}[{}]", show(*node.base), list(node.indices));
            },
            [](const Call &node) {
              std::string text = fmt::format("{}({})", node.callee.text, list(node.arguments));
              return node.fallback ? fmt::format("({} else {})", text, show(*node.fallback)) : text;
            },
            [](const Unary &node) {
              return fmt::format("({}{})", node.op == UnaryOp::Neg ? "-" : "!",
                                 show(*node.operand));
            },
            [](const Binary &node) {
              return fmt::format("({} {} {})", show(*node.lhs), kOps[size_t(node.op)],
                                 show(*node.rhs));
            },
            [](const Conditional &node) {
              return fmt::format("(if {} then {} else {})", show(*node.condition),
                                 show(*node.ifTrue), show(*node.ifFalse));
            },
            [](const Reduce &node) {
              std::string text = fmt::format("{}[{}] {}", kReductions[size_t(node.kind)],
                                             bindings(node.indices), show(*node.body));
              if (node.mask)
                text += fmt::format(" where {}", show(*node.mask));
              if (node.sink)
                text += fmt::format(" with {}", show(*node.sink));
              return fmt::format("({})", text);
            },
        },
        expr.node);
  }

  void dump(const Use &node) { line(fmt::format("use {}", node.file.text)); }
  void dump(const Size &node) {
    if (node.value)
      line(fmt::format("size {} = {}", node.name.text, show(*node.value)));
    else if (node.bound)
      line(fmt::format("size {} <= {}", node.name.text, show(*node.bound)));
    else
      line(fmt::format("size {}", node.name.text));
  }
  void dump(const Const &node) {
    line(fmt::format("const {} = {}", node.name.text, show(*node.value)));
  }
  void dump(const Weight &node) {
    std::string names;
    for (const Name &name : node.names)
      names += (names.empty() ? "" : ", ") + name.text;
    std::string text = fmt::format("weight {} : [{}]", names, list(node.shape));
    if (!node.pattern.empty())
      text += fmt::format(" = \"{}\"", node.pattern);
    if (node.otherWeight)
      text += fmt::format(" else {}", node.otherWeight->text);
    if (!node.otherTensor.empty())
      text += fmt::format(" else \"{}\"", node.otherTensor);
    line(text);
  }
  void dump(const PerLayer &node) {
    line(fmt::format("per layer {}{}", node.variable.text,
                     node.count ? " in " + show(*node.count) : ""));
    ++indent;
    for (const Weight &weight : node.weights)
      dump(weight);
    --indent;
  }
  void dump(const Assert &node) { line(fmt::format("assert {}", show(*node.condition))); }
  void dump(const Function &node) {
    std::string parameters;
    for (const Parameter &parameter : node.parameters)
      parameters += fmt::format("{}{}: {}", parameters.empty() ? "" : ", ", parameter.name.text,
                                show(parameter.type));
    line(fmt::format("fn {}({}) -> {}", node.name.text, parameters, show(node.result)));
    dump(node.body);
  }
  void dump(const Block &block) {
    ++indent;
    for (const Statement &statement : block)
      std::visit([this](const auto &node) { dump(node); }, statement.node);
    --indent;
  }
  void dump(const Assign &node) {
    line(fmt::format("{}{} {} {}", node.target.text,
                     node.indexed ? fmt::format("[{}]", bindings(node.indices)) : "",
                     node.add ? "+=" : "=", show(*node.value)));
  }
  void dump(const For &node) {
    line(fmt::format("for {} in {}", node.variable.text, show(*node.count)));
    dump(node.body);
  }
  void dump(const If &node) {
    line(fmt::format("if {}", show(*node.condition)));
    dump(node.ifTrue);
    if (!node.ifFalse.empty()) {
      line("else");
      dump(node.ifFalse);
    }
  }
  void dump(const Return &node) { line(fmt::format("return {}", show(*node.value))); }

  std::string out;
  unsigned indent = 0;
};

} // namespace

std::string heed::dumpAst(const File &file) { return Dumper().run(file); }
