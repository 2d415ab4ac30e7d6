//===- StorageType.h - how a weight's numbers are stored ------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The number formats that Heed computes with. Block formats and their names are
// ggml's. Whatever else a file may hold (I64, IQ4_XS, …) has a name and, where
// it is known, a size, so that the file around it can be checked and opened.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_WEIGHTS_STORAGETYPE_H
#define HEED_WEIGHTS_STORAGETYPE_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace heed {

/// A format that Heed computes with. The numbers are written into artefacts: never renumber.
enum class StorageType : int32_t {
  F32 = 0,
  F16 = 1,
  BF16 = 2,
  Q4_0 = 3,
  Q4_1 = 4,
  Q5_0 = 5,
  Q5_1 = 6,
  Q8_0 = 7,
  Q2_K = 8,
  Q3_K = 9,
  Q4_K = 10,
  Q5_K = 11,
  Q6_K = 12,
};

/// Every storage type, in the order of their numbers.
inline constexpr std::array<StorageType, 13> allStorageTypes = {
    StorageType::F32,  StorageType::F16,  StorageType::BF16, StorageType::Q4_0, StorageType::Q4_1,
    StorageType::Q5_0, StorageType::Q5_1, StorageType::Q8_0, StorageType::Q2_K, StorageType::Q3_K,
    StorageType::Q4_K, StorageType::Q5_K, StorageType::Q6_K};

/// A format's name and the size of its smallest unit.
struct StorageInfo {
  std::string_view name; ///< as ggml spells it: "F32", "Q4_1"
  int64_t blockElements; ///< consecutive elements of a row that are stored together, at least 1
  int64_t blockBytes;    ///< bytes of one such block
};

/// Name and block size of `type`.
constexpr StorageInfo storageInfo(StorageType type) {
  switch (type) {
  case StorageType::F32:
    return {"F32", 1, 4};
  case StorageType::F16:
    return {"F16", 1, 2};
  case StorageType::BF16:
    return {"BF16", 1, 2};
  case StorageType::Q4_0:
    return {"Q4_0", 32, 2 + 16};
  case StorageType::Q4_1:
    return {"Q4_1", 32, 2 + 2 + 16};
  case StorageType::Q5_0:
    return {"Q5_0", 32, 2 + 4 + 16};
  case StorageType::Q5_1:
    return {"Q5_1", 32, 2 + 2 + 4 + 16};
  case StorageType::Q8_0:
    return {"Q8_0", 32, 2 + 32};
  case StorageType::Q2_K:
    return {"Q2_K", 256, 16 + 64 + 2 + 2};
  case StorageType::Q3_K:
    return {"Q3_K", 256, 32 + 64 + 12 + 2};
  case StorageType::Q4_K:
    return {"Q4_K", 256, 2 + 2 + 12 + 128};
  case StorageType::Q5_K:
    return {"Q5_K", 256, 2 + 2 + 12 + 32 + 128};
  case StorageType::Q6_K:
    return {"Q6_K", 256, 128 + 64 + 16 + 2};
  }
  return {"", 1, 0};
}

/// True for the block formats, false for F32, F16 and BF16.
constexpr bool isQuantised(StorageType type) { return storageInfo(type).blockElements > 1; }

/// The type with this number, as an artefact holds it; nothing for any other number.
constexpr std::optional<StorageType> storageTypeFromNumber(int64_t number) {
  if (number < 0 || number >= static_cast<int64_t>(allStorageTypes.size()))
    return std::nullopt;
  return static_cast<StorageType>(number);
}

/// The type spelled `name` ("F32", "Q4_1", …); nothing for any other spelling.
constexpr std::optional<StorageType> parseStorageType(std::string_view name) {
  for (StorageType type : allStorageTypes)
    if (storageInfo(type).name == name)
      return type;
  return std::nullopt;
}

/// The formats that one weight's layers are stored in, often only one. Files of mixed precision
/// spend more bits on some layers; one piece of code computes them all, so it is the set, not a
/// layer's own format, that decides how the weight lies in memory.
class StorageSet {
public:
  constexpr StorageSet() = default;
  constexpr StorageSet(StorageType type) : mask(bit(type)) {}

  /// The set with these bits, bit n being the type number n, as an artefact holds it. Nothing for
  /// no bits and for bits of no type.
  static constexpr std::optional<StorageSet> fromBits(uint32_t bits) {
    if (bits == 0 || bits >> allStorageTypes.size() != 0)
      return std::nullopt;
    StorageSet set;
    set.mask = bits;
    return set;
  }
  constexpr uint32_t bits() const { return mask; }

  constexpr bool contains(StorageType type) const { return mask & bit(type); }
  constexpr void insert(StorageType type) { mask |= bit(type); }
  /// The elements of the largest block: whole blocks of every format in the set are multiples.
  constexpr int64_t blockElements() const {
    int64_t largest = 1;
    for (StorageType type : allStorageTypes)
      if (contains(type) && storageInfo(type).blockElements > largest)
        largest = storageInfo(type).blockElements;
    return largest;
  }
  constexpr bool operator==(const StorageSet &) const = default;

private:
  static constexpr uint32_t bit(StorageType type) { return 1u << static_cast<int32_t>(type); }
  uint32_t mask = 0;
};

/// The names of the set's formats, as "Q4_K" or "Q4_K or Q6_K".
std::string spellStorage(StorageSet set);

/// A format as a file names it, whether Heed computes with it or not.
struct FileStorage {
  StorageInfo info;                   ///< blockBytes is 0 where the size is unknown
  std::optional<StorageType> storage; ///< nothing where Heed does not compute with it
};

/// The format of a GGUF file's type number. Numbers that no ggml knows give the name "unknown".
FileStorage fileStorageFromGgml(uint32_t id);

/// The format of a safetensors dtype ("F32", "I64", …). Other spellings give the name "unknown".
FileStorage fileStorageFromSafetensors(std::string_view dtype);

} // namespace heed

#endif // HEED_WEIGHTS_STORAGETYPE_H
