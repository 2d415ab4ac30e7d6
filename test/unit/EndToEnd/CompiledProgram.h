//===- CompiledProgram.h - a program that a test compiles -*- C++ -*-------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_ENDTOEND_COMPILEDPROGRAM_H
#define HEED_TEST_UNIT_ENDTOEND_COMPILEDPROGRAM_H

#include "heed/Runtime/Heed.h"

#include <cstdint>
#include <string>
#include <vector>

namespace heed::endtoend {

class Weights;

/// A folder that is removed with its files.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::string file(const std::string &name) const { return path + "/" + name; }

private:
  std::string path;
};

/// The text of a program in examples/.
std::string exampleText(const std::string &name);
/// `text` with the one occurrence of `from` replaced.
std::string replaced(std::string text, const std::string &from, const std::string &to);

struct CommandResult {
  int status;
  std::string output; ///< both streams
};
/// Runs `heed` with these arguments, each a word for the shell.
CommandResult runHeed(const std::string &arguments);

/// A program compiled by the `heed` tool for every instruction set, with its weights. It is opened
/// for each instruction set of this machine and for one thread and two: every result must be the
/// same for one thread and for two, bit by bit.
class CompiledProgram {
public:
  enum class Format { Safetensors, Gguf };

  /// Compiles `text` with more `flags` for `heed compile`, for the instruction sets `sets`; it runs
  /// with those that the processor has. A program without weights is given none.
  explicit CompiledProgram(const std::string &text, const Weights *weights = nullptr,
                           Format format = Format::Safetensors, const std::string &flags = "",
                           const std::vector<std::string> &sets = {"avx512", "avx2"});
  ~CompiledProgram();
  CompiledProgram(const CompiledProgram &) = delete;
  CompiledProgram &operator=(const CompiledProgram &) = delete;

  /// False where a step before failed, which the test has reported.
  bool ok() const { return !models.empty(); }

  /// Calls plain function `name` and returns its result of `count` elements, one vector for each
  /// instruction set.
  std::vector<std::vector<float>> call(const std::string &name, std::vector<int64_t> sizes,
                                       std::vector<const void *> params, int64_t count);

  /// Expects of plain function `name` that each of `rows` rows of x, [rows, columns], gives alone
  /// what it gives among the others, [rows, features], bit by bit.
  void expectSameAlone(const std::string &name, const float *x, int64_t rows, int64_t columns,
                       int64_t features);

  /// Feeds `tokens` to a new session of step function `name` in pieces of `piece` tokens and
  /// returns all logits, [tokens, vocabulary], one vector for each instruction set. Where `asked`
  /// is given, no more than that many rows of each piece are asked for and returned, its last ones.
  std::vector<std::vector<float>> feed(const std::string &name, const std::vector<int32_t> &tokens,
                                       int64_t piece, int64_t asked = INT64_MAX);

  const heed_artifact *artifact() const { return described; }
  /// The model for the best instruction set, with one thread.
  heed_model *model() const { return models.front().model; }

private:
  struct Opened {
    std::string isa;
    int threads;
    heed_model *model;
  };
  void build(const std::string &text, const Weights *weights, Format format,
             const std::string &flags, const std::vector<std::string> &sets);
  void open(const char *isa, int threads, const std::string &weightsPath);
  /// `run` for every model; equal for all thread counts.
  template <typename Run> std::vector<std::vector<float>> runAll(Run run);

  TemporaryFolder folder;
  void *library = nullptr;
  const heed_artifact *described = nullptr;
  std::vector<Opened> models;
};

} // namespace heed::endtoend

#endif // HEED_TEST_UNIT_ENDTOEND_COMPILEDPROGRAM_H
