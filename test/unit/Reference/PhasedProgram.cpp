//===- PhasedProgram.cpp - a program, evaluated in each phase -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PhasedProgram.h"

#include "SyntheticHeader.h"

#include "heed/Frontend/Frontend.h"
#include "heed/Frontend/MLIRGen.h"
#include "heed/Pipelines/RegisterInterfaces.h"
#include "heed/Support/SourceManager.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

using namespace heed;
using namespace heed::reference;

std::string heed::reference::exampleText(const std::string &name) {
  std::stringstream text;
  text << std::ifstream(HEED_EXAMPLES_DIR "/" + name).rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

std::string heed::reference::replaced(std::string text, const std::string &from,
                                      const std::string &to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

PhasedProgram::PhasedProgram(const std::string &text, const char *header, int64_t chunk,
                             const char *attentionType) {
  mlir::DialectRegistry registry;
  registerInterfaces(registry);
  context = std::make_unique<mlir::MLIRContext>(registry, mlir::MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  SourceManager sources;
  uint32_t file = sources.addBuffer("test.heed", text);
  DiagnosticEngine diagnostics(sources);
  test::SyntheticHeader synthetic(header ? header : "");
  std::optional<program::Program> program =
      parseAndCheck(sources, file, header ? &synthetic : nullptr, {}, diagnostics);
  if (!program) {
    ADD_FAILURE() << diagnostics.render(false);
    return;
  }
  phases[Phase::Formula] = emitModule(*context, *program, &sources);
  for (Phase phase : {Phase::Attn, Phase::Fused, Phase::Tiled, Phase::Vector}) {
    Phase before = static_cast<Phase>(static_cast<int>(phase) - 1);
    mlir::OwningOpRef<mlir::ModuleOp> module(phases[before]->clone());
    mlir::PassManager manager(context.get());
    PipelineOptions options;
    options.chunk = chunk;
    options.attentionType = attentionType;
    buildPipeline(manager, before, phase, options);
    if (failed(manager.run(*module))) {
      ADD_FAILURE() << "phase " << static_cast<int>(phase) << " failed";
      return;
    }
    phases[phase] = std::move(module);
  }
}

Array PhasedProgram::floats(std::vector<int64_t> shape, uint64_t seed) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  std::vector<double> values;
  uint64_t state = seed * 2 + 1;
  for (int64_t element = 0; element < count; ++element) {
    state = state * 6364136223846793005 + 1442695040888963407;
    values.push_back(static_cast<double>(static_cast<int32_t>(state >> 40)) * 0x1p-23 - 1);
  }
  return Array::floats(mlir::Float32Type::get(context.get()), shape, values);
}

mlir::func::FuncOp PhasedProgram::function(Phase phase, const std::string &name) {
  return phases[phase]->lookupSymbol<mlir::func::FuncOp>(name);
}

Array PhasedProgram::bufferFor(const std::string &name, unsigned number, int64_t size) {
  auto type = mlir::cast<mlir::ShapedType>(function(Phase::Tiled, name).getArgumentTypes()[number]);
  llvm::SmallVector<int64_t> shape(type.getShape());
  for (int64_t &extent : shape)
    extent = mlir::ShapedType::isDynamic(extent) ? size : extent;
  return Array::uninitialised(type.getElementType(), shape);
}

/// Reports an error that there is.
static bool reported(llvm::Error error) {
  if (!error)
    return false;
  ADD_FAILURE() << llvm::toString(std::move(error));
  return true;
}

std::vector<double> PhasedProgram::call(Phase phase, const std::string &name,
                                        const Array &parameter, Precision precision) {
  Evaluator evaluator(*phases[phase], weights, {.precision = precision});
  int64_t n = parameter.shape.front();
  if (phase < Phase::Tiled) {
    auto results = evaluator.call(name, {parameter});
    return reported(results.takeError()) ? std::vector<double>()
                                         : std::get<Array>(results->front()).toFloats();
  }
  Array result = bufferFor(name, 1, n);
  llvm::Error error = phase == Phase::Tiled ? evaluator.call(name, {parameter, result}).takeError()
                                            : evaluator.callEntry(name, {n}, {parameter, result});
  reported(std::move(error));
  return result.toFloats();
}

std::vector<double> PhasedProgram::feed(Phase phase, const std::string &name,
                                        const std::vector<int64_t> &tokens, size_t piece,
                                        Precision precision) {
  Evaluator evaluator(*phases[phase], weights, {.precision = precision});
  mlir::Type i32 = mlir::IntegerType::get(context.get(), 32);
  int64_t capacity = tokens.size() + 3;
  // Tokens, past, first, caches, the result.
  unsigned numCaches = function(Phase::Tiled, name).getNumArguments() - 4;
  std::vector<Array> caches;
  for (unsigned cache = 0; cache != numCaches; ++cache)
    caches.push_back(bufferFor(name, 3 + cache, capacity));
  if (phase < Phase::Fused)
    piece = tokens.size();
  std::vector<double> logits;
  for (size_t past = 0; past < tokens.size(); past += piece) {
    llvm::ArrayRef<int64_t> now =
        llvm::ArrayRef(tokens).slice(past, std::min(piece, tokens.size() - past));
    int64_t rows = now.size(), before = past, first = 0;
    std::vector<Value> arguments = {Array::integers(i32, {rows}, now)};
    if (phase >= Phase::Fused) {
      arguments.insert(arguments.end(), {before, first});
      arguments.insert(arguments.end(), caches.begin(), caches.end());
    }
    Array result = bufferFor(name, 3 + numCaches, rows);
    llvm::Error error = llvm::Error::success();
    if (phase == Phase::Vector) {
      std::vector<Array> buffers = {std::get<Array>(arguments.front())};
      buffers.insert(buffers.end(), caches.begin(), caches.end());
      buffers.push_back(result);
      error = evaluator.callEntry(name, {rows, before, first, capacity}, buffers);
    } else {
      if (phase == Phase::Tiled)
        arguments.push_back(result);
      auto results = evaluator.call(name, arguments);
      error = results.takeError();
      if (phase < Phase::Tiled && results) {
        result = std::get<Array>(results->front());
        for (size_t cache = 1; cache < results->size(); ++cache)
          caches[cache - 1] = std::get<Array>((*results)[cache]);
      }
    }
    if (reported(std::move(error)))
      return {};
    std::vector<double> values = result.toFloats();
    logits.insert(logits.end(), values.begin(), values.end());
  }
  steps = evaluator.steps();
  return logits;
}
