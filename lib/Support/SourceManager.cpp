//===- SourceManager.cpp - the program texts of one compilation -----------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "heed/Support/SourceManager.h"

#include <algorithm>

using namespace heed;

uint32_t SourceManager::addBuffer(std::string path, std::string text) {
  Buffer &buffer = buffers.emplace_back();
  buffer.path = std::move(path);
  buffer.text = std::move(text);
  buffer.lineStarts.push_back(0);
  for (size_t at = 0; at < buffer.text.size(); ++at)
    if (buffer.text[at] == '\n')
      buffer.lineStarts.push_back(static_cast<uint32_t>(at + 1));
  return static_cast<uint32_t>(buffers.size() - 1);
}

std::string_view SourceManager::path(uint32_t file) const {
  return file < buffers.size() ? std::string_view(buffers[file].path) : std::string_view();
}

std::string_view SourceManager::text(uint32_t file) const {
  return file < buffers.size() ? std::string_view(buffers[file].text) : std::string_view();
}

std::string_view SourceManager::text(SourceRange range) const {
  std::string_view whole = text(range.file);
  size_t begin = std::min<size_t>(range.begin, whole.size());
  size_t end = std::clamp<size_t>(range.end, begin, whole.size());
  return whole.substr(begin, end - begin);
}

LineColumn SourceManager::lineColumn(uint32_t file, uint32_t offset) const {
  if (file >= buffers.size())
    return {};
  const Buffer &buffer = buffers[file];
  offset = static_cast<uint32_t>(std::min<size_t>(offset, buffer.text.size()));
  auto after = std::upper_bound(buffer.lineStarts.begin(), buffer.lineStarts.end(), offset);
  auto line = static_cast<uint32_t>(after - buffer.lineStarts.begin());
  return {line, offset - *(after - 1) + 1};
}

std::string_view SourceManager::lineText(uint32_t file, uint32_t line) const {
  if (file >= buffers.size() || line == 0 || line > buffers[file].lineStarts.size())
    return {};
  const Buffer &buffer = buffers[file];
  size_t begin = buffer.lineStarts[line - 1];
  size_t end = line < buffer.lineStarts.size() ? buffer.lineStarts[line] - 1 : buffer.text.size();
  if (end > begin && buffer.text[end - 1] == '\r')
    --end;
  return std::string_view(buffer.text).substr(begin, end - begin);
}
