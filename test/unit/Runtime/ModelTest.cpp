//===- ModelTest.cpp ------------------------------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include "heed/Runtime/Heed.h"
#include "heed/Runtime/PackedWeights.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <memory>
#include <string>

namespace {

using Model = std::unique_ptr<heed_model, decltype(&heed_model_close)>;

Model openTiny(const std::string &path) {
  heed_model *model = nullptr;
  EXPECT_EQ(heed_model_open(&tiny::artifact, path.c_str(), nullptr, &model), HEED_OK)
      << heed_last_error();
  return {model, heed_model_close};
}

/// The message of opening `artifact` with `path`, which must fail with `code`.
std::string openError(const heed_artifact &artifact, const std::string &path,
                      const heed_options *options = nullptr, int32_t code = HEED_ERROR_INPUT) {
  heed_model *model = nullptr;
  EXPECT_EQ(heed_model_open(&artifact, path.c_str(), options, &model), code);
  EXPECT_EQ(model, nullptr);
  return heed_last_error();
}

std::string openError(const std::vector<tiny::Tensor> &tensors) {
  tiny::WeightsOnDisk file(tensors);
  std::string message = openError(tiny::artifact, file.path());
  EXPECT_EQ(message.find(file.path() + ": "), 0u) << message;
  return message.substr(std::min(message.size(), file.path().size() + 2));
}

TEST(TensorName, PutsTheLayerIn) {
  EXPECT_EQ(heed::tensorName("blk.{l}.w.{l}", 12), "blk.12.w.12");
  EXPECT_EQ(heed::tensorName("out", 3), "out");
  EXPECT_EQ(heed::tensorName("{l", 3), "{l");
}

TEST(Open, NamesAMissingTensor) {
  auto tensors = tiny::tensors();
  tensors[2].name = "blk.7.scale.weight";
  EXPECT_EQ(openError(tensors), "weight scale needs tensor 'blk.1.scale.weight', which the file "
                                "lacks: recompile the program for this file");
}

TEST(Open, NamesBothTensorsWhereTheFallbackIsMissingToo) {
  heed_weight weight = tiny::artifact.weights[2];
  weight.tensor = "a";
  weight.fallback = "b";
  heed_artifact artifact = tiny::artifact;
  artifact.n_weights = 1;
  artifact.weights = &weight;
  tiny::WeightsOnDisk file;
  EXPECT_EQ(openError(artifact, file.path()),
            file.path() + ": weight unembed needs tensor 'a' or 'b', and the file has neither: "
                          "recompile the program for this file");
}

TEST(Open, NamesAnotherStorageType) {
  auto tensors = tiny::tensors();
  tensors[0].type = 0;
  tensors[0].bytes.assign(tiny::kVocabulary * tiny::kWidth * 4, '\0');
  EXPECT_EQ(openError(tensors), "tensor 'token_embd.weight' is stored as F32, and the program was "
                                "compiled for Q8_0: recompile it for this file");
}

TEST(Open, NamesAnotherShape) {
  auto tensors = tiny::tensors();
  tensors[1].extents = {31};
  tensors[1].bytes.resize(31 * 4);
  EXPECT_EQ(openError(tensors), "tensor 'blk.0.scale.weight' has shape [31], and the program was "
                                "compiled for 32 x 1 elements: recompile it for this file");
}

TEST(Open, RefusesATransposedMatrix) {
  heed_weight weight = tiny::artifact.weights[2];
  std::swap(weight.rows, weight.cols);
  heed_artifact artifact = tiny::artifact;
  artifact.n_weights = 1;
  artifact.weights = &weight;
  tiny::WeightsOnDisk file;
  EXPECT_NE(openError(artifact, file.path()).find("has shape [257, 32]"), std::string::npos);
}

TEST(Open, RefusesAnArtefactThatMakesNoSense) {
  tiny::WeightsOnDisk file;
  heed_artifact artifact = tiny::artifact;
  artifact.abi_version = HEED_ABI_VERSION + 1;
  EXPECT_NE(openError(artifact, file.path()).find("recompile it"), std::string::npos);

  artifact = tiny::artifact;
  heed_weight weight = artifact.weights[0];
  artifact.weights = &weight;
  artifact.n_weights = 1;
  for (uint32_t storages : {0u, 1u << 13}) {
    weight.storages = storages;
    openError(artifact, file.path(), nullptr, HEED_ERROR_INTERNAL);
  }
  weight = tiny::artifact.weights[0];
  weight.rows = 0;
  openError(artifact, file.path(), nullptr, HEED_ERROR_INTERNAL);
}

TEST(Open, RefusesBadFilesAndOptions) {
  EXPECT_NE(openError(tiny::artifact, "/no/such/file").find("/no/such/file"), std::string::npos);
  EXPECT_NE(openError(tiny::artifact, "/dev/zero").find("/dev/zero"), std::string::npos);
  tiny::WeightsOnDisk file;
  heed_options options{sizeof(heed_options), 0, nullptr, nullptr};
  for (int32_t threads : {-1, 1025, 1000000000}) {
    options.threads = threads;
    EXPECT_NE(openError(tiny::artifact, file.path(), &options).find("1 … 1024"), std::string::npos);
  }
  options = {3, 1, nullptr, nullptr};
  EXPECT_NE(openError(tiny::artifact, file.path(), &options).find("sizeof(heed_options)"),
            std::string::npos);
  heed_model *model;
  EXPECT_EQ(heed_model_open(nullptr, "", nullptr, &model), HEED_ERROR_INPUT);
  EXPECT_EQ(heed_model_open(&tiny::artifact, nullptr, nullptr, &model), HEED_ERROR_INPUT);
  EXPECT_EQ(heed_model_open(&tiny::artifact, "", nullptr, nullptr), HEED_ERROR_INPUT);
  heed_model_close(nullptr);
}

TEST(Open, ObeysHeedIsa) {
  tiny::WeightsOnDisk file;
  setenv("HEED_ISA", "avx1024", 1);
  std::string message = openError(tiny::artifact, file.path());
  unsetenv("HEED_ISA");
  EXPECT_EQ(message, "HEED_ISA asks for 'avx1024', but tiny was compiled for any alone");
}

TEST(Call, ComputesWithDequantisedWeights) {
  tiny::WeightsOnDisk file;
  Model model = openTiny(file.path());
  EXPECT_EQ(heed_model_function(model.get(), "scale"), tiny::kScale);
  EXPECT_EQ(heed_model_function(model.get(), "none"), -1);
  int64_t n = 3;
  std::vector<float> x(n * tiny::kWidth, 2.0f), y(x.size());
  const void *params[] = {x.data()};
  void *results[] = {y.data()};
  ASSERT_EQ(heed_call(model.get(), tiny::kScale, &n, params, results), HEED_OK);
  for (int64_t i = 0; i < n * tiny::kWidth; ++i) {
    float k = 0.01f * static_cast<float>(i % tiny::kWidth);
    EXPECT_FLOAT_EQ(y[i], 2 * (1 + k) * (1.25f + k));
  }
  n = 0;
  const void *none[] = {nullptr};
  void *nowhere[] = {nullptr};
  EXPECT_EQ(heed_call(model.get(), tiny::kScale, &n, none, nowhere), HEED_OK);
}

TEST(Call, ChecksItsArguments) {
  tiny::WeightsOnDisk file;
  Model model = openTiny(file.path());
  float number = 0;
  int32_t tokens[] = {0, 257, -1};
  const void *params[] = {tokens};
  void *results[] = {&number};
  auto error = [&](int32_t function, int64_t n) {
    EXPECT_EQ(heed_call(model.get(), function, &n, params, results), HEED_ERROR_INPUT);
    return std::string(heed_last_error());
  };
  EXPECT_EQ(error(9, 1), "there is no function number 9: tiny has 3");
  EXPECT_EQ(error(-1, 1), "there is no function number -1: tiny has 3");
  EXPECT_EQ(error(tiny::kStep, 1), "'step' keeps caches between calls: use a session");
  EXPECT_EQ(error(tiny::kPick, -5), "size n is -5, and at least 0 was expected");
  EXPECT_EQ(error(tiny::kPick, 2), "tokens[1] is 257, and the vocabulary has 0 … 256");
  EXPECT_NE(error(tiny::kScale, INT64_MAX / 8).find("too large"), std::string::npos);
  EXPECT_NE(error(tiny::kScale, int64_t{1} << 54).find("too large"), std::string::npos);
  params[0] = nullptr;
  EXPECT_EQ(error(tiny::kPick, 1), "the buffer of 'tokens' is null, and 1 elements were expected");
  EXPECT_EQ(heed_call(model.get(), tiny::kPick, nullptr, params, results), HEED_ERROR_INPUT);
  EXPECT_EQ(heed_call(nullptr, tiny::kPick, nullptr, params, results), HEED_ERROR_INPUT);
}

} // namespace
