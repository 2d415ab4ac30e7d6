//===- HeaderCursor.h - bounds-checked reading of little-endian headers ---===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_WEIGHTS_HEADERCURSOR_H
#define HEED_LIB_WEIGHTS_HEADERCURSOR_H

#include "heed/Support/ErrorOr.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace heed {

/// Walks over a header. Every read returns false, and leaves an error, where it would pass the end;
/// nothing may be read after that. `what` names the thing read: "a tensor's rank".
class HeaderCursor {
public:
  explicit HeaderCursor(std::span<const std::byte> headerBytes) : bytes(headerBytes) {}

  /// Reads a number as it lies in memory.
  template <typename T> bool read(T &value, const char *what) {
    if (remaining() < sizeof(T))
      return fail(what, sizeof(T));
    std::memcpy(&value, bytes.data() + at, sizeof(T));
    at += sizeof(T);
    return true;
  }

  /// Reads a count of things that take at least `smallest` bytes each, and refuses one that the
  /// remaining bytes can't hold.
  bool readCount(uint64_t &count, uint64_t smallest, const char *what) {
    if (!read(count, what))
      return false;
    if (count <= remaining() / smallest)
      return true;
    failure =
        makeError(fmt::format("{} at byte {} is {}, but the remaining {} bytes hold at most "
                              "{}; the file is damaged: download it again",
                              what, at - sizeof count, count, remaining(), remaining() / smallest));
    return false;
  }

  /// Reads a length of 64 bits and as many bytes.
  bool readString(std::string &text, const char *what) {
    uint64_t length;
    if (!read(length, what))
      return false;
    if (length > remaining())
      return fail(what, length);
    text.assign(reinterpret_cast<const char *>(bytes.data()) + at, length);
    at += length;
    return true;
  }

  size_t position() const { return at; }
  size_t remaining() const { return bytes.size() - at; }

  /// Why the last read failed.
  const Error &error() const { return failure; }

private:
  bool fail(const char *what, uint64_t needed) {
    failure = makeError(fmt::format("{} at byte {} takes {} bytes, but the header ends after {}; "
                                    "the file may be cut short: download it again",
                                    what, at, needed, remaining()));
    return false;
  }

  std::span<const std::byte> bytes;
  size_t at = 0;
  Error failure;
};

} // namespace heed

#endif // HEED_LIB_WEIGHTS_HEADERCURSOR_H
