//===- SyntheticHeader.h - a weights header written in a test -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_FRONTEND_SYNTHETICHEADER_H
#define HEED_TEST_UNIT_FRONTEND_SYNTHETICHEADER_H

#include "heed/Frontend/ModelHeader.h"

#include <cstdlib>
#include <map>
#include <sstream>

namespace heed::test {

/// Made from a description such as "token_embd.weight Q4_1 32x64; meta llama.block_count = 3", with
/// shapes row-major and a repetition over layers as "blk.{0..2}.attn_norm.weight F32 64".
class SyntheticHeader : public ModelHeader {
public:
  explicit SyntheticHeader(const std::string &description) {
    std::istringstream entries(description);
    for (std::string entry; std::getline(entries, entry, ';');)
      add(entry);
  }

  std::optional<TensorHeader> tensor(std::string_view name) const override {
    auto found = tensors.find(name);
    return found == tensors.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<Value> meta(std::string_view key) const override {
    auto found = values.find(key);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  }
  std::vector<std::string> names() const override { return keysOf(tensors); }
  std::vector<std::string> keys() const override { return keysOf(values); }
  std::string path() const override { return "synthetic.gguf"; }

private:
  template <typename Map> static std::vector<std::string> keysOf(const Map &map) {
    std::vector<std::string> result;
    for (const auto &entry : map)
      result.push_back(entry.first);
    return result;
  }

  void add(const std::string &entry) {
    std::istringstream words(entry);
    std::string name, type, shape;
    if (!(words >> name))
      return;
    if (name == "meta") {
      std::string equals, value;
      words >> name >> equals >> value;
      if (value.empty() || value[0] == '"')
        values[name] = value.substr(0, value.size() - 1).substr(value.empty() ? 0 : 1);
      else if (value.find_first_of(".e") != std::string::npos)
        values[name] = std::strtod(value.c_str(), nullptr);
      else
        values[name] = static_cast<int64_t>(std::strtoll(value.c_str(), nullptr, 10));
      return;
    }
    words >> type >> shape;
    TensorHeader header{{}, type};
    std::istringstream extents(shape);
    for (std::string extent; std::getline(extents, extent, 'x');)
      header.shape.push_back(std::strtoll(extent.c_str(), nullptr, 10));
    size_t open = name.find("{0.."), close = name.find('}');
    if (open == std::string::npos || close == std::string::npos) {
      tensors[name] = header;
      return;
    }
    int last = std::atoi(name.c_str() + open + 4);
    for (int layer = 0; layer <= last; ++layer)
      tensors[name.substr(0, open) + std::to_string(layer) + name.substr(close + 1)] = header;
  }

  std::map<std::string, TensorHeader, std::less<>> tensors;
  std::map<std::string, Value, std::less<>> values;
};

/// A Llama-shaped model with two layers, as examples/llama.heed reads it.
inline const char *const kLlamaHeader =
    "meta llama.block_count = 2; meta llama.embedding_length = 64;"
    "meta llama.attention.head_count = 4; meta llama.attention.head_count_kv = 2;"
    "meta llama.feed_forward_length = 96; meta llama.context_length = 128;"
    "meta llama.attention.layer_norm_rms_epsilon = 1e-5; meta llama.rope.freq_base = 100000.0;"
    "token_embd.weight Q8_0 256x64; output_norm.weight F32 64;"
    "blk.{0..1}.attn_norm.weight F32 64; blk.{0..1}.ffn_norm.weight F32 64;"
    "blk.{0..1}.attn_q.weight Q4_1 64x64; blk.{0..1}.attn_k.weight Q4_1 32x64;"
    "blk.{0..1}.attn_v.weight Q4_1 32x64; blk.{0..1}.attn_output.weight Q4_1 64x64;"
    "blk.{0..1}.ffn_gate.weight Q4_1 96x64; blk.{0..1}.ffn_up.weight Q4_1 96x64;"
    "blk.{0..1}.ffn_down.weight Q4_1 64x96";

/// A Gemma-3-shaped model with two layers, of which one weight is stored in two ways, as
/// examples/gemma3.heed reads it.
inline const char *const kGemma3Header =
    "meta gemma3.block_count = 2; meta gemma3.embedding_length = 64;"
    "meta gemma3.attention.head_count = 4; meta gemma3.attention.head_count_kv = 1;"
    "meta gemma3.attention.key_length = 32; meta gemma3.attention.value_length = 32;"
    "meta gemma3.attention.sliding_window = 8; meta gemma3.feed_forward_length = 256;"
    "meta gemma3.context_length = 128; meta gemma3.attention.layer_norm_rms_epsilon = 1e-6;"
    "meta gemma3.rope.freq_base = 1000000.0;"
    "token_embd.weight Q8_0 256x64; output_norm.weight F32 64;"
    "blk.{0..1}.attn_norm.weight F32 64; blk.{0..1}.post_attention_norm.weight F32 64;"
    "blk.{0..1}.ffn_norm.weight F32 64; blk.{0..1}.post_ffw_norm.weight F32 64;"
    "blk.{0..1}.attn_q_norm.weight F32 32; blk.{0..1}.attn_k_norm.weight F32 32;"
    "blk.{0..1}.attn_q.weight Q5_0 128x64; blk.{0..1}.attn_k.weight Q5_0 32x64;"
    "blk.{0..1}.attn_v.weight Q5_0 32x64; blk.{0..1}.attn_output.weight Q8_0 64x128;"
    "blk.{0..1}.ffn_gate.weight Q5_0 256x64; blk.{0..1}.ffn_up.weight Q5_0 256x64;"
    "blk.0.ffn_down.weight Q6_K 64x256; blk.1.ffn_down.weight Q4_K 64x256";

/// A GPT-2-shaped model with two layers, as examples/gpt2.heed reads it.
inline const char *const kGpt2Header =
    "meta gpt2.block_count = 2; meta gpt2.embedding_length = 64;"
    "meta gpt2.attention.head_count = 4; meta gpt2.feed_forward_length = 96;"
    "meta gpt2.attention.layer_norm_epsilon = 1e-5;"
    "token_embd.weight Q8_0 256x64; position_embd.weight F32 128x64;"
    "output_norm.weight F32 64; output_norm.bias F32 64;"
    "blk.{0..1}.attn_norm.weight F32 64; blk.{0..1}.attn_norm.bias F32 64;"
    "blk.{0..1}.ffn_norm.weight F32 64; blk.{0..1}.ffn_norm.bias F32 64;"
    "blk.{0..1}.attn_qkv.weight Q8_0 192x64; blk.{0..1}.attn_qkv.bias F32 192;"
    "blk.{0..1}.attn_output.weight Q8_0 64x64; blk.{0..1}.attn_output.bias F32 64;"
    "blk.{0..1}.ffn_up.weight Q8_0 96x64; blk.{0..1}.ffn_up.bias F32 96;"
    "blk.{0..1}.ffn_down.weight Q8_0 64x96; blk.{0..1}.ffn_down.bias F32 64";

} // namespace heed::test

#endif // HEED_TEST_UNIT_FRONTEND_SYNTHETICHEADER_H
