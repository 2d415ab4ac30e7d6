//===- Weights.cpp - random weights in files that the tests write ---------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Weights.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

using namespace heed;
using namespace heed::endtoend;

namespace {

template <typename T> void put(std::string &out, T value) {
  out.append(reinterpret_cast<const char *>(&value), sizeof(value));
}

void putText(std::string &out, const std::string &text) {
  put<uint64_t>(out, text.size());
  out += text;
}

void writeOrDie(const std::string &path, const std::string &contents) {
  std::FILE *file = std::fopen(path.c_str(), "wb");
  if (!file || std::fwrite(contents.data(), 1, contents.size(), file) != contents.size() ||
      std::fclose(file) != 0) {
    std::fprintf(stderr, "can't write '%s'\n", path.c_str());
    std::exit(1);
  }
}

/// `value`, a multiple of 2^-9 below 1 in absolute value, as f16: exact.
uint16_t halfBits(float value) {
  if (value == 0)
    return 0;
  int exponent;
  float fraction = std::frexp(std::fabs(value), &exponent); // in [0.5, 1)
  uint16_t mantissa = static_cast<uint16_t>(std::ldexp(fraction, 11)) & 0x3ff;
  return (value < 0 ? 0x8000 : 0) | static_cast<uint16_t>((exponent + 14) << 10) | mantissa;
}

/// The low four bits of a block's numbers: of column i and of column 16 + i in a byte.
void putNibbles(std::string &bytes, const uint8_t (&quants)[32]) {
  for (size_t i = 0; i < 16; ++i)
    put(bytes, static_cast<uint8_t>((quants[i] & 0xf) | quants[i + 16] << 4));
}

/// Rounds `values` to what `storage` can hold, and returns its bytes.
std::string store(std::vector<float> &values, StorageType storage) {
  std::string bytes;
  switch (storage) {
  case StorageType::F32:
    bytes.assign(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(float));
    return bytes;
  case StorageType::F16:
    for (float &value : values) {
      value = std::round(value * 512) / 512;
      put(bytes, halfBits(value));
    }
    return bytes;
  case StorageType::BF16: // to the nearest; none lies between two
    for (float &value : values) {
      uint32_t bits = (std::bit_cast<uint32_t>(value) + 0x8000) & 0xffff0000;
      value = std::bit_cast<float>(bits);
      put(bytes, static_cast<uint16_t>(bits >> 16));
    }
    return bytes;
  case StorageType::Q8_0: // blocks of 32: an f16 scale, here 2^-9 or 2^-8, and 32 signed bytes
    for (size_t block = 0; block * 32 < values.size(); ++block) {
      float scale = block % 2 ? 1.0f / 512 : 1.0f / 256;
      put(bytes, halfBits(scale));
      for (size_t i = block * 32; i < block * 32 + 32; ++i) {
        float quant = std::fmax(-127, std::fmin(127, std::round(values[i] / scale)));
        values[i] = quant * scale;
        put(bytes, static_cast<int8_t>(quant));
      }
    }
    return bytes;
  case StorageType::Q4_0: // blocks of 32: an f16 scale and 32 times four bits
    for (size_t block = 0; block * 32 < values.size(); ++block) {
      const float scale = block % 2 ? 1.0f / 16 : 1.0f / 32;
      put(bytes, halfBits(scale));
      uint8_t quants[32];
      for (size_t i = 0; i < 32; ++i) {
        float &value = values[block * 32 + i];
        const float quant = std::fmax(-8, std::fmin(7, std::round(value / scale)));
        value = quant * scale;
        quants[i] = static_cast<uint8_t>(quant + 8);
      }
      putNibbles(bytes, quants);
    }
    return bytes;
  case StorageType::Q4_1: // blocks of 32: an f16 scale, an f16 min, and 32 times four bits
    for (size_t block = 0; block * 32 < values.size(); ++block) {
      const bool isEven = block % 5 == 4; // all weights of such a block are its min
      const float scale = isEven ? 0 : 1.0f / 16, min = block % 2 ? -0.5f : -0.25f;
      put(bytes, halfBits(scale));
      put(bytes, halfBits(min));
      uint8_t quants[32];
      for (size_t i = 0; i < 32; ++i) {
        float &value = values[block * 32 + i];
        const float quant = isEven ? 0 : std::round((value - min) / scale);
        quants[i] = static_cast<uint8_t>(std::fmax(0, std::fmin(15, quant)));
        value = quants[i] * scale + min;
      }
      putNibbles(bytes, quants);
    }
    return bytes;
  case StorageType::Q5_0: // blocks of 32: an f16 scale, 32 fifth bits, and 32 times four bits
    for (size_t block = 0; block * 32 < values.size(); ++block) {
      const float scale = block % 2 ? 1.0f / 32 : 1.0f / 64;
      uint32_t fifth = 0;
      uint8_t quants[32];
      for (size_t i = 0; i < 32; ++i) {
        float &value = values[block * 32 + i];
        const float quant = std::fmax(-16, std::fmin(15, std::round(value / scale)));
        value = quant * scale;
        quants[i] = static_cast<uint8_t>(quant + 16);
        fifth |= static_cast<uint32_t>(quants[i] >> 4) << i;
      }
      put(bytes, halfBits(scale));
      put(bytes, fifth);
      putNibbles(bytes, quants);
    }
    return bytes;
  default:
    std::fprintf(stderr, "the tests write no %s\n", storageInfo(storage).name.data());
    std::exit(1);
  }
}

} // namespace

Tensor endtoend::randomTensor(std::vector<int64_t> shape, uint32_t seed, float bound) {
  Tensor tensor{std::move(shape), {}};
  int64_t count = 1;
  for (int64_t extent : tensor.shape)
    count *= extent;
  std::mt19937 bits(seed);
  tensor.values.resize(count);
  for (float &value : tensor.values)
    value = bound * (static_cast<float>(bits() >> 8) / (1 << 23) - 1);
  return tensor;
}

void Weights::add(const std::string &name, std::vector<int64_t> shape, float bound,
                  StorageType storage) {
  add(name, randomTensor(std::move(shape), nextSeed++, bound), storage);
}

void Weights::addLargest(const std::string &name, std::vector<int64_t> shape, StorageType storage) {
  Tensor tensor = randomTensor(std::move(shape), 0);
  std::fill(tensor.values.begin(), tensor.values.end(), 1e3f); // beyond all scales
  add(name, std::move(tensor), storage);
}

void Weights::add(const std::string &name, Tensor tensor, StorageType storage) {
  std::string bytes = store(tensor.values, storage);
  tensors[name] = {std::move(tensor), storage, std::move(bytes)};
}

void Weights::set(const std::string &key, std::variant<uint32_t, float, std::string> value) {
  header[key] = std::move(value);
}

void Weights::writeSafetensors(const std::string &path) const {
  std::string json, data;
  for (const auto &[name, stored] : tensors) {
    json += json.empty() ? "{" : ",";
    json += "\"" + name + "\":{\"dtype\":\"";
    json += storageInfo(stored.storage).name;
    json += "\",\"shape\":[";
    for (size_t axis = 0; axis < stored.tensor.shape.size(); ++axis)
      json += (axis ? "," : "") + std::to_string(stored.tensor.shape[axis]);
    json += "],\"data_offsets\":[" + std::to_string(data.size()) + ",";
    data += stored.bytes;
    json += std::to_string(data.size()) + "]}";
  }
  json += json.empty() ? "{}" : "}";
  json.resize((json.size() + 7) / 8 * 8, ' ');
  std::string file;
  putText(file, json);
  writeOrDie(path, file + data);
}

void Weights::writeGguf(const std::string &path) const {
  constexpr size_t kAlignment = 32;
  std::string file = "GGUF", data;
  put<uint32_t>(file, 3);
  put<uint64_t>(file, tensors.size());
  put<uint64_t>(file, header.size());
  for (const auto &[key, value] : header) {
    putText(file, key);
    if (auto *number = std::get_if<uint32_t>(&value)) {
      put<uint32_t>(file, 4);
      put(file, *number);
    } else if (auto *real = std::get_if<float>(&value)) {
      put<uint32_t>(file, 6);
      put(file, *real);
    } else {
      put<uint32_t>(file, 8);
      putText(file, std::get<std::string>(value));
    }
  }
  for (const auto &[name, stored] : tensors) {
    putText(file, name);
    const std::vector<int64_t> &shape = stored.tensor.shape;
    put<uint32_t>(file, shape.size());
    for (size_t axis = shape.size(); axis-- > 0;)
      put<uint64_t>(file, shape[axis]);
    put<uint32_t>(file, stored.storage == StorageType::F32    ? 0
                        : stored.storage == StorageType::F16  ? 1
                        : stored.storage == StorageType::BF16 ? 30
                        : stored.storage == StorageType::Q4_0 ? 2
                        : stored.storage == StorageType::Q4_1 ? 3
                        : stored.storage == StorageType::Q5_0 ? 6
                                                              : 8);
    put<uint64_t>(file, data.size());
    data += stored.bytes;
    data.resize((data.size() + kAlignment - 1) / kAlignment * kAlignment);
  }
  file.resize((file.size() + kAlignment - 1) / kAlignment * kAlignment);
  writeOrDie(path, file + data);
}
