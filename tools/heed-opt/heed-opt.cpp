//===- heed-opt.cpp - runs any pass alone on textual IR -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Conversion/Passes.h"
#include "heed/Dialect/Attn/Transforms/Passes.h"
#include "heed/Pipelines/Pipelines.h"
#include "heed/Pipelines/RegisterInterfaces.h"
#include "heed/Transforms/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

int main(int argc, char **argv) {
  DialectRegistry registry;
  heed::registerInterfaces(registry);
  heed::attn::registerPasses();
  heed::registerTransforms();
  heed::registerConversions();
  heed::registerPipelines();
  // Upstream passes that the pipelines use.
  registerTransformsPasses();
  registerConversionPasses();
  registerLinalgPasses();
  registerSCFPasses();
  bufferization::registerBufferizationPasses();
  memref::registerMemRefPasses();
  return asMainReturnCode(MlirOptMain(argc, argv, "Heed's pass driver\n", registry));
}
