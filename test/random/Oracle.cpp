//===- Oracle.cpp - a program's results in f64 ----------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Oracle.h"

#include "JitProgram.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <fmt/format.h>
#include <span>

using namespace heed;
using namespace heed::random_programs;

static CompilerOptions anyOptions() {
  CompilerOptions options;
  options.sets = {&allInstructionSets().back()};
  return options;
}

Oracle::Oracle(const std::string &text)
    : text(text), compiler("program.heed", text, anyOptions()) {}

ErrorOr<std::unique_ptr<Oracle>> Oracle::create(const std::string &text) {
  std::unique_ptr<Oracle> oracle(new Oracle(text));
  if (!checkText(oracle->compiler))
    return makeError("the program was refused");
  if (auto written = oracle->writeWeights(); !written)
    return written.error();
  return oracle;
}

/// Makes a safetensors file, in memory, of all weights as f32.
ErrorOr<void> Oracle::writeWeights() {
  std::string header, data;
  for (auto weight : compiler.ir().getOps<attn::WeightOp>()) {
    int64_t layers = std::max<int64_t>(weight.getLayers(), 1);
    for (int64_t layer = 0; layer < layers; ++layer) {
      auto values = source.dense(weight, layer);
      if (!values)
        return makeError(llvm::toString(values.takeError()));
      std::string name = weight.getTensor().str();
      if (size_t at = name.find("{l}"); at != std::string::npos)
        name.replace(at, 3, std::to_string(layer));
      size_t begin = data.size();
      for (double value : *values) {
        float stored = static_cast<float>(value);
        data.append(reinterpret_cast<const char *>(&stored), sizeof(stored));
      }
      std::string shape;
      for (int64_t extent : weight.getWeightType().getShape())
        shape += (shape.empty() ? "" : ",") + std::to_string(extent);
      header +=
          fmt::format("{}\"{}\":{{\"dtype\":\"F32\",\"shape\":[{}],\"data_offsets\":[{},{}]}}",
                      header.empty() ? "{" : ",", name, shape, begin, data.size());
    }
  }
  if (header.empty())
    return {};
  header += "}";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char *>(&length), sizeof(length));
  bytes += header + data;
  auto opened = WeightsFile::fromBytes(std::as_bytes(std::span(bytes)), "random weights");
  if (!opened)
    return opened.error();
  file = std::move(*opened);
  return {};
}

ErrorOr<mlir::ModuleOp> Oracle::irOf(Phase phase) {
  if (phase == Phase::Formula)
    return compiler.ir();
  if (!found) {
    found = std::make_unique<Compiler>("program.heed", text, anyOptions());
    if (!checkText(*found) || !found->runTo(phase))
      return makeError("the program was refused");
  }
  return found->ir();
}

ErrorOr<std::vector<double>> Oracle::evaluate(const std::vector<Argument> &arguments,
                                              reference::Precision precision, Phase phase) {
  auto ir = irOf(phase);
  if (!ir)
    return ir.error();
  auto function = *ir->getOps<mlir::func::FuncOp>().begin();
  llvm::SmallVector<reference::Value> values;
  for (auto [argument, type] : llvm::zip_equal(arguments, function.getArgumentTypes())) {
    mlir::Type element = mlir::getElementTypeOrSelf(type);
    if (argument.isInteger)
      values.push_back(reference::Array::integers(
          element, argument.shape,
          std::vector<int64_t>(argument.integers.begin(), argument.integers.end())));
    else
      values.push_back(reference::Array::floats(
          element, argument.shape,
          std::vector<double>(argument.floats.begin(), argument.floats.end())));
  }
  reference::EvaluatorOptions options;
  options.precision = precision;
  reference::Evaluator evaluator(*ir, source, options);
  auto results = evaluator.call(function.getName(), values);
  if (!results)
    return makeError("the oracle failed: " + llvm::toString(results.takeError()));
  return std::get<reference::Array>(results->front()).toFloats();
}
