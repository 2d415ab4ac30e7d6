//===- Compile.cpp - heed compile: a program to code, or to a phase's IR -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "CompileFlags.h"
#include "WeightsHeader.h"

#include "heed/Pipelines/Compiler.h"
#include "heed/Target/CPU/Header.h"
#include "heed/Target/CPU/Link.h"
#include "heed/Verification/NumericInstrumentation.h"

#include "llvm/Support/Path.h"

#include <cstdio>

using namespace heed;

/// Writes to `path`, or to standard output where there is none.
static int deliver(const std::string &path, llvm::StringRef contents) {
  if (path.empty() || path == "-") {
    std::fwrite(contents.data(), 1, contents.size(), stdout);
    return std::fflush(stdout) == 0 ? kDone : fail("can't write to standard output");
  }
  auto written = writeFile(path, contents);
  return written ? int(kDone) : fail(written.message());
}

ExitCode heed::exitCode(const Compiler &compiler) {
  return compiler.failedInternally() ? kInternalError : kBadInput;
}

ErrorOr<void> heed::buildArtifact(Compiler &compiler, Emit emit, const std::string &output) {
  ArtifactUse use = emit == Emit::Library      ? ArtifactUse::Library
                    : emit == Emit::Executable ? ArtifactUse::Executable
                                               : ArtifactUse::Object;
  auto object = compiler.code(CodeFormat::Object, use);
  if (!object)
    return object.error();
  if (emit == Emit::Object) {
    if (auto written = writeFile(output, *object); !written)
      return written;
  } else {
    auto folder = findRuntimeFolder();
    if (!folder)
      return folder.error();
    LinkInput input{{std::move(*object)}, *folder};
    if (emit == Emit::Executable)
      return linkExecutable(input, output);
    auto symbols = libraryExports(compiler.info());
    if (!symbols)
      return symbols.error();
    if (auto linked = linkLibrary(input, *symbols, output); !linked)
      return linked;
  }
  if (isSpecialFile(output)) // nothing stands beside a pipe
    return {};
  auto header = makeHeader(compiler.info());
  if (!header)
    return header.error();
  llvm::SmallString<128> path(output);
  llvm::sys::path::replace_extension(path, "h");
  return writeFile(path, *header);
}

int heed::compileCommand(int argc, char **argv) {
  ErrorOr<CompileFlags> flags = parseCompileFlags(argc, argv);
  if (!flags)
    return fail(flags.message());
  ErrorOr<std::string> text = readTextFile(flags->program);
  if (!text)
    return fail(text.message());
  auto header = WeightsHeader::openIfNamed(flags->weights);
  if (!header)
    return fail(header.message());
  bool found = false; // the compiler fails by itself where a pass is wrong
  if (flags->verifyNumerically)
    flags->options.instrument = [&](mlir::PassManager &manager) {
      verification::NumericVerificationOptions options;
      options.weightsPath = flags->weights;
      verification::verifyNumerically(manager, options, found);
    };
  Compiler compiler(flags->program, std::move(*text), flags->options);
  if (flags->emit == Emit::Ast) {
    std::optional<std::string> tree = compiler.syntaxTree();
    return tree ? deliver(flags->output, *tree) : int(kBadInput);
  }
  if (!compiler.check(header->get(), readTextFile))
    return kBadInput;
  if (std::optional<Phase> phase = flags->phase()) {
    if (!compiler.runTo(*phase))
      return exitCode(compiler);
    return deliver(flags->output, compiler.printed());
  }
  if (flags->emit == Emit::Assembly || flags->emit == Emit::LLVMIR) {
    auto code =
        compiler.code(flags->emit == Emit::Assembly ? CodeFormat::Assembly : CodeFormat::LLVM,
                      ArtifactUse::Object);
    return code ? deliver(flags->output, *code) : fail(code.message(), exitCode(compiler));
  }
  auto built = buildArtifact(compiler, flags->emit, flags->output);
  return built ? int(kDone) : fail(built.message(), exitCode(compiler));
}
