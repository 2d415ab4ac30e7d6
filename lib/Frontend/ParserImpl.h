//===- ParserImpl.h - the recursive-descent parser ------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_PARSERIMPL_H
#define HEED_LIB_FRONTEND_PARSERIMPL_H

#include "Lexer.h"

#include "heed/Frontend/Parser.h"

#include <algorithm>
#include <initializer_list>
#include <optional>

namespace heed {

/// One method for each rule of the grammar. A method that fails has reported why and returns null
/// or false; its caller passes that on until a statement or declaration recovers.
class Parser {
public:
  Parser(const SourceManager &sources, uint32_t file, DiagnosticEngine &diagnostics)
      : lexer(sources, file, diagnostics), diagnostics(diagnostics) {
    advance();
  }

  ast::File parseFile();

private:
  // Declarations (Parser.cpp).
  bool parseDeclaration(ast::File &file);
  bool parseUse(ast::File &file);
  bool parseSizes(ast::File &file);
  bool parseConsts(ast::File &file);
  std::optional<ast::Weight> parseWeight();
  bool parsePerLayer(ast::File &file);
  bool parseFunction(ast::File &file);
  bool parseAssert(ast::File &file);
  bool parseType(ast::Type &type);
  bool parseShape(std::vector<ast::ExprPtr> &shape);

  // Statements (Parser.cpp).
  bool parseBlock(ast::Block &block, SourceRange *closing = nullptr);
  bool parseStatement(ast::Block &block);
  bool parseAssign(ast::Assign &assign);
  bool parseFor(ast::For &loop);
  bool parseIf(ast::If &branch);
  bool parseBindings(std::vector<ast::IndexBinding> &bindings);

  // Formulas (ParserExpr.cpp).
  ast::ExprPtr parseExpr();
  ast::ExprPtr parseBinary(unsigned level);
  ast::ExprPtr parseUnary();
  ast::ExprPtr parseReduction();
  /// The subscripts and the power that may follow a primary.
  ast::ExprPtr parsePower(ast::ExprPtr base, SourceRange begin);
  ast::ExprPtr parsePrimary();
  /// A number that is taken already, and in an `assert` the unit that may follow it.
  ast::ExprPtr parseUnit(const Token &number);
  /// The condition of an `assert`.
  ast::ExprPtr parseCondition();
  ast::ExprPtr parseCall(ast::Name callee);
  bool parseExprList(std::vector<ast::ExprPtr> &list, TokenKind close, SourceRange open);
  /// Finishes a node: its depth is one more than its deepest child's; null where it is too deep.
  ast::ExprPtr make(ast::Expr::Node node, SourceRange range,
                    std::initializer_list<const ast::Expr *> children);
  ast::ExprPtr make(ast::Expr::Node node, SourceRange range, uint32_t deepestChild);

  // Tokens.
  void advance();
  bool at(TokenKind kind) const { return token.kind == kind; }
  bool accept(TokenKind kind);
  /// Takes a token of this kind, or reports what else was found. `after` tells what it belongs to.
  bool expect(TokenKind kind, std::string_view after);
  bool expectClosing(TokenKind kind, SourceRange open);
  std::optional<ast::Name> expectName(std::string_view what);
  void reportExpected(std::string_view wanted, std::string_view after);
  /// The token as a message names it: "`dk`", "the end of the file".
  std::string found() const;
  /// Skips to a token that may begin a statement (or, outside functions, a declaration).
  void recover(bool toDeclaration);
  /// A statement or declaration has to end with its line.
  bool expectLineEnd();
  SourceRange rangeFrom(SourceRange begin) const {
    return {begin.file, begin.begin, std::max(lastEnd, begin.end)};
  }

  /// Counts nesting while a rule runs.
  class Nesting {
  public:
    explicit Nesting(Parser &parser) : parser(parser) { ++parser.nesting; }
    ~Nesting() { --parser.nesting; }
    Nesting(const Nesting &) = delete;
    Nesting &operator=(const Nesting &) = delete;
    /// False, with an error, where the text nests too deeply.
    bool allowed();

  private:
    Parser &parser;
  };

  Lexer lexer;
  DiagnosticEngine &diagnostics;
  Token token;
  uint32_t lastEnd = 0; ///< of the token taken last
  uint32_t nesting = 0;
  bool unitsAllowed = false; ///< in an `assert`
  uint32_t openBraces = 0;   ///< braces taken and not closed yet
};

} // namespace heed

#endif // HEED_LIB_FRONTEND_PARSERIMPL_H
