//===- Diagnostics.cpp - what is wrong with a program, and where ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Support/Diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

using namespace heed;

namespace {

constexpr DiagnosticInfo kDiagnostics[] = {
#define HEED_DIAGNOSTIC(ID, NAME, SUMMARY, EXPLANATION)                                            \
  {DiagId::ID, #ID, NAME, SUMMARY, EXPLANATION},
#include "heed/Support/Diagnostics.def"
};

/// A source line longer than this is shown in part, around the place.
constexpr size_t kLongestLine = 160;

struct Style {
  std::string_view bold, error, note, caret, reset;
};
constexpr Style kPlain = {"", "", "", "", ""};
constexpr Style kColoured = {"\x1b[1m", "\x1b[1;31m", "\x1b[1;36m", "\x1b[1;32m", "\x1b[0m"};

void renderSource(std::string &out, const SourceManager &sources, SourceRange range,
                  const Style &style) {
  LineColumn at = sources.lineColumn(range.file, range.begin);
  std::string_view line = sources.lineText(range.file, at.line);
  size_t first = std::min<size_t>(at.column - 1, line.size());
  size_t length = range.end > range.begin ? range.end - range.begin : 1;
  size_t cut =
      first > kLongestLine / 2 && line.size() > kLongestLine ? first - kLongestLine / 2 : 0;
  std::string_view shown = line.substr(cut, kLongestLine);
  first -= cut;
  length = std::min(length, std::max<size_t>(shown.size() - std::min(first, shown.size()), 1));

  out += "  ";
  for (char c : shown) // control characters would disturb the terminal
    out += c == '\t' || static_cast<unsigned char>(c) >= 0x20 ? c : '?';
  out += "\n  ";
  for (size_t i = 0; i < first; ++i)
    out += i < shown.size() && shown[i] == '\t' ? '\t' : ' ';
  out += style.caret;
  out += '^';
  out.append(length - 1, '~');
  out += style.reset;
  out += '\n';
}

void renderHead(std::string &out, const SourceManager &sources, SourceRange range,
                const Style &style) {
  LineColumn at = sources.lineColumn(range.file, range.begin);
  out += fmt::format("{}{}:{}:{}: {}", style.bold, sources.path(range.file), at.line, at.column,
                     style.reset);
}

} // namespace

std::span<const DiagnosticInfo> heed::allDiagnostics() { return kDiagnostics; }

const DiagnosticInfo &heed::diagnosticInfo(DiagId id) {
  return kDiagnostics[static_cast<size_t>(id)];
}

std::optional<DiagnosticInfo> heed::lookupDiagnostic(std::string_view codeOrName) {
  std::string upper(codeOrName);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  for (const DiagnosticInfo &info : kDiagnostics)
    if (info.code == upper || info.name == codeOrName)
      return info;
  return std::nullopt;
}

void DiagnosticEngine::report(DiagId id, SourceRange range, std::string message) {
  ++errors;
  if (kept.size() < kShown)
    kept.push_back({id, range, std::move(message), {}});
}

void DiagnosticEngine::note(SourceRange range, std::string message) {
  if (errors == kept.size() && !kept.empty())
    kept.back().notes.push_back({range, std::move(message)});
}

std::string DiagnosticEngine::render(bool colour) const {
  const Style &style = colour ? kColoured : kPlain;
  std::string out;
  for (const Diagnostic &diagnostic : kept) {
    renderHead(out, sources, diagnostic.range, style);
    out += fmt::format("{}error: {}{}{}{} [{}]\n", style.error, style.reset, style.bold,
                       diagnostic.message, style.reset, diagnosticInfo(diagnostic.id).code);
    renderSource(out, sources, diagnostic.range, style);
    for (const Note &note : diagnostic.notes) {
      renderHead(out, sources, note.range, style);
      out += fmt::format("{}note: {}{}\n", style.note, style.reset, note.message);
      renderSource(out, sources, note.range, style);
    }
  }
  if (errors > kept.size())
    out += fmt::format("{} more errors are not shown; correct these first\n", errors - kept.size());
  return out;
}
