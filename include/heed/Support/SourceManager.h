//===- SourceManager.h - the program texts of one compilation -------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_SUPPORT_SOURCEMANAGER_H
#define HEED_SUPPORT_SOURCEMANAGER_H

#include "heed/Support/SourceRange.h"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

/// A place as a person reads it. Both count from 1; columns count bytes, so a tab is one column and
/// a letter outside ASCII is as many as its UTF-8 encoding has.
struct LineColumn {
  uint32_t line = 1;
  uint32_t column = 1;
};

/// Owns every program text that is read, and finds lines in them. Buffers never move, so views of
/// their text last as long as the manager.
class SourceManager {
public:
  /// Takes a text over and returns its number, which SourceRange::file refers to.
  uint32_t addBuffer(std::string path, std::string text);

  size_t size() const { return buffers.size(); }
  std::string_view path(uint32_t file) const;
  std::string_view text(uint32_t file) const;

  /// The bytes of a range; clipped to the buffer.
  std::string_view text(SourceRange range) const;
  /// Where an offset lies; an offset past the end counts as the end.
  LineColumn lineColumn(uint32_t file, uint32_t offset) const;
  /// The line (counted from 1) without its line break; empty where there is no such line.
  std::string_view lineText(uint32_t file, uint32_t line) const;

private:
  struct Buffer {
    std::string path, text;
    std::vector<uint32_t> lineStarts;
  };
  std::deque<Buffer> buffers;
};

} // namespace heed

#endif // HEED_SUPPORT_SOURCEMANAGER_H
