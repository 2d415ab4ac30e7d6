//===- Module.cpp - the files of a program and what they declare ----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Module.h"

#include "FunctionSema.h"

#include "heed/Frontend/Parser.h"

#include <fmt/format.h>

using namespace heed;
using namespace heed::sema;

namespace {

/// No program needs more files, and a loader might never stop finding new ones.
constexpr size_t kMostFiles = 64;

std::string folderOf(std::string_view path) {
  size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? "" : std::string(path.substr(0, slash + 1));
}

std::string stemOf(std::string_view path) {
  size_t slash = path.rfind('/');
  if (slash != std::string_view::npos)
    path.remove_prefix(slash + 1);
  size_t dot = path.rfind('.');
  return std::string(dot == std::string_view::npos || dot == 0 ? path : path.substr(0, dot));
}

} // namespace

const Global *Unit::findGlobal(std::string_view name) const {
  auto own = globals.find(name);
  if (own != globals.end())
    return &own->second;
  for (const Unit *used : uses) {
    auto found = used->globals.find(name);
    if (found != used->globals.end())
      return &found->second;
  }
  return nullptr;
}

std::pair<const ast::Function *, const Unit *> Unit::findFunction(std::string_view name) const {
  auto own = functions.find(name);
  if (own != functions.end())
    return {own->second, this};
  for (const Unit *used : uses) {
    auto found = used->functions.find(name);
    if (found != used->functions.end())
      return {found->second, used};
  }
  return {nullptr, nullptr};
}

bool Module::report(DiagId id, SourceRange range, std::string message) {
  if (!reported.insert({id, range.file, range.begin}).second)
    return false;
  diagnostics.report(id, range, std::move(message));
  return true;
}

void Module::reportNoHeader(SourceRange range, std::string message) {
  if (!missesHeader)
    report(DiagId::E0401, range, std::move(message));
  missesHeader = true;
}

void Module::load(uint32_t mainFile) {
  program.name = stemOf(sources.path(mainFile));
  unitsByPath[std::string(sources.path(mainFile))] = nullptr; // replaced below; stops cycles
  loadUnit(mainFile);
}

Unit *Module::loadUnit(uint32_t file) {
  Unit &unit = units.emplace_back();
  unit.file = file;
  size_t before = diagnostics.errorCount();
  unit.tree = parse(sources, file, diagnostics);
  incomplete |= diagnostics.errorCount() != before;
  unitsByPath[std::string(sources.path(file))] = &unit;
  for (const ast::Declaration &declaration : unit.tree.declarations) {
    const auto *use = std::get_if<ast::Use>(&declaration);
    if (!use)
      continue;
    bool builtIn = use->file.text == "std";
    std::string path =
        builtIn ? "std.heed" : folderOf(sources.path(file)) + use->file.text + ".heed";
    std::string key = builtIn ? "<std>" : path;
    auto known = unitsByPath.find(key);
    if (known != unitsByPath.end()) {
      if (known->second != &unit)
        unit.uses.push_back(known->second);
      continue;
    }
    ErrorOr<std::string> text = makeError("other files can't be read here");
    if (builtIn)
      text = std::string(stdSource());
    else if (units.size() >= kMostFiles)
      text = makeError(fmt::format("more than {} files", kMostFiles));
    else if (loader)
      text = loader(path);
    if (!text) {
      report(DiagId::E0606, use->file.range,
             fmt::format("can't read {}: {}", path, text.message()));
      incomplete = true;
      continue;
    }
    unitsByPath[key] = nullptr;
    Unit *used = loadUnit(sources.addBuffer(path, std::move(*text)));
    unitsByPath[key] = used;
    unit.uses.push_back(used);
  }
  std::erase(unit.uses, nullptr);
  declareFunctions(unit);
  return &unit;
}

void Module::declareFunctions(Unit &unit) {
  std::map<std::string_view, SourceRange> ranges;
  for (const ast::Declaration &declaration : unit.tree.declarations) {
    const auto *function = std::get_if<ast::Function>(&declaration);
    if (!function)
      continue;
    auto [place, isNew] = unit.functions.emplace(function->name.text, function);
    if (isNew)
      continue;
    report(DiagId::E0301, function->name.range,
           fmt::format("the function `{}` is declared twice", function->name.text));
    note(place->second->name.range, "first declared here");
  }
}

void Module::checkFunctions() {
  const Unit &unit = units.front();
  for (const ast::Declaration &declaration : unit.tree.declarations) {
    const auto *function = std::get_if<ast::Function>(&declaration);
    if (!function || unit.functions.at(function->name.text) != function)
      continue;
    if (!FunctionSema::isExported(unit, *function))
      continue;
    program::Function result;
    FunctionSema sema(*this, result);
    sema.runExported(unit, *function);
    program.functions.push_back(std::move(result));
  }
}

std::optional<program::Program> heed::parseAndCheck(SourceManager &sources, uint32_t file,
                                                    const ModelHeader *header,
                                                    const FileLoader &loader,
                                                    DiagnosticEngine &diagnostics) {
  size_t before = diagnostics.errorCount();
  Module module(sources, diagnostics, header, loader);
  module.load(file);
  // What a text that can't be read would have defined isn't missing.
  if (module.incomplete)
    return std::nullopt;
  // Used files come after their users in the list and must be declared before them.
  for (auto unit = module.units.rbegin(); unit != module.units.rend(); ++unit)
    module.declareGlobals(*unit);
  module.checkFunctions();
  module.checkAssertions(/*functionsAreGood=*/diagnostics.errorCount() == before);
  if (diagnostics.errorCount() != before)
    return std::nullopt;
  return std::move(module.program);
}
