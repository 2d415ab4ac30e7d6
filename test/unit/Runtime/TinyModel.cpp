//===- TinyModel.cpp - a model small enough to write by hand --------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TinyModel.h"

#include "heed/Weights/PanelLayout.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

using namespace heed;
using namespace tiny;

//===----------------------------------------------------------------------===//
// The code
//===----------------------------------------------------------------------===//

namespace {

// Where the weights' addresses start, as heed_context says.
enum : int { kEmbed = 0, kScales = 1, kUnembed = kScales + kLayers, kAddresses };

const float *dense(const heed_context *context, int address) {
  return static_cast<const float *>(context->weights[address]);
}

void scale(const heed_context *context, const int64_t *ints, void *const *buffers) {
  auto *x = static_cast<const float *>(buffers[0]);
  auto *y = static_cast<float *>(buffers[1]);
  for (int64_t i = 0; i < ints[0] * kWidth; ++i) {
    y[i] = x[i];
    for (int l = 0; l < kLayers; ++l)
      y[i] *= dense(context, kScales + l)[i % kWidth];
  }
}

void pick(const heed_context *context, const int64_t *ints, void *const *buffers) {
  auto *tokens = static_cast<const int32_t *>(buffers[0]);
  auto *y = static_cast<float *>(buffers[1]);
  for (int64_t i = 0; i < ints[0]; ++i)
    y[i] = dense(context, kEmbed)[tokens[i] * kWidth];
}

/// One row of logits, its vocabulary shared out over the pool.
struct LogitsTask {
  const heed_context *context;
  const float *state; // [kWidth]
  int32_t token;
  float *logits;

  static void run(void *payload, int64_t v) {
    auto &task = *static_cast<LogitsTask *>(payload);
    PanelLayout layout = panelLayout(StorageType::Q8_0);
    auto *panels = static_cast<const std::byte *>(task.context->weights[kUnembed]);
    float sum = v == (task.token + 1) % kVocabulary ? 1e4f : 0;
    for (int64_t k = 0; k < kWidth; ++k)
      sum += task.state[k] * panelElement(layout, panels, kVocabulary, kWidth, v, k);
    task.logits[v] = sum;
  }
  static void runAll(void *payload, heed_member *member) {
    heed_run_tasks(member, run, nullptr, payload, kVocabulary);
  }
};

void step(const heed_context *context, const int64_t *ints, void *const *buffers) {
  int64_t n = ints[0], past = ints[1], first = ints[2], capacity = ints[3];
  auto *tokens = static_cast<const int32_t *>(buffers[0]);
  auto *cache = static_cast<float *>(buffers[1]); // [layers, heads, capacity, width / heads]
  auto *logits = static_cast<float *>(buffers[2]);
  constexpr int64_t kHeadWidth = kWidth / kHeads;
  auto at = [&](int64_t l, int64_t j, int64_t k) -> float & {
    return cache[((l * kHeads + k / kHeadWidth) * capacity + j) * kHeadWidth + k % kHeadWidth];
  };
  for (int64_t i = 0; i < n; ++i)
    for (int64_t l = 0; l < kLayers; ++l)
      for (int64_t k = 0; k < kWidth; ++k)
        at(l, past + i, k) =
            dense(context, kEmbed)[tokens[i] * kWidth + k] * dense(context, kScales + l)[k];
  for (int64_t i = first; i < n; ++i) {
    auto *state = static_cast<float *>(heed_alloc(kWidth * sizeof(float)));
    for (int64_t k = 0; k < kWidth; ++k) {
      state[k] = 0;
      for (int64_t l = 0; l < kLayers; ++l)
        for (int64_t j = 0; j <= past + i; ++j)
          state[k] += at(l, j, k);
    }
    LogitsTask task{context, state, tokens[i], logits + (i - first) * kVocabulary};
    heed_run_team(context, LogitsTask::runAll, &task, sizeof(task));
    heed_free(state);
  }
}

//===----------------------------------------------------------------------===//
// The artefact
//===----------------------------------------------------------------------===//

/// A weight whose axes keep the file's order.
constexpr heed_weight weight(const char *name, const char *tensor, const char *fallback,
                             StorageType storage, heed_layout layout, int64_t layers, int64_t rows,
                             int64_t cols) {
  return {name, tensor, fallback, StorageSet(storage).bits(), layout, layers, rows, cols, 1,
          0,    {},     {}};
}

const heed_weight weights[] = {
    weight("embed", "token_embd.weight", nullptr, StorageType::Q8_0, HEED_LAYOUT_DENSE_F32, 1,
           kVocabulary *kWidth, 1),
    weight("scale", "blk.{l}.scale.weight", nullptr, StorageType::F32, HEED_LAYOUT_DENSE_F32,
           kLayers, kWidth, 1),
    weight("unembed", "output.weight", "token_embd.weight", StorageType::Q8_0, HEED_LAYOUT_PANELS,
           1, kVocabulary, kWidth),
};

const char *const sizes[] = {"n"};
const heed_tensor rowsIn[] = {{"x", HEED_F32, 2, {-1, kWidth}}};
const heed_tensor rowsOut[] = {{"y", HEED_F32, 2, {-1, kWidth}}};
const heed_tensor tokensIn[] = {{"tokens", HEED_I32, 1, {-1}}};
const heed_tensor logitsOut[] = {{"logits", HEED_F32, 2, {-1, kVocabulary}}};
const heed_tensor numbersOut[] = {{"y", HEED_F32, 1, {-1}}};
const heed_cache caches[] = {{"K", kLayers, kHeads, kWidth / kHeads, HEED_F32, 0, 0}};

const heed_function functions[] = {
    {"scale", HEED_PLAIN, 1, 1, 1, 0, sizes, rowsIn, rowsOut, nullptr, 0, 0, 0, nullptr},
    {"step", HEED_STEP, 1, 1, 1, 1, sizes, tokensIn, logitsOut, caches, kVocabulary, kContext, 0,
     nullptr},
    {"pick", HEED_PLAIN, 1, 1, 1, 0, sizes, tokensIn, numbersOut, nullptr, kVocabulary, 0, 0,
     nullptr},
};

const heed_entry entries[] = {scale, step, pick};
const heed_variant variants[] = {{"any", 0, entries}};

} // namespace

const heed_artifact tiny::artifact = {HEED_ABI_VERSION, "tiny",    3,       std::size(functions), 1,
                                      weights,          functions, variants};

//===----------------------------------------------------------------------===//
// The weights
//===----------------------------------------------------------------------===//

namespace {

template <typename T> void put(std::string &out, T value) {
  out.append(reinterpret_cast<const char *>(&value), sizeof(value));
}

void putString(std::string &out, const std::string &text) {
  put<uint64_t>(out, text.size());
  out += text;
}

/// A byte as GPT-2's alphabet spells it.
std::string byteToken(int byte) {
  int moved = 0; // how many smaller bytes have no printable character of their own
  auto isPrintable = [](int b) {
    return (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  };
  for (int b = 0; b < byte; ++b)
    moved += !isPrintable(b);
  int point = isPrintable(byte) ? byte : 256 + moved;
  if (point < 0x80)
    return {static_cast<char>(point)};
  return {static_cast<char>(0xc0 | point >> 6), static_cast<char>(0x80 | (point & 0x3f))};
}

void putKey(std::string &out, const char *key, uint32_t type) {
  putString(out, key);
  put(out, type);
}

/// The tokenizer's metadata; returns how many keys it has.
uint64_t putTokenizer(std::string &out) {
  constexpr uint32_t kU32 = 4, kI32 = 5, kBool = 7, kString = 8, kArray = 9;
  putKey(out, "tokenizer.ggml.model", kString);
  putString(out, "gpt2");
  putKey(out, "tokenizer.ggml.pre", kString);
  putString(out, "smollm");
  putKey(out, "tokenizer.ggml.tokens", kArray);
  put(out, kString);
  put<uint64_t>(out, kVocabulary);
  for (int byte = 0; byte < 256; ++byte)
    putString(out, byteToken(byte));
  putString(out, "<|endoftext|>");
  putKey(out, "tokenizer.ggml.token_type", kArray);
  put(out, kI32);
  put<uint64_t>(out, kVocabulary);
  for (int token = 0; token < kVocabulary; ++token)
    put<int32_t>(out, token == kEndToken ? 3 : 1);
  putKey(out, "tokenizer.ggml.merges", kArray);
  put(out, kString);
  put<uint64_t>(out, 0);
  putKey(out, "tokenizer.ggml.eos_token_id", kU32);
  put<uint32_t>(out, kEndToken);
  putKey(out, "tokenizer.ggml.add_bos_token", kBool);
  put<uint8_t>(out, 0);
  return 7;
}

} // namespace

std::vector<Tensor> tiny::tensors() {
  std::string embed;
  uint32_t random = 1;
  for (int64_t row = 0; row < kVocabulary; ++row) {
    put<uint16_t>(embed, 0x2400); // the half 2^-6
    for (int64_t k = 0; k < kWidth; ++k) {
      random = random * 1664525 + 1013904223;
      put<int8_t>(embed, static_cast<int8_t>(random >> 24));
    }
  }
  std::vector<Tensor> all = {{"token_embd.weight", {kWidth, kVocabulary}, 8, embed}};
  for (int64_t l = 0; l < kLayers; ++l) {
    std::string scales;
    for (int64_t k = 0; k < kWidth; ++k)
      put<float>(scales, 1.0f + 0.25f * static_cast<float>(l) + 0.01f * static_cast<float>(k));
    all.push_back({"blk." + std::to_string(l) + ".scale.weight", {kWidth}, 0, scales});
  }
  return all;
}

std::string tiny::ggufBytes(const std::vector<Tensor> &tensors) {
  constexpr size_t kAlign = 32;
  std::string keys;
  uint64_t keyCount = putTokenizer(keys);
  std::string file = "GGUF", data;
  put<uint32_t>(file, 3);
  put<uint64_t>(file, tensors.size());
  put<uint64_t>(file, keyCount);
  file += keys;
  for (const Tensor &tensor : tensors) {
    putString(file, tensor.name);
    put<uint32_t>(file, tensor.extents.size());
    for (uint64_t extent : tensor.extents)
      put(file, extent);
    put(file, tensor.type);
    put<uint64_t>(file, data.size());
    data += tensor.bytes;
    data.resize((data.size() + kAlign - 1) / kAlign * kAlign);
  }
  file.resize((file.size() + kAlign - 1) / kAlign * kAlign);
  return file + data;
}

WeightsOnDisk::WeightsOnDisk(const std::vector<Tensor> &tensors) {
  const char *folder = std::getenv("TMPDIR");
  filePath = std::string(folder ? folder : "/tmp") + "/heed-tiny-XXXXXX";
  int descriptor = mkstemp(filePath.data());
  std::string bytes = ggufBytes(tensors);
  if (descriptor < 0 ||
      write(descriptor, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    std::abort();
  close(descriptor);
}

WeightsOnDisk::~WeightsOnDisk() { unlink(filePath.c_str()); }
