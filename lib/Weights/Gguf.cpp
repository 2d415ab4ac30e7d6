//===- Gguf.cpp - the header of a GGUF file -------------------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   "GGUF"  version u32  tensors u64  metadata u64
//   metadata: key string, type u32, value; an array is type u32, count u64, elements
//   tensors:  name string, rank u32, extents u64 (innermost first), type u32, offset u64
//   padding to general.alignment, then the data that the offsets count from
//
// A string is a length u64 and bytes. Everything is little-endian. Counts are
// compared with what the remaining bytes can hold before anything is allocated.
//
//===----------------------------------------------------------------------===//

#include "FileContents.h"
#include "HeaderCursor.h"
#include "PrintableName.h"

#include <fmt/format.h>

#include <limits>

namespace heed {

namespace {

// Longer headers are refused: the largest vocabularies need a fifth of this. It keeps the memory
// that a sparse file of terabytes can ask for in proportion to what it really holds.
constexpr size_t longestHeader = size_t{128} << 20;

constexpr uint64_t longestKey = 65535; // the format's own limit
constexpr uint32_t highestRank = 4;    // the format's own limit
constexpr uint64_t defaultAlignment = 32, largestAlignment = uint64_t{1} << 20;

enum class GgufType : uint32_t {
  UInt8,
  Int8,
  UInt16,
  Int16,
  UInt32,
  Int32,
  Float32,
  Bool,
  String,
  Array,
  UInt64,
  Int64,
  Float64
};

/// Bytes of the shortest value of a type; 0 for a number that is no type.
uint64_t shortestValue(GgufType type) {
  switch (type) {
  case GgufType::UInt8:
  case GgufType::Int8:
  case GgufType::Bool:
    return 1;
  case GgufType::UInt16:
  case GgufType::Int16:
    return 2;
  case GgufType::UInt32:
  case GgufType::Int32:
  case GgufType::Float32:
    return 4;
  case GgufType::String:
  case GgufType::UInt64:
  case GgufType::Int64:
  case GgufType::Float64:
    return 8;
  case GgufType::Array:
    return 12;
  }
  return 0;
}

class GgufParser {
public:
  explicit GgufParser(std::span<const std::byte> file)
      : fileSize(file.size()), cursor(file.first(std::min(file.size(), longestHeader))) {}

  ErrorOr<FileContents> parse() {
    if (!(readCounts() && readMetadata() && readAlignment() && readTensors() && placeTensors()))
      return failure ? *failure : cursor.error();
    if (ErrorOr<void> unique = checkUniqueNames(contents.tensors); !unique)
      return unique.error();
    if (ErrorOr<void> disjoint = checkDisjoint(contents.tensors); !disjoint)
      return disjoint.error();
    return std::move(contents);
  }

private:
  bool fail(std::string message) {
    failure = makeError(std::move(message));
    return false;
  }

  bool readCounts() {
    uint32_t magic, version;
    if (!cursor.read(magic, "the magic number") || !cursor.read(version, "the version"))
      return false;
    if (version > 0xffff && (version & 0xffff) == 0)
      return fail("the file is big-endian, expected little-endian; convert the model again");
    if (version != 2 && version != 3)
      return fail(fmt::format("GGUF version {}, expected 2 or 3; convert the model again with a "
                              "current converter",
                              version));
    // The least that a tensor takes: a name of one byte, no extents. A metadata value: a key of
    // one byte and a value of one.
    return cursor.readCount(tensorCount, 8 + 1 + 4 + 4 + 8, "the number of tensors") &&
           cursor.readCount(metaCount, 8 + 1 + 4 + 1, "the number of metadata values");
  }

  bool readMetadata() {
    for (uint64_t i = 0; i < metaCount; ++i) {
      std::string key;
      uint32_t type;
      if (!cursor.readString(key, "a metadata key"))
        return false;
      if (key.empty() || key.size() > longestKey)
        return fail(fmt::format("metadata value {} has a key of {} bytes, expected 1 to {}", i,
                                key.size(), longestKey));
      if (!cursor.read(type, "a metadata type"))
        return false;
      MetaValue value;
      if (!readValue(key, static_cast<GgufType>(type), value))
        return false;
      if (!contents.metadata.try_emplace(key, std::move(value)).second)
        return fail(fmt::format("two metadata values have the key {}", printableName(key)));
    }
    return true;
  }

  template <typename T, typename Wide> bool readScalar(Wide &value) {
    T narrow;
    if (!cursor.read(narrow, "a metadata value"))
      return false;
    value = static_cast<Wide>(narrow);
    return true;
  }

  bool readBool(std::string_view key, bool &value) {
    uint8_t byte;
    if (!cursor.read(byte, "a metadata value"))
      return false;
    if (byte > 1)
      return fail(fmt::format("metadata {} holds the boolean {}, expected 0 or 1",
                              printableName(key), byte));
    value = byte != 0;
    return true;
  }

  bool readValue(std::string_view key, GgufType type, MetaValue &value) {
    switch (type) {
    case GgufType::UInt8:
      return readScalar<uint8_t>(value.emplace<uint64_t>());
    case GgufType::UInt16:
      return readScalar<uint16_t>(value.emplace<uint64_t>());
    case GgufType::UInt32:
      return readScalar<uint32_t>(value.emplace<uint64_t>());
    case GgufType::UInt64:
      return readScalar<uint64_t>(value.emplace<uint64_t>());
    case GgufType::Int8:
      return readScalar<int8_t>(value.emplace<int64_t>());
    case GgufType::Int16:
      return readScalar<int16_t>(value.emplace<int64_t>());
    case GgufType::Int32:
      return readScalar<int32_t>(value.emplace<int64_t>());
    case GgufType::Int64:
      return readScalar<int64_t>(value.emplace<int64_t>());
    case GgufType::Float32:
      return readScalar<float>(value.emplace<double>());
    case GgufType::Float64:
      return readScalar<double>(value.emplace<double>());
    case GgufType::Bool:
      return readBool(key, value.emplace<bool>());
    case GgufType::String:
      return cursor.readString(value.emplace<std::string>(), "a metadata string");
    case GgufType::Array:
      return readArray(key, value);
    }
    return unknownType(key, type);
  }

  bool unknownType(std::string_view key, GgufType type) {
    return fail(fmt::format("metadata {} has type {}, expected 0 to 12", printableName(key),
                            static_cast<uint32_t>(type)));
  }

  template <typename T, typename Wide> bool readNumbers(uint64_t count, std::vector<Wide> &values) {
    values.resize(count);
    for (Wide &value : values)
      if (!readScalar<T>(value))
        return false;
    return true;
  }

  bool readArray(std::string_view key, MetaValue &value) {
    uint32_t number;
    if (!cursor.read(number, "an array's type"))
      return false;
    GgufType type = static_cast<GgufType>(number);
    // No model has arrays of arrays, and reading them would recurse as deep as the file likes.
    if (type == GgufType::Array)
      return fail(fmt::format("metadata {} is an array of arrays, expected numbers, booleans or "
                              "strings",
                              printableName(key)));
    if (shortestValue(type) == 0)
      return unknownType(key, type);
    uint64_t count;
    if (!cursor.readCount(count, shortestValue(type), "an array's length"))
      return false;
    switch (type) {
    case GgufType::UInt8:
      return readNumbers<uint8_t>(count, value.emplace<std::vector<int64_t>>());
    case GgufType::UInt16:
      return readNumbers<uint16_t>(count, value.emplace<std::vector<int64_t>>());
    case GgufType::UInt32:
      return readNumbers<uint32_t>(count, value.emplace<std::vector<int64_t>>());
    case GgufType::Int8:
      return readNumbers<int8_t>(count, value.emplace<std::vector<int64_t>>());
    case GgufType::Int16:
      return readNumbers<int16_t>(count, value.emplace<std::vector<int64_t>>());
    case GgufType::Int32:
      return readNumbers<int32_t>(count, value.emplace<std::vector<int64_t>>());
    case GgufType::Int64:
      return readNumbers<int64_t>(count, value.emplace<std::vector<int64_t>>());
    case GgufType::UInt64:
      return readUnsigned(key, count, value.emplace<std::vector<int64_t>>());
    case GgufType::Float32:
      return readNumbers<float>(count, value.emplace<std::vector<double>>());
    case GgufType::Float64:
      return readNumbers<double>(count, value.emplace<std::vector<double>>());
    case GgufType::Bool:
      return readBools(key, count, value.emplace<std::vector<bool>>());
    case GgufType::String:
      return readStrings(count, value.emplace<std::vector<std::string>>());
    case GgufType::Array:
      break;
    }
    return unknownType(key, type);
  }

  bool readUnsigned(std::string_view key, uint64_t count, std::vector<int64_t> &values) {
    if (!readNumbers<uint64_t>(count, values))
      return false;
    for (int64_t value : values)
      if (value < 0)
        return fail(fmt::format("metadata {} holds an integer past 63 bits", printableName(key)));
    return true;
  }

  bool readBools(std::string_view key, uint64_t count, std::vector<bool> &values) {
    values.resize(count);
    for (uint64_t i = 0; i < count; ++i) {
      bool value;
      if (!readBool(key, value))
        return false;
      values[i] = value;
    }
    return true;
  }

  bool readStrings(uint64_t count, std::vector<std::string> &values) {
    values.resize(count);
    for (std::string &value : values)
      if (!cursor.readString(value, "a string of an array"))
        return false;
    return true;
  }

  bool readAlignment() {
    alignment = defaultAlignment;
    auto found = contents.metadata.find("general.alignment");
    if (found == contents.metadata.end())
      return true;
    const uint64_t *value = std::get_if<uint64_t>(&found->second);
    if (!value)
      return fail(fmt::format("general.alignment is {}, expected an unsigned integer",
                              metaKind(found->second)));
    if (*value < 8 || *value > largestAlignment || (*value & (*value - 1)) != 0)
      return fail(fmt::format("general.alignment is {}, expected a power of two from 8 to {}",
                              *value, largestAlignment));
    alignment = *value;
    return true;
  }

  bool readTensors() {
    for (uint64_t i = 0; i < tensorCount; ++i) {
      TensorInfo tensor;
      if (!cursor.readString(tensor.name, "a tensor's name"))
        return false;
      if (!isTensorName(tensor.name))
        return fail(fmt::format("tensor {} is called {}, expected 1 to 1024 bytes without control "
                                "characters",
                                i, printableName(tensor.name)));
      if (!readShape(tensor) || !readStorage(tensor))
        return false;
      if (!cursor.read(tensor.offset, "a tensor's offset"))
        return false;
      contents.tensors.push_back(std::move(tensor));
    }
    return true;
  }

  bool readShape(TensorInfo &tensor) {
    uint32_t rank;
    if (!cursor.read(rank, "a tensor's rank"))
      return false;
    if (rank > highestRank)
      return fail(fmt::format("tensor {} has {} axes, expected at most {}",
                              printableName(tensor.name), rank, highestRank));
    tensor.shape.resize(rank);
    for (uint32_t axis = rank; axis-- > 0;) {
      uint64_t extent;
      if (!cursor.read(extent, "a tensor's extent"))
        return false;
      if (extent == 0 || extent > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return fail(fmt::format("tensor {} has an axis of {} elements, expected 1 to 2^63 - 1",
                                printableName(tensor.name), extent));
      tensor.shape[axis] = static_cast<int64_t>(extent);
    }
    return true;
  }

  bool readStorage(TensorInfo &tensor) {
    uint32_t id;
    if (!cursor.read(id, "a tensor's type"))
      return false;
    FileStorage format = fileStorageFromGgml(id);
    tensor.storage = format.storage;
    tensor.storedAs =
        format.info.blockBytes ? std::string(format.info.name) : fmt::format("ggml type {}", id);
    ErrorOr<uint64_t> bytes = storedBytes(tensor, format.info);
    if (!bytes)
      return fail(bytes.message());
    tensor.bytes = *bytes;
    return true;
  }

  /// Makes offsets count from the file's start and checks that every tensor ends in the file.
  bool placeTensors() {
    const uint64_t padding = (alignment - cursor.position() % alignment) % alignment;
    const uint64_t dataBegin = cursor.position() + padding;
    for (TensorInfo &tensor : contents.tensors) {
      if (tensor.offset % alignment != 0)
        return fail(fmt::format("tensor {} begins at {} in the data, expected a multiple of {}",
                                printableName(tensor.name), tensor.offset, alignment));
      uint64_t end;
      if (__builtin_add_overflow(tensor.offset, dataBegin, &tensor.offset) ||
          __builtin_add_overflow(tensor.offset, tensor.bytes, &end) || end > fileSize)
        return fail(fmt::format("tensor {} takes {} bytes from {}, but the file has {}; it may be "
                                "cut short: download it again",
                                printableName(tensor.name), tensor.bytes, tensor.offset, fileSize));
    }
    return true;
  }

  const uint64_t fileSize;
  HeaderCursor cursor;
  FileContents contents;
  uint64_t tensorCount = 0, metaCount = 0, alignment = defaultAlignment;
  std::optional<Error> failure;
};

} // namespace

ErrorOr<FileContents> parseGguf(std::span<const std::byte> file) {
  return GgufParser(file).parse();
}

} // namespace heed
