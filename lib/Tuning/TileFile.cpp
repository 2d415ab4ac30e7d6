//===- TileFile.cpp - the tiles that were found best, kept for each processor ===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// {"tiles": {"1536x576:q4_1:i8": {"tile": "6x2x2", "gain": 1.04}}}
//
//===----------------------------------------------------------------------===//

#include "heed/Tuning/TileFile.h"

#include "heed/Dialect/Attn/Transforms/ProductKind.h"
#include "heed/Target/CPU/Cache.h"
#include "heed/Target/CPU/Link.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <cpuid.h>
#include <cstring>

using namespace heed;
using namespace heed::tuning;
namespace json = llvm::json;

/// Vendor and signature of this processor, by CPUID: "AuthenticAMD-00b20f40".
static std::string processorName() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  __get_cpuid(0, &a, &b, &c, &d);
  char vendor[13] = {};
  for (auto [at, part] : {std::pair(0, b), {4, d}, {8, c}})
    std::memcpy(vendor + at, &part, 4);
  __get_cpuid(1, &a, &b, &c, &d);
  return llvm::formatv("{0}-{1:x-8}", vendor, a);
}

ErrorOr<TileFile> TileFile::ofHost(const InstructionSet &set) {
  auto cache = ArtifactCache::openDefault();
  if (!cache)
    return cache.error();
  llvm::SmallString<128> path(cache->path());
  llvm::sys::path::append(path, "tiles", processorName() + "-" + set.name + ".json");
  TileFile file{std::string(path)};
  if (auto read = file.read(); !read)
    return read.error();
  return file;
}

ErrorOr<void> TileFile::read() {
  if (!llvm::sys::fs::exists(filePath))
    return {};
  auto buffer = llvm::MemoryBuffer::getFile(filePath, /*IsText=*/true);
  if (!buffer)
    return makeError("can't read '" + filePath + "': " + buffer.getError().message());
  auto parsed = json::parse((*buffer)->getBuffer());
  auto refused = [&](const std::string &what) {
    return makeError("'" + filePath + "' " + what +
                     ": remove it, and run heed tune again for tiles of this processor");
  };
  if (!parsed) {
    llvm::consumeError(parsed.takeError());
    return refused("isn't JSON");
  }
  const json::Object *root = parsed->getAsObject();
  const json::Object *tiles = root ? root->getObject("tiles") : nullptr;
  if (!tiles)
    return refused("has no object \"tiles\"");
  for (const auto &[kind, value] : *tiles) {
    const json::Object *entry = value.getAsObject();
    auto text = entry ? entry->getString("tile") : std::nullopt;
    auto tile = text ? attn::parseTile(*text) : std::nullopt;
    if (!tile)
      return refused("names no tile such as \"6x2x2\" for '" + kind.str() + "'");
    entries[kind.str()] = {*tile, entry->getNumber("gain").value_or(1)};
  }
  return {};
}

void TileFile::set(const std::string &kind, const cost::ProjectTile &tile, double gain) {
  entries[kind] = {tile, gain};
}

ErrorOr<void> TileFile::write() const {
  llvm::StringRef folder = llvm::sys::path::parent_path(filePath);
  if (std::error_code error = llvm::sys::fs::create_directories(folder))
    return makeError("can't make the folder '" + folder.str() + "': " + error.message());
  json::Object tiles;
  for (const auto &[kind, entry] : entries)
    tiles[kind] = json::Object{{"tile", attn::printTile(entry.tile)}, {"gain", entry.gain}};
  json::Value root = json::Object{{"tiles", std::move(tiles)}};
  return writeFile(filePath, llvm::formatv("{0:2}\n", root).str());
}

std::vector<std::string> TileFile::tiles() const {
  std::vector<std::string> texts;
  for (const auto &[kind, entry] : entries)
    texts.push_back(kind + "=" + attn::printTile(entry.tile));
  return texts;
}
