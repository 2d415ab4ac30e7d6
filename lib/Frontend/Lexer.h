//===- Lexer.h - program text to tokens -----------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_LEXER_H
#define HEED_LIB_FRONTEND_LEXER_H

#include "Token.h"

#include "heed/Support/Diagnostics.h"

namespace heed {

/// Reads one token at a time. The text belongs to the SourceManager.
class Lexer {
public:
  static constexpr size_t kLongestText = size_t(4) << 20;
  static constexpr size_t kLongestName = 255;
  static constexpr size_t kLongestLiteral = 1024;

  Lexer(const SourceManager &sources, uint32_t file, DiagnosticEngine &diagnostics);

  /// The next token; End again and again at the end.
  Token next();

private:
  /// Skips blanks and comments, and keeps the comment block that ends on the line above.
  void skipBlanks(Token &token);
  void lexName(Token &token);
  void lexNumber(Token &token);
  void lexString(Token &token);
  void lexPunctuation(Token &token);
  void fail(Token &token, DiagId id, std::string message);

  char peek(size_t ahead = 0) const { return at + ahead < text.size() ? text[at + ahead] : '\0'; }

  DiagnosticEngine &diagnostics;
  std::string_view text;
  uint32_t file;
  size_t at = 0;
  bool atLineStart = true;
};

} // namespace heed

#endif // HEED_LIB_FRONTEND_LEXER_H
