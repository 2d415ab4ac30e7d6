//===- Generate.cpp - heed generate: compiles, then continues a text -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "CompileFlags.h"
#include "WeightsHeader.h"

#include "heed/Runtime/Artifact.h"
#include "heed/Runtime/GenerateFlags.h"
#include "heed/Target/CPU/Cache.h"

#include <cstdio>
#include <dlfcn.h>
#include <unistd.h>

using namespace heed;

static constexpr const char *kHelp =
    "heed generate - continues a text with a model\n\n"
    "usage: heed generate PROGRAM.heed -m FILE -p TEXT [flags]\n\n"
    "The program is compiled for this processor first; what was compiled once is kept in\n"
    "~/.cache/heed. Only the new text goes to standard output.\n";
static constexpr const char *kExamples =
    "examples:\n"
    "  heed generate examples/llama.heed -m model.gguf -p \"A fluffy blue creature\" -n 32\n"
    "  heed generate examples/llama.heed -m model.gguf --chat -p \"Why is the sky blue?\" --temp "
    "0\n"
    "  heed generate examples/llama.heed -m model.gguf -f prompt.txt --echo -s 42\n";

/// The library compiled from the program, from the cache where it is there. `code` is set where
/// that fails by a mistake of the compiler's.
static ErrorOr<std::string> compileCached(const std::string &path, const std::string &weights,
                                          ExitCode &code) {
  ErrorOr<std::string> text = readTextFile(path);
  if (!text)
    return text.error();
  auto header = WeightsHeader::open(weights);
  if (!header)
    return header.error();
  auto set = hostInstructionSet();
  if (!set)
    return set.error();
  auto cache = ArtifactCache::openDefault();
  if (!cache)
    return cache.error();
  CompilerOptions options;
  options.sets = {*set};
  options.requireCache = true;
  Compiler compiler(path, std::move(*text), options);
  if (!compiler.check(header->get(), readTextFile))
    return makeError("");
  CacheKey key;
  key.add("text", compiler.allText()).add("header", (*header)->facts()).add("set", (*set)->name);
  if (std::optional<std::string> known = cache->lookup(key, ".so"))
    return *known;
  bool onTerminal = isatty(STDERR_FILENO);
  if (onTerminal)
    std::fprintf(stderr, "compiling %s …\n", path.c_str());
  auto stored = cache->store(key, ".so", [&](llvm::StringRef output) {
    return buildArtifact(compiler, Emit::Library, output.str());
  });
  code = exitCode(compiler);
  return stored;
}

/// What the library says of itself. It stays open until the process ends.
static ErrorOr<const heed_artifact *> openArtifact(const std::string &library) {
  void *handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return makeError("can't load the compiled model: " + std::string(dlerror()));
  auto *artifact = static_cast<const heed_artifact *>(dlsym(handle, "heed_artifact_export"));
  if (!artifact)
    return makeError("'" + library + "' isn't a compiled model: remove it and run again");
  return artifact;
}

int heed::generateCommand(int argc, char **argv) {
  auto flags = parseGenerateFlags(std::span<const char *const>(argv + 1, argc - 1));
  if (!flags)
    return fail(flags.message());
  if (flags->help) {
    std::string flagsHelp(generateFlagsHelp());
    std::printf("%s\n%s\n%s", kHelp, flagsHelp.c_str(), kExamples);
    return kDone;
  }
  if (flags->arguments.size() != 1)
    return fail("generate takes one program, such as examples/llama.heed, found " +
                std::to_string(flags->arguments.size()));
  if (flags->weights.empty())
    return fail("no weights file: name one with -m FILE");
  if (auto read = readPrompt(*flags, stdin); !read)
    return fail(read.message());
  ExitCode code = kBadInput;
  auto library = compileCached(flags->arguments.front(), flags->weights, code);
  if (!library)
    return fail(library.message(), code);
  auto artifact = openArtifact(*library);
  if (!artifact)
    return fail(artifact.message());
  GenerateStats stats;
  auto toStandardOutput = [](std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
           std::fflush(stdout) == 0;
  };
  Status status = generate(**artifact, flags->weights, flags->options, toStandardOutput, stats);
  if (status.code != 0) {
    fail(status.message);
    return status.code;
  }
  if (isatty(STDOUT_FILENO))
    std::putchar('\n');
  if (flags->stats)
    printStats(stats, stderr);
  return kDone;
}
