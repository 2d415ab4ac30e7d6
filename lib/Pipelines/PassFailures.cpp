//===- PassFailures.cpp - whose mistake a failing pass is -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PassFailures.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cstdio>

using namespace mlir;
using namespace heed;

namespace {
/// A file in the folder for temporary ones that stays.
class ReproducerFile : public ReproducerStream {
public:
  ReproducerFile(int descriptor, StringRef path)
      : path(path), stream(descriptor, /*shouldClose=*/true) {}
  StringRef description() override { return path; }
  raw_ostream &os() override { return stream; }

private:
  std::string path;
  llvm::raw_fd_ostream stream;
};
} // namespace

PassFailures::PassFailures(const SourceManager &sources, MLIRContext *context)
    : printer(lines, context),
      inspector(context, [this](Diagnostic &diagnostic) { return inspect(diagnostic); }) {
  for (uint32_t file = 0; file < sources.size(); ++file)
    lines.AddNewSourceBuffer(
        llvm::MemoryBuffer::getMemBufferCopy(sources.text(file), sources.path(file)),
        llvm::SMLoc());
}

/// Succeeds where nothing else shall see the diagnostic.
LogicalResult PassFailures::inspect(Diagnostic &diagnostic) {
  if (finished)
    return success();
  if (diagnostic.getSeverity() == DiagnosticSeverity::Error) {
    std::string text = diagnostic.str();
    if (StringRef(text).contains("[E09"))
      ++passErrors;
    else if (StringRef(text).contains("[E0"))
      ++programErrors;
  }
  return failure();
}

void PassFailures::watch(PassManager &manager) {
  // The user's own flag for it comes first; a manager takes one.
  auto &flags = llvm::cl::getRegisteredOptions();
  if (auto flag = flags.find("mlir-pass-pipeline-crash-reproducer");
      flag != flags.end() && flag->second->getNumOccurrences() != 0)
    return;
  manager.enableCrashReproducerGeneration(
      [this](std::string &error) -> std::unique_ptr<ReproducerStream> {
        finished = true;
        if (blamesProgram())
          return nullptr;
        int descriptor;
        SmallString<128> path;
        if (std::error_code code =
                llvm::sys::fs::createTemporaryFile("heed-reproducer", "mlir", descriptor, path)) {
          error = code.message();
          return nullptr;
        }
        reproducer = path.str();
        return std::make_unique<ReproducerFile>(descriptor, path);
      });
}

void PassFailures::reportInternal() const {
  std::fputs("error: the compiler failed, and not by a mistake of the program's [E0901]\n", stderr);
  if (!reproducer.empty())
    std::fprintf(stderr,
                 "note: `heed-opt --run-reproducer %s` repeats it; please report it with that "
                 "file, which holds the program's formulas and none of its weights\n",
                 reproducer.c_str());
}
