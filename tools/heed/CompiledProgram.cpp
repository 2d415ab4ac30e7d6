//===- CompiledProgram.cpp - a program compiled to run at once -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "CompileFlags.h"
#include "TunedTiles.h"
#include "WeightsHeader.h"

#include "heed/Target/CPU/Cache.h"

#include <cstdio>
#include <dlfcn.h>
#include <unistd.h>

using namespace heed;

/// The library compiled from the program, from the cache where it is there. `code` is set where
/// that fails by a mistake of the compiler's.
static ErrorOr<std::string> compileCached(const std::string &path, const std::string &weights,
                                          CompilerOptions &options, llvm::StringRef optionsKey,
                                          ExitCode &code, bool &wasCompiled) {
  ErrorOr<std::string> text = readTextFile(path);
  if (!text)
    return text.error();
  auto header = WeightsHeader::openIfNamed(weights);
  if (!header)
    return header.error();
  if (options.sets.empty()) {
    auto set = hostInstructionSet();
    if (!set)
      return set.error();
    options.sets = {*set};
  }
  auto tiles = useTunedTiles(options);
  if (!tiles)
    return tiles.error();
  auto cache = ArtifactCache::openDefault();
  if (!cache)
    return cache.error();
  Compiler compiler(path, std::move(*text), options);
  if (!compiler.check(header->get(), readTextFile))
    return makeError("");
  CacheKey key;
  key.add("text", compiler.allText())
      .add("header", *header ? (*header)->facts() : "")
      .add("options", optionsKey)
      .add("tiles", *tiles);
  for (const InstructionSet *set : options.sets)
    key.add("set", set->name);
  if (std::optional<std::string> known = cache->lookup(key, ".so"))
    return *known;
  wasCompiled = true;
  bool onTerminal = isatty(STDERR_FILENO);
  if (onTerminal)
    std::fprintf(stderr, "compiling %s …\n", path.c_str());
  auto stored = cache->store(key, ".so", [&](llvm::StringRef output) {
    return buildArtifact(compiler, Emit::Library, output.str());
  });
  code = exitCode(compiler);
  return stored;
}

ErrorOr<const heed_artifact *>
heed::compileAndLoad(const std::string &path, const std::string &weights, CompilerOptions options,
                     llvm::StringRef optionsKey, ExitCode &code, bool *wasCompiled) {
  code = kBadInput;
  bool isNew = false;
  auto library = compileCached(path, weights, options, optionsKey, code, isNew);
  if (wasCompiled)
    *wasCompiled = isNew;
  if (!library)
    return library.error();
  void *handle = dlopen(library->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return makeError("can't load the compiled model: " + std::string(dlerror()));
  auto *artifact = static_cast<const heed_artifact *>(dlsym(handle, "heed_artifact_export"));
  if (!artifact)
    return makeError("'" + *library + "' isn't a compiled model: remove it and run again");
  return artifact;
}
