//===- FileBytes.h - weights files, right and wrong, put together by hand -===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TEST_UNIT_WEIGHTS_FILEBYTES_H
#define HEED_TEST_UNIT_WEIGHTS_FILEBYTES_H

#include "heed/Weights/WeightsFile.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

/// Appends little-endian numbers and GGUF's strings to a string of bytes.
class GgufBytes {
public:
  GgufBytes(uint64_t tensors, uint64_t metadata, uint32_t version = 3) {
    raw("GGUF").u32(version).u64(tensors).u64(metadata);
  }

  GgufBytes &raw(std::string_view text) {
    bytes += text;
    return *this;
  }
  template <typename T> GgufBytes &number(T value) {
    return raw({reinterpret_cast<const char *>(&value), sizeof value});
  }
  GgufBytes &u8(uint8_t value) { return number(value); }
  GgufBytes &u32(uint32_t value) { return number(value); }
  GgufBytes &u64(uint64_t value) { return number(value); }
  GgufBytes &text(std::string_view value) { return u64(value.size()).raw(value); }

  /// A metadata value's key and type; the value follows.
  GgufBytes &key(std::string_view name, uint32_t type) { return text(name).u32(type); }

  /// One tensor; extents innermost first, as in the file.
  GgufBytes &tensor(std::string_view name, const std::vector<uint64_t> &extents, uint32_t type,
                    uint64_t offset) {
    text(name).u32(static_cast<uint32_t>(extents.size()));
    for (uint64_t extent : extents)
      u64(extent);
    return u32(type).u64(offset);
  }

  /// Pads to the alignment and appends `size` bytes of data.
  GgufBytes &data(size_t size, size_t alignment = 32) {
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment + size, '\1');
    return *this;
  }

  std::string bytes;
};

/// A safetensors file: the length of `header`, the header, `dataBytes` bytes.
inline std::string safetensorsBytes(std::string_view header, size_t dataBytes) {
  uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char *>(&length), sizeof length);
  return bytes.append(header).append(dataBytes, '\1');
}

inline ErrorOr<std::unique_ptr<WeightsFile>> openBytes(std::string_view bytes) {
  return WeightsFile::fromBytes(std::as_bytes(std::span(bytes)), "test.bytes");
}

/// Expects an error that names the file and contains `part`.
inline void expectRefused(std::string_view bytes, std::string_view part) {
  ErrorOr<std::unique_ptr<WeightsFile>> file = openBytes(bytes);
  ASSERT_FALSE(file) << "expected an error with: " << part;
  EXPECT_TRUE(file.message().starts_with("test.bytes: ")) << file.message();
  EXPECT_NE(file.message().find(part), std::string::npos)
      << file.message() << "\nexpected: " << part;
}

} // namespace heed

#endif // HEED_TEST_UNIT_WEIGHTS_FILEBYTES_H
