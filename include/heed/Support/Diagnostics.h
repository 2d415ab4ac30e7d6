//===- Diagnostics.h - what is wrong with a program, and where ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every kind of error in a program has an entry in Diagnostics.def: a stable id,
// a name, a summary and an explanation. The engine collects errors with their
// notes and renders them in the style that compilers share:
//
//   file.heed:4:17: error: unknown name `Wz`; did you mean `Wq`? [E0302]
//     Q[i, k] = sum[c] Wz[k, c] * E[i, c]
//                      ^~
//
//===----------------------------------------------------------------------===//

#ifndef HEED_SUPPORT_DIAGNOSTICS_H
#define HEED_SUPPORT_DIAGNOSTICS_H

#include "heed/Support/SourceManager.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

enum class DiagId {
#define HEED_DIAGNOSTIC(ID, NAME, SUMMARY, EXPLANATION) ID,
#include "heed/Support/Diagnostics.def"
};

/// An entry of Diagnostics.def.
struct DiagnosticInfo {
  DiagId id;
  std::string_view code;        ///< "E0123"
  std::string_view name;        ///< "unexpected-character"
  std::string_view summary;     ///< one line
  std::string_view explanation; ///< what `heed explain` shows
};

/// Every kind, in the order of their codes.
std::span<const DiagnosticInfo> allDiagnostics();
const DiagnosticInfo &diagnosticInfo(DiagId id);
/// Finds a kind by its code ("E0123", in either case) or its name.
std::optional<DiagnosticInfo> lookupDiagnostic(std::string_view codeOrName);

struct Note {
  SourceRange range;
  std::string message;
};

struct Diagnostic {
  DiagId id;
  SourceRange range;
  std::string message;
  std::vector<Note> notes;
};

/// Collects what is wrong. Messages are lower case and have no full stop.
class DiagnosticEngine {
public:
  /// How many errors are kept and shown; more are only counted.
  static constexpr size_t kShown = 20;

  explicit DiagnosticEngine(const SourceManager &sources) : sources(sources) {}

  void report(DiagId id, SourceRange range, std::string message);
  /// Adds another place to the error reported last.
  void note(SourceRange range, std::string message);

  size_t errorCount() const { return errors; }
  bool hasErrors() const { return errors != 0; }
  /// The first kShown errors in the order of their report.
  std::span<const Diagnostic> diagnostics() const { return kept; }

  /// All of it as text for a terminal; `colour` adds ANSI colours.
  std::string render(bool colour = false) const;

private:
  const SourceManager &sources;
  std::vector<Diagnostic> kept;
  size_t errors = 0;
};

} // namespace heed

#endif // HEED_SUPPORT_DIAGNOSTICS_H
