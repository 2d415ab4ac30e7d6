//===- VerifyReport.cpp - what heed verify found -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VerifyReport.h"

#include "llvm/Support/JSON.h"

#include <cmath>
#include <fmt/format.h>

using namespace heed;
using namespace heed::verification;
using How = PassRecord::How;
namespace json = llvm::json;

std::string heed::textReport(const ProgramVerifier &verifier, bool agrees) {
  if (!agrees)
    return {};
  std::string text;
  for (const NumericChecker::Function &function : verifier.checker().functions()) {
    text += fmt::format("{}: {} inputs", function.program.name, function.cases.size());
    if (function.leftOut)
      text += fmt::format(", {} left out as too slow (--steps allows more)", function.leftOut);
    text += '\n';
  }
  for (const std::string &skipped : verifier.checker().skippedFunctions())
    text += fmt::format("not verified: {}\n", skipped);
  text += fmt::format("\n{:<8} {:>6} {:>9} {:>9} {:>8}  {}\n", "phase", "passes", "evaluated",
                      "unchanged", "as code", "worst error");
  for (Phase phase : {Phase::Attn, Phase::Fused, Phase::Tiled, Phase::Vector, Phase::LLVM}) {
    int counts[3] = {};
    double worst = 0;
    for (const PassRecord &record : verifier.passes()) {
      if (record.phase != phase)
        continue;
      ++counts[static_cast<int>(record.how)];
      worst = std::max(worst, record.worst);
    }
    text += fmt::format("{:<8} {:>6} {:>9} {:>9} {:>8}  {:.1e}\n", phaseName(phase).str(),
                        counts[0] + counts[1] + counts[2], counts[0], counts[1], counts[2], worst);
  }
  for (const CodeRecord &code : verifier.codes())
    text += code.wasRun ? fmt::format("{:<46}{:.1e}\n", std::string("code for ") + code.set->name,
                                      code.worst)
                        : fmt::format("code for {} can't run on this machine\n", code.set->name);
  return text;
}

/// JSON has no infinity.
static json::Value number(double value) {
  return std::isfinite(value) ? json::Value(value) : json::Value(nullptr);
}

static json::Value blameOf(const ProgramVerifier &verifier, const Blame &blame) {
  std::string place;
  llvm::raw_string_ostream stream(place);
  if (auto at = mlir::dyn_cast<mlir::FileLineColLoc>(mlir::LocationAttr(blame.place)))
    stream << at.getFilename().getValue() << ':' << at.getLine() << ':' << at.getColumn();
  return json::Object{{"pass", blame.pass},
                      {"pipeline", blame.pipeline},
                      {"function", blame.difference.function},
                      {"op", blame.op},
                      {"place", place},
                      {"error", number(blame.difference.error)},
                      {"allowed", blame.difference.allowed},
                      {"what", describe(verifier.checker(), blame.difference)},
                      {"module", blame.reproducer.module},
                      {"input", blame.reproducer.input}};
}

std::string heed::jsonReport(const ProgramVerifier &verifier, bool agrees) {
  static constexpr const char *kHow[] = {"evaluated", "unchanged", "as code"};
  json::Array functions, passes, codes;
  for (const NumericChecker::Function &function : verifier.checker().functions())
    functions.push_back(json::Object{{"name", function.program.name},
                                     {"inputs", static_cast<int64_t>(function.cases.size())},
                                     {"left_out", static_cast<int64_t>(function.leftOut)}});
  for (const PassRecord &record : verifier.passes())
    passes.push_back(json::Object{{"phase", phaseName(record.phase)},
                                  {"pass", record.pass},
                                  {"for", record.set->name},
                                  {"how", kHow[static_cast<int>(record.how)]},
                                  {"error", number(record.worst)}});
  for (const CodeRecord &code : verifier.codes())
    codes.push_back(
        json::Object{{"for", code.set->name}, {"run", code.wasRun}, {"error", number(code.worst)}});
  json::Object all{{"agrees", agrees},
                   {"functions", std::move(functions)},
                   {"not_verified", json::Array(verifier.checker().skippedFunctions())},
                   {"passes", std::move(passes)},
                   {"code", std::move(codes)}};
  if (verifier.blame())
    all["blame"] = blameOf(verifier, *verifier.blame());
  std::string text;
  llvm::raw_string_ostream(text) << json::Value(std::move(all)) << '\n';
  return text;
}
