//===- Module.h - the files of a program and what they declare ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_FRONTEND_SEMA_MODULE_H
#define HEED_LIB_FRONTEND_SEMA_MODULE_H

#include "heed/Frontend/Frontend.h"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace heed::sema {

/// An axis's length together with how the program spells it, for messages.
struct Dim {
  program::Extent extent;
  std::string spelling; ///< "d", or "" for a mere number

  bool operator==(const Dim &other) const { return extent == other.extent; }
};

/// What a name means in a whole file.
struct Global {
  enum Kind { Size, RuntimeSize, Int, Float, Weight, Poison };
  Kind kind = Poison;
  int64_t integer = 0; ///< of a Size or Int
  double number = 0;   ///< of a Float
  int32_t index = -1;  ///< of a RuntimeSize in Module::sizes, of a Weight in Program::weights
  SourceRange range;
};

/// One file. A name is looked up in its own declarations, then in those of the files it uses.
struct Unit {
  uint32_t file = 0;
  ast::File tree;
  std::vector<const Unit *> uses;
  std::map<std::string, Global, std::less<>> globals;
  std::map<std::string, const ast::Function *, std::less<>> functions;

  const Global *findGlobal(std::string_view name) const;
  /// The function and the file that declares it.
  std::pair<const ast::Function *, const Unit *> findFunction(std::string_view name) const;
};

/// A whole program while it is checked.
struct Module {
  Module(SourceManager &sources, DiagnosticEngine &diagnostics, const ModelHeader *header,
         const FileLoader &loader)
      : sources(sources), diagnostics(diagnostics), header(header), loader(loader) {}

  SourceManager &sources;
  DiagnosticEngine &diagnostics;
  const ModelHeader *header;
  const FileLoader &loader;

  std::deque<Unit> units; ///< the main file first
  std::vector<program::RuntimeSize> sizes;
  std::vector<std::vector<Dim>> weightDims; ///< parallel to Program::weights
  program::Program program;
  bool incomplete = false;   ///< a text couldn't be read in whole
  bool missesHeader = false; ///< E0401 was reported

  /// Reports an error unless the same one was reported for the same place: a function that is
  /// inlined twice has its mistakes once. Tells whether it was new.
  bool report(DiagId id, SourceRange range, std::string message);
  /// E0401, once: naming a file answers all questions of the header.
  void reportNoHeader(SourceRange range, std::string message);
  void note(SourceRange range, std::string message) { diagnostics.note(range, std::move(message)); }

  /// Reads the main file and all that it uses, and lists their functions.
  void load(uint32_t mainFile);
  /// Sizes, constants and weights, in the order of their declaration (Declarations.cpp).
  void declareGlobals(Unit &unit);
  /// The exported functions of the main file.
  void checkFunctions();
  /// The assertions of the main file (Assertions.cpp). Functions with errors have no known cost.
  void checkAssertions(bool functionsAreGood);

private:
  Unit *loadUnit(uint32_t file);
  void declareFunctions(Unit &unit);

  std::set<std::tuple<DiagId, uint32_t, uint32_t>> reported;
  std::map<std::string, Unit *> unitsByPath;
};

} // namespace heed::sema

#endif // HEED_LIB_FRONTEND_SEMA_MODULE_H
