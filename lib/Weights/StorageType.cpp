//===- StorageType.cpp - names and type numbers of storage formats --------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Weights/StorageType.h"

namespace heed {

namespace {

struct GgmlFormat {
  uint32_t id;
  StorageInfo info;
};

// Formats of ggml that Heed does not compute with. Their sizes are known, so the tensors around
// them can still be checked for overlap. Gaps in the numbers are formats that ggml has removed.
constexpr GgmlFormat otherGgmlFormats[] = {
    {9, {"Q8_1", 32, 4 + 4 + 32}},
    {15, {"Q8_K", 256, 4 + 256 + 32}},
    {16, {"IQ2_XXS", 256, 2 + 64}},
    {17, {"IQ2_XS", 256, 2 + 64 + 8}},
    {18, {"IQ3_XXS", 256, 2 + 64 + 32}},
    {19, {"IQ1_S", 256, 2 + 32 + 16}},
    {20, {"IQ4_NL", 32, 2 + 16}},
    {21, {"IQ3_S", 256, 2 + 64 + 32 + 8 + 4}},
    {22, {"IQ2_S", 256, 2 + 64 + 16}},
    {23, {"IQ4_XS", 256, 2 + 2 + 128 + 4}},
    {24, {"I8", 1, 1}},
    {25, {"I16", 1, 2}},
    {26, {"I32", 1, 4}},
    {27, {"I64", 1, 8}},
    {28, {"F64", 1, 8}},
    {29, {"IQ1_M", 256, 32 + 16 + 8}},
    {34, {"TQ1_0", 256, 2 + 52}},
    {35, {"TQ2_0", 256, 2 + 64}},
    {39, {"MXFP4", 32, 1 + 16}},
    {40, {"NVFP4", 64, 4 + 32}},
    {41, {"Q1_0", 128, 2 + 16}},
};

constexpr StorageInfo otherSafetensorsFormats[] = {
    {"BOOL", 1, 1},    {"U8", 1, 1},  {"I8", 1, 1},  {"F8_E4M3", 1, 1}, {"F8_E5M2", 1, 1},
    {"F8_E8M0", 1, 1}, {"U16", 1, 2}, {"I16", 1, 2}, {"U32", 1, 4},     {"I32", 1, 4},
    {"U64", 1, 8},     {"I64", 1, 8}, {"F64", 1, 8}, {"C64", 1, 8},
};

constexpr StorageInfo unknownFormat = {"unknown", 1, 0};

std::optional<StorageType> storageFromGgml(uint32_t id) {
  switch (id) {
  case 0:
    return StorageType::F32;
  case 1:
    return StorageType::F16;
  case 2:
    return StorageType::Q4_0;
  case 3:
    return StorageType::Q4_1;
  case 6:
    return StorageType::Q5_0;
  case 7:
    return StorageType::Q5_1;
  case 8:
    return StorageType::Q8_0;
  case 10:
    return StorageType::Q2_K;
  case 11:
    return StorageType::Q3_K;
  case 12:
    return StorageType::Q4_K;
  case 13:
    return StorageType::Q5_K;
  case 14:
    return StorageType::Q6_K;
  case 30:
    return StorageType::BF16;
  default:
    return std::nullopt;
  }
}

} // namespace

std::string spellStorage(StorageSet set) {
  std::string text;
  for (StorageType type : allStorageTypes)
    if (set.contains(type))
      text.append(text.empty() ? "" : " or ").append(storageInfo(type).name);
  return text;
}

FileStorage fileStorageFromGgml(uint32_t id) {
  if (std::optional<StorageType> type = storageFromGgml(id))
    return {storageInfo(*type), type};
  for (const GgmlFormat &format : otherGgmlFormats)
    if (format.id == id)
      return {format.info, std::nullopt};
  return {unknownFormat, std::nullopt};
}

FileStorage fileStorageFromSafetensors(std::string_view dtype) {
  for (StorageType type : {StorageType::F32, StorageType::F16, StorageType::BF16})
    if (storageInfo(type).name == dtype)
      return {storageInfo(type), type};
  for (const StorageInfo &info : otherSafetensorsFormats)
    if (info.name == dtype)
      return {info, std::nullopt};
  return {unknownFormat, std::nullopt};
}

} // namespace heed
