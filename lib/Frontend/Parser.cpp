//===- Parser.cpp - declarations and statements ---------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ParserImpl.h"

#include <fmt/format.h>

using namespace heed;
using namespace heed::ast;

ast::File heed::parse(const SourceManager &sources, uint32_t file, DiagnosticEngine &diagnostics) {
  return Parser(sources, file, diagnostics).parseFile();
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

void Parser::advance() {
  lastEnd = token.range.end;
  token = lexer.next();
}

bool Parser::accept(TokenKind kind) {
  if (!at(kind))
    return false;
  advance();
  return true;
}

std::string Parser::found() const {
  if (at(TokenKind::End))
    return std::string(spelling(TokenKind::End));
  if (at(TokenKind::String))
    return "a string";
  return fmt::format("`{}`", token.text);
}

void Parser::reportExpected(std::string_view wanted, std::string_view after) {
  if (!at(TokenKind::Error)) // the lexer has said what is wrong
    diagnostics.report(DiagId::E0201, token.range,
                       fmt::format("expected {} {}, found {}", wanted, after, found()));
}

bool Parser::expect(TokenKind kind, std::string_view after) {
  if (accept(kind))
    return true;
  std::string wanted(spelling(kind));
  reportExpected(kind > TokenKind::String ? fmt::format("`{}`", wanted) : wanted, after);
  return false;
}

bool Parser::expectClosing(TokenKind kind, SourceRange open) {
  if (accept(kind))
    return true;
  if (at(TokenKind::Error))
    return false;
  diagnostics.report(DiagId::E0208, token.range,
                     fmt::format("expected `{}`, found {}", spelling(kind), found()));
  diagnostics.note(open, "to close this one");
  return false;
}

std::optional<Name> Parser::expectName(std::string_view what) {
  if (at(TokenKind::Name)) {
    Name name{std::string(token.text), token.range};
    advance();
    return name;
  }
  if (isKeyword(token.kind))
    diagnostics.report(
        DiagId::E0209, token.range,
        fmt::format("expected {}, found `{}`, which is a word of the language", what, token.text));
  else if (!at(TokenKind::Error))
    diagnostics.report(DiagId::E0201, token.range,
                       fmt::format("expected {}, found {}", what, found()));
  return std::nullopt;
}

bool Parser::Nesting::allowed() {
  if (parser.nesting <= kDeepestNesting)
    return true;
  parser.diagnostics.report(DiagId::E0203, parser.token.range,
                            fmt::format("more than {} levels of nesting; name a part of the "
                                        "formula in a line of its own",
                                        kDeepestNesting));
  return false;
}

bool Parser::expectLineEnd() {
  if (accept(TokenKind::Semicolon) || token.startsLine || at(TokenKind::RightBrace) ||
      at(TokenKind::End))
    return true;
  if (at(TokenKind::Error))
    return false;
  if (at(TokenKind::KwWhere))
    diagnostics.report(DiagId::E0207, token.range,
                       "`where` must follow a reduction's product; put brackets around a sum that "
                       "is to be reduced");
  else if (at(TokenKind::KwWith))
    diagnostics.report(DiagId::E0207, token.range,
                       "`with` must follow a softmax's product or its `where`; put brackets around "
                       "a sum that is to be normalised");
  else
    diagnostics.report(
        DiagId::E0205, token.range,
        fmt::format("expected an operator or the end of the line, found {}", found()));
  return false;
}

void Parser::recover(bool toDeclaration) {
  // Blocks that the bad statement opened are skipped whole.
  for (uint32_t depth = 0; !at(TokenKind::End); advance()) {
    if (at(TokenKind::LeftBrace)) {
      ++depth;
    } else if (at(TokenKind::RightBrace)) {
      if (depth == 0 && !toDeclaration)
        return;
      depth -= depth > 0;
      continue;
    }
    bool declares = at(TokenKind::KwFn) || at(TokenKind::KwSize) || at(TokenKind::KwConst) ||
                    at(TokenKind::KwWeight) || at(TokenKind::KwUse) || at(TokenKind::KwPer) ||
                    at(TokenKind::KwAssert);
    if (token.startsLine && declares)
      return;
    if (token.startsLine && depth == 0 && !toDeclaration && !at(TokenKind::LeftBrace))
      return;
    if (depth == 0 && !toDeclaration && accept(TokenKind::Semicolon))
      return;
  }
}

//===----------------------------------------------------------------------===//
// Declarations
//===----------------------------------------------------------------------===//

File Parser::parseFile() {
  File file;
  while (!at(TokenKind::End)) {
    uint32_t before = token.range.begin;
    if (parseDeclaration(file) && expectLineEnd())
      continue;
    if (token.range.begin == before) // always forward
      advance();
    recover(/*toDeclaration=*/true);
  }
  return file;
}

bool Parser::parseDeclaration(File &file) {
  switch (token.kind) {
  case TokenKind::KwUse:
    return parseUse(file);
  case TokenKind::KwSize:
    return parseSizes(file);
  case TokenKind::KwConst:
    return parseConsts(file);
  case TokenKind::KwPer:
    return parsePerLayer(file);
  case TokenKind::KwFn:
    return parseFunction(file);
  case TokenKind::KwAssert:
    return parseAssert(file);
  case TokenKind::KwWeight: {
    std::optional<Weight> weight = parseWeight();
    if (weight)
      file.declarations.emplace_back(std::move(*weight));
    return weight.has_value();
  }
  case TokenKind::Error:
    return false;
  default:
    diagnostics.report(DiagId::E0206, token.range,
                       fmt::format("expected `use`, `size`, `const`, `weight`, `per layer`, "
                                   "`fn` or `assert`, found {}",
                                   found()));
    return false;
  }
}

bool Parser::parseUse(File &file) {
  advance();
  std::optional<Name> name = expectName("the name of a file after `use`");
  if (!name)
    return false;
  file.declarations.emplace_back(Use{std::move(*name)});
  return true;
}

bool Parser::parseSizes(File &file) {
  advance();
  do {
    std::optional<Name> name = expectName("the name of a size");
    if (!name)
      return false;
    Size size{std::move(*name), nullptr, nullptr};
    if (accept(TokenKind::Assign)) {
      if (!(size.value = parseExpr()))
        return false;
    } else if (accept(TokenKind::LessEqual)) {
      if (!(size.bound = parseExpr()))
        return false;
    } else if (!at(TokenKind::Comma) && !token.startsLine && !at(TokenKind::Semicolon) &&
               !at(TokenKind::End)) {
      reportExpected("`=`, `<=` or the end of the line", "after the name of a size");
      return false;
    }
    file.declarations.emplace_back(std::move(size));
  } while (accept(TokenKind::Comma));
  return true;
}

bool Parser::parseConsts(File &file) {
  advance();
  do {
    std::optional<Name> name = expectName("the name of a constant");
    if (!name || !expect(TokenKind::Assign, "after the name of a constant"))
      return false;
    Const constant{std::move(*name), parseExpr()};
    if (!constant.value)
      return false;
    file.declarations.emplace_back(std::move(constant));
  } while (accept(TokenKind::Comma));
  return true;
}

std::optional<Weight> Parser::parseWeight() {
  advance();
  Weight weight;
  do {
    std::optional<Name> name = expectName("the name of a weight");
    if (!name)
      return std::nullopt;
    weight.names.push_back(std::move(*name));
  } while (accept(TokenKind::Comma));
  if (!expect(TokenKind::Colon, "and a shape after a weight's name"))
    return std::nullopt;
  SourceRange begin = token.range;
  if (!parseShape(weight.shape))
    return std::nullopt;
  weight.shapeRange = rangeFrom(begin);
  if (!accept(TokenKind::Assign))
    return weight;
  weight.patternRange = token.range;
  weight.pattern = std::string(token.text);
  if (!expect(TokenKind::String, "with the name of a tensor"))
    return std::nullopt;
  if (!accept(TokenKind::KwElse))
    return weight;
  weight.otherRange = token.range;
  if (at(TokenKind::String)) {
    weight.otherTensor = std::string(token.text);
    advance();
  } else if (at(TokenKind::Name)) {
    weight.otherWeight = Name{std::string(token.text), token.range};
    advance();
  } else {
    reportExpected("a weight or the name of a tensor", "after `else`");
    return std::nullopt;
  }
  return weight;
}

bool Parser::parsePerLayer(File &file) {
  advance();
  if (!at(TokenKind::Name) || token.text != "layer") {
    reportExpected("`layer`", "after `per`");
    return false;
  }
  advance();
  std::optional<Name> variable = expectName("a name for the layer's number");
  if (!variable)
    return false;
  PerLayer layers{std::move(*variable), nullptr, {}};
  if (accept(TokenKind::KwIn) && !(layers.count = parseExpr()))
    return false;
  SourceRange open = token.range;
  if (!expect(TokenKind::LeftBrace, "after `per layer` and its variable"))
    return false;
  while (!at(TokenKind::RightBrace)) {
    if (!at(TokenKind::KwWeight)) {
      if (at(TokenKind::End))
        return expectClosing(TokenKind::RightBrace, open);
      reportExpected("`weight` or `}`", "in `per layer`");
      return false;
    }
    std::optional<Weight> weight = parseWeight();
    if (weight)
      layers.weights.push_back(std::move(*weight));
    if (!weight || !expectLineEnd()) {
      recover(/*toDeclaration=*/false);
      if (!at(TokenKind::KwWeight) && !at(TokenKind::RightBrace))
        return false;
    }
  }
  advance();
  file.declarations.emplace_back(std::move(layers));
  return true;
}

bool Parser::parseFunction(File &file) {
  Function function;
  function.comment = token.comment;
  advance();
  std::optional<Name> name = expectName("the name of a function after `fn`");
  SourceRange open = token.range;
  if (!name || !expect(TokenKind::LeftParen, "after a function's name"))
    return false;
  function.name = std::move(*name);
  while (!at(TokenKind::RightParen)) {
    std::optional<Name> parameter = expectName("a parameter or `)`");
    if (!parameter)
      return false;
    function.parameters.push_back({std::move(*parameter), {}});
    if (accept(TokenKind::Colon) && !parseType(function.parameters.back().type))
      return false;
    if (!accept(TokenKind::Comma))
      break;
  }
  if (!expectClosing(TokenKind::RightParen, open))
    return false;
  if (accept(TokenKind::Arrow) && !parseType(function.result))
    return false;
  if (!parseBlock(function.body, &function.closing))
    return false;
  file.declarations.emplace_back(std::move(function));
  return true;
}

bool Parser::parseAssert(File &file) {
  advance();
  unitsAllowed = true;
  ExprPtr condition = parseCondition();
  unitsAllowed = false;
  if (!condition)
    return false;
  file.declarations.emplace_back(Assert{std::move(condition)});
  return true;
}

bool Parser::parseType(Type &type) {
  SourceRange begin = token.range;
  bool named = at(TokenKind::KwInt) || at(TokenKind::KwFloat);
  if (at(TokenKind::KwInt))
    type.element = Element::Int;
  if (named)
    advance();
  if (at(TokenKind::LeftSquare)) {
    type.shaped = true;
    if (!parseShape(type.shape))
      return false;
  } else if (!named) {
    reportExpected("a type such as `[n, d]` or `int[n]`", "here");
    return false;
  }
  type.range = rangeFrom(begin);
  return true;
}

bool Parser::parseShape(std::vector<ExprPtr> &shape) {
  SourceRange open = token.range;
  if (!expect(TokenKind::LeftSquare, "to begin a shape") ||
      !parseExprList(shape, TokenKind::RightSquare, open))
    return false;
  if (shape.size() <= kMostAxes)
    return true;
  diagnostics.report(DiagId::E0203, open, fmt::format("more than {} axes", kMostAxes));
  return false;
}

//===----------------------------------------------------------------------===//
// Statements
//===----------------------------------------------------------------------===//

bool Parser::parseBlock(Block &block, SourceRange *closing) {
  Nesting nest(*this);
  SourceRange open = token.range;
  if (!nest.allowed() || !expect(TokenKind::LeftBrace, "to begin a block"))
    return false;
  while (!at(TokenKind::RightBrace)) {
    bool declares = token.startsLine &&
                    (at(TokenKind::KwFn) || at(TokenKind::KwSize) || at(TokenKind::KwConst) ||
                     at(TokenKind::KwWeight) || at(TokenKind::KwUse) || at(TokenKind::KwPer));
    if (at(TokenKind::End) || declares)
      return expectClosing(TokenKind::RightBrace, open);
    uint32_t before = token.range.begin;
    if (parseStatement(block) && expectLineEnd())
      continue;
    if (token.range.begin == before && !at(TokenKind::RightBrace) && !at(TokenKind::End))
      advance();
    recover(/*toDeclaration=*/false);
  }
  if (closing)
    *closing = token.range;
  advance();
  return true;
}

bool Parser::parseStatement(Block &block) {
  SourceRange begin = token.range;
  Statement statement;
  bool good = false;
  switch (token.kind) {
  case TokenKind::KwFor: {
    For loop;
    good = parseFor(loop);
    statement.node = std::move(loop);
    break;
  }
  case TokenKind::KwIf: {
    If branch;
    good = parseIf(branch);
    statement.node = std::move(branch);
    break;
  }
  case TokenKind::KwReturn: {
    advance();
    Return result{parseExpr()};
    good = result.value != nullptr;
    statement.node = std::move(result);
    break;
  }
  default: {
    Assign assign;
    good = parseAssign(assign);
    statement.node = std::move(assign);
    break;
  }
  }
  statement.range = rangeFrom(begin);
  if (good)
    block.push_back(std::move(statement));
  return good;
}

bool Parser::parseAssign(Assign &assign) {
  std::optional<Name> target = expectName("a statement");
  if (!target)
    return false;
  assign.target = std::move(*target);
  assign.indexed = at(TokenKind::LeftSquare);
  if (assign.indexed && !parseBindings(assign.indices))
    return false;
  assign.add = at(TokenKind::PlusAssign);
  if (!accept(TokenKind::PlusAssign) && !accept(TokenKind::Assign)) {
    reportExpected("`=` or `+=`", assign.indexed ? "after the indices" : "after the name");
    return false;
  }
  assign.value = parseExpr();
  return assign.value != nullptr;
}

bool Parser::parseBindings(std::vector<IndexBinding> &bindings) {
  SourceRange open = token.range;
  if (!expect(TokenKind::LeftSquare, "and the indices"))
    return false;
  do {
    std::optional<Name> name = expectName("the name of an index");
    if (!name)
      return false;
    IndexBinding binding{std::move(*name), nullptr};
    if (accept(TokenKind::Less) && !(binding.extent = parseBinary(/*level=*/3)))
      return false;
    bindings.push_back(std::move(binding));
    if (bindings.size() > kMostAxes) {
      diagnostics.report(DiagId::E0203, open, fmt::format("more than {} indices", kMostAxes));
      return false;
    }
  } while (accept(TokenKind::Comma));
  return expectClosing(TokenKind::RightSquare, open);
}

bool Parser::parseFor(For &loop) {
  advance();
  std::optional<Name> variable = expectName("a name for the loop's variable");
  if (!variable || !expect(TokenKind::KwIn, "after the loop's variable"))
    return false;
  loop.variable = std::move(*variable);
  loop.count = parseExpr();
  return loop.count && parseBlock(loop.body);
}

bool Parser::parseIf(If &branch) {
  Nesting nest(*this);
  if (!nest.allowed())
    return false;
  advance();
  branch.condition = parseExpr();
  if (!branch.condition || !parseBlock(branch.ifTrue))
    return false;
  if (!accept(TokenKind::KwElse))
    return true;
  if (!at(TokenKind::KwIf))
    return parseBlock(branch.ifFalse);
  return parseStatement(branch.ifFalse);
}
