//===- CompiledProgram.cpp - a program that a test compiles ---------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompiledProgram.h"
#include "Weights.h"

#include "heed/Runtime/Cpu.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <span>
#include <sys/wait.h>

using namespace heed;
using namespace heed::endtoend;

TemporaryFolder::TemporaryFolder() {
  std::string pattern = std::filesystem::temp_directory_path() / "heed-end-to-end-XXXXXX";
  if (!mkdtemp(pattern.data())) {
    std::perror("mkdtemp");
    std::exit(1);
  }
  path = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

static std::string readAll(std::FILE *file) {
  std::string text;
  char buffer[4096];
  while (size_t count = std::fread(buffer, 1, sizeof(buffer), file))
    text.append(buffer, count);
  return text;
}

std::string endtoend::exampleText(const std::string &name) {
  std::FILE *file = std::fopen((HEED_EXAMPLES_DIR "/" + name).c_str(), "rb");
  EXPECT_TRUE(file) << name;
  if (!file)
    return {};
  std::string text = readAll(file);
  std::fclose(file);
  return text;
}

std::string endtoend::replaced(std::string text, const std::string &from, const std::string &to) {
  size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "'" << from << "' isn't in the program";
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

CommandResult endtoend::runHeed(const std::string &arguments) {
  std::FILE *pipe = popen((HEED_TOOL " " + arguments + " 2>&1").c_str(), "r");
  if (!pipe)
    return {-1, "popen failed"};
  std::string output = readAll(pipe);
  int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

CompiledProgram::CompiledProgram(const std::string &text, const Weights *weights, Format format,
                                 const std::string &flags, const std::vector<std::string> &sets) {
  build(text, weights, format, flags, sets);
}

void CompiledProgram::build(const std::string &text, const Weights *weights, Format format,
                            const std::string &flags, const std::vector<std::string> &sets) {
  std::string program = folder.file("program.heed"), so = folder.file("program.so");
  std::string path, arguments = "compile " + program + " -o " + so + " " + flags;
  for (const std::string &set : sets)
    arguments += (&set == &sets.front() ? " --mcpu=" : ",") + set;
  if (weights) {
    path = folder.file(format == Format::Gguf ? "weights.gguf" : "weights.safetensors");
    format == Format::Gguf ? weights->writeGguf(path) : weights->writeSafetensors(path);
    arguments += " --weights " + path;
  }
  std::FILE *file = std::fopen(program.c_str(), "wb");
  ASSERT_TRUE(file);
  std::fwrite(text.data(), 1, text.size(), file);
  ASSERT_EQ(std::fclose(file), 0);

  CommandResult compiled = runHeed(arguments);
  ASSERT_EQ(compiled.status, 0) << compiled.output;
  library = dlopen(so.c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_TRUE(library) << dlerror();
  described = static_cast<const heed_artifact *>(dlsym(library, "heed_artifact_export"));
  ASSERT_TRUE(described);
  for (const heed_variant &variant : std::span(described->variants, described->n_variants))
    if ((cpuFeatures() & variant.features) == variant.features) {
      open(variant.name, 1, path);
      open(variant.name, 2, path);
    }
}

void CompiledProgram::open(const char *isa, int threads, const std::string &weightsPath) {
  setenv("HEED_ISA", isa, 1);
  heed_options options{sizeof(heed_options), threads, nullptr, nullptr};
  heed_model *model = nullptr;
  int32_t status = heed_model_open(described, weightsPath.empty() ? nullptr : weightsPath.c_str(),
                                   &options, &model);
  unsetenv("HEED_ISA");
  ASSERT_EQ(status, HEED_OK) << heed_last_error();
  models.push_back({isa, threads, model});
}

CompiledProgram::~CompiledProgram() {
  for (Opened &opened : models)
    heed_model_close(opened.model);
  if (library)
    dlclose(library);
}

template <typename Run> std::vector<std::vector<float>> CompiledProgram::runAll(Run run) {
  std::vector<std::vector<float>> results;
  for (Opened &opened : models) {
    std::vector<float> result;
    EXPECT_EQ(run(opened.model, result), HEED_OK)
        << opened.isa << ", " << opened.threads << " threads: " << heed_last_error();
    if (opened.threads == 1) {
      results.push_back(std::move(result));
      continue;
    }
    // Bit by bit: NaN equals NaN, 0 differs from -0.
    const std::vector<float> &one = results.back();
    EXPECT_EQ(one.size(), result.size());
    EXPECT_TRUE(one.empty() || std::memcmp(one.data(), result.data(), one.size() * 4) == 0)
        << opened.isa << ": two threads compute something else than one";
  }
  return results;
}

std::vector<std::vector<float>> CompiledProgram::call(const std::string &name,
                                                      std::vector<int64_t> sizes,
                                                      std::vector<const void *> params,
                                                      int64_t count) {
  return runAll([&](heed_model *model, std::vector<float> &result) {
    // A value that the code forgets to write is found.
    result.assign(std::max<int64_t>(count, 1), NAN);
    void *results[] = {result.data()};
    int32_t status = heed_call(model, heed_model_function(model, name.c_str()), sizes.data(),
                               params.data(), results);
    result.resize(count);
    return status;
  });
}

void CompiledProgram::expectSameAlone(const std::string &name, const float *x, int64_t rows,
                                      int64_t columns, int64_t features) {
  auto all = call(name, {rows}, {x}, rows * features);
  for (int64_t row = 0; row < rows; ++row) {
    auto alone = call(name, {1}, {x + row * columns}, features);
    for (size_t set = 0; set < all.size(); ++set)
      EXPECT_TRUE(
          std::equal(alone[set].begin(), alone[set].end(), all[set].begin() + row * features))
          << name << ", row " << row;
  }
}

std::vector<std::vector<float>> CompiledProgram::feed(const std::string &name,
                                                      const std::vector<int32_t> &tokens,
                                                      int64_t piece, int64_t asked) {
  return runAll([&](heed_model *model, std::vector<float> &result) -> int32_t {
    heed_session *session = nullptr;
    int32_t status = heed_session_new(model, heed_model_function(model, name.c_str()), 0, &session);
    int64_t total = tokens.size();
    for (int64_t begin = 0; status == HEED_OK && begin < total; begin += piece) {
      int64_t n = std::min(piece, total - begin), last = std::min(n, asked);
      std::vector<float> rows(last * heed_session_vocabulary(session), NAN);
      status = heed_session_step(session, tokens.data() + begin, n, last, rows.data());
      result.insert(result.end(), rows.begin(), rows.end());
    }
    heed_session_free(session);
    return status;
  });
}
