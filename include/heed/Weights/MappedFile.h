//===- MappedFile.h - a file's bytes, mapped read-only --------------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_WEIGHTS_MAPPEDFILE_H
#define HEED_WEIGHTS_MAPPEDFILE_H

#include "heed/Support/ErrorOr.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

/// A whole file in memory: mapped, or copied from bytes that are already there.
class MappedFile {
public:
  /// Maps the regular file at `path`. A FIFO, a device, a folder or an empty file is an error.
  static ErrorOr<std::unique_ptr<MappedFile>> open(const std::string &path);

  /// A copy of `bytes` under the name `path`.
  static std::unique_ptr<MappedFile> fromBytes(std::span<const std::byte> bytes, std::string path);

  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  std::span<const std::byte> bytes() const { return view; }
  std::string_view text() const {
    return {reinterpret_cast<const char *>(view.data()), view.size()};
  }
  const std::string &path() const { return filePath; }

  /// Fails where the file has become shorter than it was when it was mapped.
  ErrorOr<void> checkSize() const;

  /// Where the file lies and when it was last changed, in words: the same again only while nobody
  /// has written to it. Empty where the bytes are a copy or the system doesn't say.
  std::string identity() const;

  /// Takes the file's pages out of this process's memory. Reading a byte brings its page back.
  void releasePages() const;

private:
  explicit MappedFile(std::string path) : filePath(std::move(path)) {}

  std::string filePath;
  int descriptor = -1; ///< kept open for checkSize; -1 where the bytes are a copy
  std::vector<std::byte> copy;
  std::span<const std::byte> view;
};

} // namespace heed

#endif // HEED_WEIGHTS_MAPPEDFILE_H
