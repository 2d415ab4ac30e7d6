//===- ExportedSymbols.cpp - the C functions of an artefact ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Target/CPU/Artifact.h"

#include "llvm/ADT/STLExtras.h"

#include <map>

using namespace heed;

std::string heed::artifactSymbol(const ArtifactInfo &info) {
  return "heed_artifact_" + info.stem();
}

ErrorOr<std::vector<ExportedSymbol>> heed::exportedSymbols(const ArtifactInfo &info) {
  using Kind = ExportedSymbol::Kind;
  std::vector<ExportedSymbol> symbols;
  std::string prefix = info.stem() + "_";
  symbols.push_back({Kind::Open, prefix + "open"});
  symbols.push_back({Kind::Close, prefix + "close"});
  symbols.push_back({Kind::LastError, prefix + "last_error"});
  for (auto [number, function] : llvm::enumerate(info.functions)) {
    int32_t index = static_cast<int32_t>(number);
    if (function.isStep)
      symbols.push_back({Kind::SessionNew, prefix + function.name + "_session", index});
    symbols.push_back({Kind::Call, prefix + function.name, index});
  }
  if (llvm::any_of(info.functions, [](const FunctionInfo &f) { return f.isStep; })) {
    symbols.push_back({Kind::SessionLength, prefix + "session_length"});
    symbols.push_back({Kind::SessionTruncate, prefix + "session_truncate"});
    symbols.push_back({Kind::SessionFree, prefix + "session_free"});
  }

  std::map<std::string, const ExportedSymbol *> taken;
  for (const ExportedSymbol &symbol : symbols) {
    auto [other, isNew] = taken.emplace(symbol.name, &symbol);
    if (isNew)
      continue;
    int32_t function = std::max(symbol.function, other->second->function);
    return makeError("function '" + info.functions[function].name + "' would be exported as '" +
                     symbol.name + "', which the artefact already uses: give it another name");
  }
  return symbols;
}

ErrorOr<std::vector<std::string>> heed::libraryExports(const ArtifactInfo &info) {
  auto symbols = exportedSymbols(info);
  if (!symbols)
    return symbols.error();
  std::vector<std::string> names = {"heed_artifact_export"};
  for (const ExportedSymbol &symbol : *symbols)
    names.push_back(symbol.name);
  return names;
}
