//===- Lexer.cpp - program text to tokens ---------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

using namespace heed;

namespace {

struct Spelling {
  TokenKind kind;
  std::string_view text;
};

constexpr Spelling kKeywords[] = {
    {TokenKind::KwAssert, "assert"}, {TokenKind::KwConst, "const"},
    {TokenKind::KwElse, "else"},     {TokenKind::KwFloat, "float"},
    {TokenKind::KwFn, "fn"},         {TokenKind::KwFor, "for"},
    {TokenKind::KwIf, "if"},         {TokenKind::KwIn, "in"},
    {TokenKind::KwInf, "inf"},       {TokenKind::KwInt, "int"},
    {TokenKind::KwMax, "max"},       {TokenKind::KwMin, "min"},
    {TokenKind::KwPer, "per"},       {TokenKind::KwReturn, "return"},
    {TokenKind::KwSize, "size"},     {TokenKind::KwSoftmax, "softmax"},
    {TokenKind::KwSum, "sum"},       {TokenKind::KwThen, "then"},
    {TokenKind::KwUse, "use"},       {TokenKind::KwWeight, "weight"},
    {TokenKind::KwWhere, "where"},   {TokenKind::KwWith, "with"},
};

/// Longer ones first, so that the first match is the token.
constexpr Spelling kPunctuation[] = {
    {TokenKind::Arrow, "->"},      {TokenKind::PlusAssign, "+="},   {TokenKind::StarStar, "**"},
    {TokenKind::LessEqual, "<="},  {TokenKind::GreaterEqual, ">="}, {TokenKind::EqualEqual, "=="},
    {TokenKind::NotEqual, "!="},   {TokenKind::AndAnd, "&&"},       {TokenKind::OrOr, "||"},
    {TokenKind::LeftParen, "("},   {TokenKind::RightParen, ")"},    {TokenKind::LeftSquare, "["},
    {TokenKind::RightSquare, "]"}, {TokenKind::LeftBrace, "{"},     {TokenKind::RightBrace, "}"},
    {TokenKind::Comma, ","},       {TokenKind::Colon, ":"},         {TokenKind::Semicolon, ";"},
    {TokenKind::Assign, "="},      {TokenKind::Plus, "+"},          {TokenKind::Minus, "-"},
    {TokenKind::Star, "*"},        {TokenKind::Slash, "/"},         {TokenKind::Percent, "%"},
    {TokenKind::Less, "<"},        {TokenKind::Greater, ">"},       {TokenKind::Not, "!"},
};

constexpr NumberUnit kUnits[] = {
    {"K", 1'000, "e3"},   {"M", 1'000'000, "e6"}, {"G", 1'000'000'000, "e9"},
    {"KiB", 1 << 10, ""}, {"MiB", 1 << 20, ""},   {"GiB", 1 << 30, ""},
};

bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// How many bytes the character at the beginning has, if it is UTF-8 (else 1).
size_t characterLength(std::string_view text) {
  auto lead = static_cast<unsigned char>(text[0]);
  size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (length > text.size())
    return 1;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80)
      return 1;
  return length;
}

} // namespace

std::string_view heed::spelling(TokenKind kind) {
  switch (kind) {
  case TokenKind::End:
    return "the end of the file";
  case TokenKind::Error:
    return "something unreadable";
  case TokenKind::Name:
    return "a name";
  case TokenKind::Integer:
    return "an integer";
  case TokenKind::Float:
    return "a number";
  case TokenKind::String:
    return "a string";
  default:
    break;
  }
  for (const Spelling &entry : kKeywords)
    if (entry.kind == kind)
      return entry.text;
  for (const Spelling &entry : kPunctuation)
    if (entry.kind == kind)
      return entry.text;
  return "";
}

const NumberUnit *heed::findUnit(std::string_view name) {
  for (const NumberUnit &unit : kUnits)
    if (unit.name == name)
      return &unit;
  return nullptr;
}

bool heed::isKeyword(TokenKind kind) {
  return kind >= TokenKind::KwAssert && kind <= TokenKind::KwWith;
}

Lexer::Lexer(const SourceManager &sources, uint32_t file, DiagnosticEngine &diagnostics)
    : diagnostics(diagnostics), text(sources.text(file)), file(file) {
  if (text.size() > kLongestText) {
    diagnostics.report(
        DiagId::E0106, {file, 0, 0},
        fmt::format("the program has {} bytes; at most {} are read", text.size(), kLongestText));
    text = {};
  }
}

void Lexer::fail(Token &token, DiagId id, std::string message) {
  token.kind = TokenKind::Error;
  token.range = {file, token.range.begin, static_cast<uint32_t>(at)};
  diagnostics.report(id, token.range, std::move(message));
}

void Lexer::skipBlanks(Token &token) {
  size_t blankLines = 0;
  while (at < text.size()) {
    char c = text[at];
    if (c == '\n') {
      // A blank line parts a comment from what stands below it.
      if (++blankLines > 1)
        token.comment.clear();
      atLineStart = true;
      ++at;
    } else if (c == ' ' || c == '\t' || c == '\r') {
      ++at;
    } else if (c == '/' && peek(1) == '/') {
      size_t end = std::min(text.find('\n', at), text.size());
      if (atLineStart) {
        std::string_view line = text.substr(at + 2, end - at - 2);
        if (line.starts_with(' '))
          line.remove_prefix(1);
        if (line.ends_with('\r'))
          line.remove_suffix(1);
        if (!token.comment.empty())
          token.comment += '\n';
        token.comment += line;
      }
      blankLines = 0;
      at = end;
    } else {
      break;
    }
  }
}

Token Lexer::next() {
  Token token;
  skipBlanks(token);
  token.startsLine = atLineStart;
  atLineStart = false;
  token.range = {file, static_cast<uint32_t>(at), static_cast<uint32_t>(at)};
  if (at >= text.size())
    return token;
  char c = text[at];
  if (isLetter(c))
    lexName(token);
  else if (isDigit(c) || (c == '.' && isDigit(peek(1))))
    lexNumber(token);
  else if (c == '"')
    lexString(token);
  else
    lexPunctuation(token);
  token.range.end = static_cast<uint32_t>(at);
  if (token.kind != TokenKind::String)
    token.text = text.substr(token.range.begin, at - token.range.begin);
  return token;
}

void Lexer::lexName(Token &token) {
  size_t begin = at;
  while (isLetter(peek()) || isDigit(peek()))
    ++at;
  std::string_view name = text.substr(begin, at - begin);
  if (name.size() > kLongestName)
    return fail(
        token, DiagId::E0105,
        fmt::format("a name of {} characters; at most {} are allowed", name.size(), kLongestName));
  token.kind = TokenKind::Name;
  for (const Spelling &entry : kKeywords)
    if (entry.text == name)
      token.kind = entry.kind;
}

void Lexer::lexNumber(Token &token) {
  size_t begin = at;
  bool isFloat = false;
  auto digits = [&] {
    size_t first = at;
    while (isDigit(peek()) || peek() == '_')
      ++at;
    return at > first;
  };
  digits();
  bool complete = true;
  if (peek() == '.') {
    isFloat = true;
    ++at;
    digits();
  }
  if (peek() == 'e' || peek() == 'E') {
    isFloat = true;
    ++at;
    if (peek() == '+' || peek() == '-')
      ++at;
    complete = isDigit(peek()) && digits();
  }
  size_t end = at;
  while (isLetter(peek()) || isDigit(peek()))
    ++at;
  // A unit is a token of its own, with or without a blank before it.
  if (complete && findUnit(text.substr(end, at - end)))
    at = end;
  complete &= at == end;
  std::string_view spelled = text.substr(begin, at - begin);
  if (spelled.size() > kLongestLiteral)
    return fail(token, DiagId::E0104,
                fmt::format("a number of {} characters; at most {} are allowed", spelled.size(),
                            kLongestLiteral));
  if (!complete)
    return fail(token, DiagId::E0103, fmt::format("`{}` isn't a number", spelled));
  std::string plain;
  std::copy_if(spelled.begin(), spelled.end(), std::back_inserter(plain),
               [](char c) { return c != '_'; });
  const char *last = plain.data() + plain.size();
  std::from_chars_result read{};
  if (isFloat) {
    token.kind = TokenKind::Float;
    read = std::from_chars(plain.data(), last, token.number);
  } else {
    token.kind = TokenKind::Integer;
    read = std::from_chars(plain.data(), last, token.integer);
    token.number = static_cast<double>(token.integer);
  }
  if (read.ec != std::errc() || read.ptr != last)
    fail(token, DiagId::E0103, fmt::format("the number `{}` is out of range", spelled));
}

void Lexer::lexString(Token &token) {
  size_t begin = ++at;
  while (at < text.size() && text[at] != '"' && text[at] != '\n')
    ++at;
  if (peek() != '"')
    return fail(token, DiagId::E0102, "the string has no closing `\"` on its line");
  std::string_view content = text.substr(begin, at - begin);
  ++at;
  if (content.size() > kLongestLiteral)
    return fail(token, DiagId::E0104,
                fmt::format("a string of {} characters; at most {} are allowed", content.size(),
                            kLongestLiteral));
  token.kind = TokenKind::String;
  token.text = content;
}

void Lexer::lexPunctuation(Token &token) {
  std::string_view rest = text.substr(at);
  for (const Spelling &entry : kPunctuation)
    if (rest.starts_with(entry.text)) {
      token.kind = entry.kind;
      at += entry.text.size();
      return;
    }
  size_t length = characterLength(rest);
  std::string_view character = rest.substr(0, length);
  at += length;
  auto byte = static_cast<unsigned char>(character[0]);
  bool printable = length > 1 || (byte > 0x20 && byte < 0x7F);
  // A whole run of the same kind is one mistake.
  while (at < text.size() && static_cast<unsigned char>(text[at]) >= 0x80)
    ++at;
  fail(token, DiagId::E0101,
       printable ? fmt::format("unexpected character `{}`", character)
                 : fmt::format("unexpected byte 0x{:02x}", byte));
}
