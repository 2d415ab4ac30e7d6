//===- heed-opt.cpp - runs any pass alone on textual IR -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Pipelines/RegisterInterfaces.h"
#include "heed/Pipelines/RegisterPasses.h"
#include "heed/Verification/NumericInstrumentation.h"

#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace mlir;
namespace cl = llvm::cl;

static cl::opt<std::string> verifyNumerically(
    "verify-each-numerically", cl::ValueOptional, cl::value_desc("INPUT.json"),
    cl::desc("evaluate public functions after each pass, on inputs by type or on one from a file, "
             "and say which pass changed what they compute"));

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  DialectRegistry registry;
  heed::registerInterfaces(registry);
  heed::registerPasses();
  auto [input, output] = registerAndParseCLIOptions(argc, argv, "Heed's pass driver\n", registry);
  if (!verifyNumerically.getNumOccurrences())
    return asMainReturnCode(MlirOptMain(argc, argv, input, output, registry));

  bool found = false;
  MlirOptMainConfig flags = MlirOptMainConfig::createFromCLOptions(), config = flags;
  config.setPassPipelineSetupFn([&](PassManager &manager) {
    heed::verification::NumericVerificationOptions options;
    options.savedInput = verifyNumerically;
    heed::verification::verifyNumerically(manager, options, found);
    return flags.setupPassPipeline(manager);
  });
  std::string error;
  std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(input, &error);
  auto written = file ? openOutputFile(output, &error) : nullptr;
  if (!written) {
    llvm::errs() << error << '\n';
    return EXIT_FAILURE;
  }
  if (failed(MlirOptMain(written->os(), std::move(file), registry, config)) || found)
    return EXIT_FAILURE;
  written->keep();
  return EXIT_SUCCESS;
}
