//===- Token.h - what the lexer makes of a text ---------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_TOKEN_H
#define HEED_LIB_FRONTEND_TOKEN_H

#include "heed/Support/SourceRange.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace heed {

enum class TokenKind : uint8_t {
  End,
  Error, ///< already reported; the parser skips to the next statement
  Name,
  Integer,
  Float,
  String,
  // Words of the language.
  KwAssert,
  KwConst,
  KwElse,
  KwFloat,
  KwFn,
  KwFor,
  KwIf,
  KwIn,
  KwInf,
  KwInt,
  KwMax,
  KwMin,
  KwPer,
  KwReturn,
  KwSize,
  KwSoftmax,
  KwSum,
  KwThen,
  KwUse,
  KwWeight,
  KwWhere,
  KwWith,
  // Punctuation.
  LeftParen,
  RightParen,
  LeftSquare,
  RightSquare,
  LeftBrace,
  RightBrace,
  Comma,
  Colon,
  Semicolon,
  Arrow,
  Assign,
  PlusAssign,
  Plus,
  Minus,
  Star,
  StarStar,
  Slash,
  Percent,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  EqualEqual,
  NotEqual,
  AndAnd,
  OrOr,
  Not,
};

struct Token {
  TokenKind kind = TokenKind::End;
  bool startsLine = false; ///< nothing but blanks stands before it on its line
  SourceRange range;
  std::string_view text; ///< of the token; for a String what is between the quotes
  int64_t integer = 0;
  double number = 0;
  /// For a token that starts a line: the comment lines right above it, without `//`.
  std::string comment;
};

/// What may follow a number in an `assert`.
struct NumberUnit {
  std::string_view name;
  int64_t factor;
  std::string_view exponent; ///< of a power of ten as a number spells it: "e6"
};

/// `K`, `M`, `G`, `KiB`, `MiB` or `GiB`; null for any other name.
const NumberUnit *findUnit(std::string_view name);

/// How a kind is named in messages: "`size`", "a name", "`)`".
std::string_view spelling(TokenKind kind);
/// Whether the kind is a word of the language.
bool isKeyword(TokenKind kind);

} // namespace heed

#endif // HEED_LIB_FRONTEND_TOKEN_H
