//===- Check.cpp - holds a random program against the oracle --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How large an error may be
// -------------------------
// A fused program rounds at other places than the formula, so it can't be equal
// to it. What it must not do is to be worse than necessary: its error against
// f64 may be twice that of the unfused program in f32, which is measured in
// two ways (compiled without fusion, and evaluated formula by formula with each
// operation rounded to f32), and the larger counts. Where that is next to nothing, because
// a text of one token leaves nothing to sum, the rounding of a few operations
// is allowed all the same.
//
// The two can be lucky: with scores of 100 a pattern of few keys turns on the last bits
// of two of them. So what the result moves by when the arguments themselves
// change in their last bit counts too; no program in f32 can be expected to do better.
// Among 100,000 programs some are lucky in all of that. So before a fused program is called
// wrong, the formula is evaluated in f32 and f64 for many arguments that differ in their last
// bits, each a draw of what rounding its sums costs, and compiled unfused for the same processor.
// The draws leave one piece of luck as it was: a sum of 1,030 is rounded to twice the share of
// itself that one of 1,020 is. Scores divided by sqrt(depth) before they are summed lie elsewhere
// between the powers of two than those that are scaled after, as the passes do. So each draw is
// evaluated in both ways.
//
//===----------------------------------------------------------------------===//

#include "Check.h"

#include "JitProgram.h"
#include "Oracle.h"

#include "heed/Runtime/Cpu.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <utility>

using namespace heed;
using namespace heed::random_programs;

namespace {

/// Relative L2 errors that are allowed however small the unfused program's is.
constexpr double kFewRoundings = 8 * 0x1p-24;

class ProgramCheck {
public:
  ProgramCheck(const RandomProgram &program, uint64_t seed, Ways ways)
      : program(program), text(program.print()), ways(ways), dice(seed) {}

  Verdict run() {
    if (auto done = tryRun(); !done)
      verdict.failure = done.message();
    return verdict;
  }

private:
  ErrorOr<void> tryRun();
  std::vector<Setting> drawSettings();
  void drawArguments(const heed_function &function);
  ErrorOr<double> errorOf(const Setting &setting, const JitProgram &compiled);
  ErrorOr<std::vector<float>> runOnce(heed_model &model, bool inPieces);
  ErrorOr<void> checkInvariance(heed_model &model, const std::vector<float> &whole);
  ErrorOr<double> compare(const std::vector<float> &result,
                          const std::vector<double> &expected) const;
  ErrorOr<double> errorOfOneBit(int tries, bool roundToo);
  ErrorOr<double> errorOfUnfused(const Setting &fused);

  const RandomProgram &program;
  std::string text;
  Ways ways;
  Dice dice;
  std::unique_ptr<Oracle> oracle;
  std::vector<Argument> arguments;
  std::vector<int64_t> sizes;
  std::vector<double> exact;
  std::vector<int64_t> pieces;
  Verdict verdict;
};

} // namespace

//===----------------------------------------------------------------------===//
// What is run
//===----------------------------------------------------------------------===//

std::vector<Setting> ProgramCheck::drawSettings() {
  bool has512 = cpuFeatures() & HEED_AVX512;
  // Compiling is what takes the time, and -O0 takes a third of it.
  auto level = [&] { return dice.pick({0u, 0u, 0u, 1u, 2u, 3u}); };
  const char *any = has512 && dice.percent(50) ? "avx512" : "avx2";
  if (ways == Ways::One) {
    bool fused = dice.percent(85), isStep = program.form == RandomProgram::Form::Step;
    unsigned seldom = dice.percent(96) ? 0 : dice.pick({1u, 2u, 3u});
    Setting setting{any, seldom, fused, "f32", fused && dice.percent(40)};
    setting.verifyEach = dice.percent(20);
    if (isStep && dice.percent(15))
      setting.cacheType = dice.pick({"f16", "bf16", "int8"});
    return {setting};
  }
  std::vector<Setting> settings = {{any, level(), false, "f32"}};
  // Most programs are fused for one instruction set alone.
  bool both = dice.percent(35);
  if (both || !has512 || dice.percent(50))
    settings.push_back({"avx2", level(), true, "f32"});
  if (has512 && (both || settings.size() == 1))
    settings.push_back({"avx512", level(), true, "f32"});
  if (program.form == RandomProgram::Form::Step && dice.percent(30))
    settings.push_back({any, level(), true, dice.pick({"f16", "bf16", "int8"})});
  for (Setting &setting : settings)
    setting.invariant = setting.fused && dice.percent(40);
  return settings;
}

void ProgramCheck::drawArguments(const heed_function &function) {
  sizes.clear();
  for (int32_t s = 0; s < function.n_sizes; ++s)
    sizes.push_back(program.sizes.at(function.sizes[s]));
  for (int32_t p = 0; p < function.n_params; ++p) {
    const heed_tensor &param = function.params[p];
    std::string name = param.name;
    Argument argument;
    int64_t count = 1;
    for (int32_t axis = 0; axis < param.rank; ++axis) {
      int64_t dim = param.dims[axis];
      argument.shape.push_back(dim < 0 ? sizes[-1 - dim] : dim);
      count *= argument.shape.back();
    }
    argument.isInteger = param.element == HEED_I32;
    int64_t keys = program.sizes.contains("m") ? program.sizes.at("m") : program.sizes.at("n");
    int64_t most = name == "tokens" ? 39 : name == "prefix" || name == "length" ? keys : 3;
    float bound = name == "q" || name == "k" ? 2 * program.scale : 2;
    bool isSorted = name == "segment" && dice.percent(50);
    for (int64_t i = 0; i < count; ++i) {
      if (argument.isInteger)
        argument.integers.push_back(
            static_cast<int32_t>(isSorted ? i * 4 / count : dice.between(0, most)));
      else
        argument.floats.push_back(dice.real(bound));
    }
    arguments.push_back(std::move(argument));
  }
  for (int64_t left = program.sizes.at("n"); left > 0; left -= pieces.back())
    pieces.push_back(dice.between(1, std::min<int64_t>(left, dice.pick({1, 3, 20, 200}))));
}

ErrorOr<std::vector<float>> ProgramCheck::runOnce(heed_model &model, bool inPieces) {
  // What the code forgets to write is found.
  std::vector<float> result(exact.size(), NAN);
  if (model.artifact->functions[0].kind == HEED_PLAIN) {
    std::vector<const void *> params;
    for (const Argument &argument : arguments)
      params.push_back(argument.data());
    void *results[] = {result.data()};
    if (Status status = model.call(0, sizes.data(), params.data(), results); !status.ok())
      return makeError(status.message);
    return result;
  }
  std::unique_ptr<heed_session> session;
  if (Status status = heed_session::create(model, 0, 0, session); !status.ok())
    return makeError(status.message);
  int64_t n = program.sizes.at("n"), done = 0;
  std::vector<int64_t> whole{n};
  for (int64_t piece : inPieces ? pieces : whole) {
    Status status = session->step(arguments[0].integers.data() + done, piece, piece,
                                  result.data() + done * session->vocabulary());
    if (!status.ok())
      return makeError(status.message);
    done += piece;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// What is compared
//===----------------------------------------------------------------------===//

static std::string spell(const std::vector<int64_t> &numbers) {
  return fmt::format("{}", fmt::join(numbers, " + "));
}

/// What is computed for a batch, and for a text as a whole, must be computed for its parts.
ErrorOr<void> ProgramCheck::checkInvariance(heed_model &model, const std::vector<float> &whole) {
  const heed_function &function = model.artifact->functions[0];
  if (function.kind == HEED_STEP) {
    auto split = runOnce(model, /*inPieces=*/true);
    if (!split)
      return split.error();
    if (std::memcmp(split->data(), whole.data(), whole.size() * sizeof(float)) != 0)
      return makeError("in pieces of " + spell(pieces) + " it isn't the same");
    return {};
  }
  auto batchSize = std::find_if(function.sizes, function.sizes + function.n_sizes,
                                [](const char *name) { return std::strcmp(name, "batch") == 0; });
  int64_t number = batchSize - function.sizes;
  if (number == function.n_sizes)
    return {};
  std::vector<int64_t> single = sizes;
  int64_t batch = std::exchange(single[number], 1);
  for (int64_t b = 0; b < batch; ++b) {
    std::vector<const void *> params;
    for (int32_t p = 0; p < function.n_params; ++p) {
      const heed_tensor &param = function.params[p];
      bool hasBatch = param.rank > 0 && param.dims[0] == -1 - number;
      size_t offset = hasBatch ? arguments[p].count() / batch * b * sizeof(float) : 0;
      params.push_back(static_cast<const char *>(arguments[p].data()) + offset);
    }
    std::vector<float> result(whole.size() / batch, NAN);
    void *results[] = {result.data()};
    if (Status status = model.call(0, single.data(), params.data(), results); !status.ok())
      return makeError(status.message);
    if (std::memcmp(result.data(), whole.data() + b * result.size(),
                    result.size() * sizeof(float)) != 0)
      return makeError(fmt::format("element {} of the batch isn't the same alone", b));
  }
  return {};
}

/// The relative L2 error of `result`, or what is wrong in kind.
ErrorOr<double> ProgramCheck::compare(const std::vector<float> &result,
                                      const std::vector<double> &expected) const {
  double difference = 0, size = 0;
  int64_t width = program.form == RandomProgram::Form::Step ? 40 : program.width;
  for (size_t row = 0; row < expected.size(); row += width) {
    bool isZero = true, staysZero = true;
    for (size_t i = row; i < row + width; ++i) {
      if (!std::isfinite(result[i]) && std::isfinite(expected[i]))
        return makeError(fmt::format("element {} is {} and not {}", i, result[i], expected[i]));
      isZero &= expected[i] == 0;
      staysZero &= result[i] == 0;
      difference += (result[i] - expected[i]) * (result[i] - expected[i]);
      size += expected[i] * expected[i];
    }
    if (isZero && !staysZero)
      return makeError(fmt::format("row {} sees nothing and isn't zero", row / width));
  }
  return std::sqrt(difference / std::max(size, 1e-30));
}

ErrorOr<double> ProgramCheck::errorOf(const Setting &setting, const JitProgram &compiled) {
  auto wrong = [&](const std::string &what) { return makeError(setting.print() + ": " + what); };
  std::vector<float> first;
  double error = 0;
  for (int threads : {1, 2}) {
    auto model = compiled.open(oracle->weights(), threads);
    if (!model)
      return wrong(model.message());
    bool isStep = (*model)->artifact->functions[0].kind == HEED_STEP;
    if (isStep != (program.form == RandomProgram::Form::Step))
      return wrong(isStep ? "a plain function became a step" : "no cache was derived");
    for (bool inPieces : {false, true}) {
      if (inPieces && !isStep)
        continue;
      auto result = runOnce(**model, inPieces);
      if (!result)
        return wrong(result.message());
      std::string how = inPieces ? "in pieces of " + spell(pieces) : "whole";
      auto compared = compare(*result, exact);
      if (!compared)
        return wrong(how + ": " + compared.message());
      error = std::max(error, *compared);
      if (!inPieces && threads == 1)
        first = *result;
      // NaN equals NaN, 0 differs from -0.
      if (!inPieces && std::memcmp(first.data(), result->data(), first.size() * sizeof(float)) != 0)
        return wrong("two threads compute something else than one");
    }
    if (setting.invariant)
      if (auto same = checkInvariance(**model, first); !same)
        return wrong(same.message());
  }
  return error;
}

/// How far the result moves when the last bit of each argument changes, at most in so many tries.
/// `roundToo`: or how far the formula in f32 is from it there, scaling scores before
/// or after their sums, where that is more.
ErrorOr<double> ProgramCheck::errorOfOneBit(int tries, bool roundToo) {
  std::vector<Argument> original = arguments;
  double most = 0;
  for (; tries > 0; --tries) {
    for (size_t a = 0; a < arguments.size(); ++a)
      for (size_t i = 0; i < arguments[a].floats.size(); ++i)
        arguments[a].floats[i] =
            original[a].floats[i] * (1 + (dice.percent(50) ? 1 : -1) * 0x1p-23f);
    auto moved = oracle->evaluate(arguments, reference::Precision::Exact);
    if (!moved)
      return moved.error();
    auto error = compare({moved->begin(), moved->end()}, exact);
    if (!error)
      return makeError("the last bits of the arguments matter: " + error.message());
    most = std::max(most, *error);
    if (!roundToo)
      continue;
    for (Phase phase : {Phase::Formula, Phase::Attn}) {
      auto rounded = oracle->evaluate(arguments, reference::Precision::AsTyped, phase);
      if (!rounded)
        return rounded.error();
      error = compare({rounded->begin(), rounded->end()}, *moved);
      if (!error)
        return makeError("the formula in f32: " + error.message());
      most = std::max(most, *error);
    }
  }
  arguments = std::move(original);
  return most;
}

/// The error of the program that is compiled as `fused` is, but for fusion.
ErrorOr<double> ProgramCheck::errorOfUnfused(const Setting &fused) {
  Setting unfused = fused;
  unfused.fused = unfused.invariant = false;
  auto compiled = JitProgram::compile(text, unfused);
  if (!compiled)
    return makeError(unfused.print() + ": " + compiled.message());
  return errorOf(unfused, **compiled);
}

ErrorOr<void> ProgramCheck::tryRun() {
  std::vector<Setting> settings = drawSettings();
  auto created = Oracle::create(text);
  if (!created)
    return created.error();
  oracle = std::move(*created);
  auto compile = [&](const Setting &setting) -> ErrorOr<std::unique_ptr<JitProgram>> {
    auto compiled = JitProgram::compile(text, setting);
    if (!compiled)
      return makeError(setting.print() + ": " + compiled.message());
    return compiled;
  };
  auto first = compile(settings.front());
  if (!first)
    return first.error();
  drawArguments((*first)->function());
  auto evaluated = oracle->evaluate(arguments, reference::Precision::Exact);
  if (!evaluated)
    return evaluated.error();
  exact = std::move(*evaluated);
  auto rounded = oracle->evaluate(arguments, reference::Precision::AsTyped);
  if (!rounded)
    return rounded.error();
  auto compared = compare({rounded->begin(), rounded->end()}, exact);
  if (!compared)
    return makeError("the formula in f32: " + compared.message());
  auto moved = errorOfOneBit(/*tries=*/3, /*roundToo=*/false);
  if (!moved)
    return moved.error();
  double unfused = std::max(*compared, *moved);
  auto allowedWhenFused = [&] { return 2 * unfused + kFewRoundings; };

  for (const Setting &setting : settings) {
    auto compiled = &setting == &settings.front() ? std::move(first) : compile(setting);
    if (!compiled)
      return compiled.error();
    auto error = errorOf(setting, **compiled);
    if (!error)
      return error.error();
    std::string type = setting.cacheType;
    // What keys and values lose by being stored, several layers of it.
    double allowed = type == "f16"    ? 4e-3
                     : type == "bf16" ? 3e-2
                     : type == "int8" ? 8e-2
                                      : allowedWhenFused();
    if (!setting.fused && type == "f32") {
      unfused = std::max(unfused, *error);
      allowed = 1e-4;
    }
    if (*error > allowed && setting.fused && type == "f32") {
      auto alike = errorOfUnfused(setting);
      auto furthest = errorOfOneBit(/*tries=*/20, /*roundToo=*/true);
      if (!alike || !furthest)
        return alike ? furthest.error() : alike.error();
      unfused = std::max({unfused, *alike, *furthest});
      allowed = allowedWhenFused();
    }
    if (*error > allowed)
      return makeError(fmt::format("{}: the error is {:.3g} where {:.3g} is allowed",
                                   setting.print(), *error, allowed));
    if (type == "f32")
      verdict.worstError = std::max(verdict.worstError, *error);
    if (type == "f32" && setting.fused && *error > kFewRoundings)
      verdict.worstRatio = std::max(verdict.worstRatio, *error / unfused);
  }
  return {};
}

Verdict random_programs::check(const RandomProgram &program, uint64_t seed, Ways ways) {
  return ProgramCheck(program, seed, ways).run();
}
