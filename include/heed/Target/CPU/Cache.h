//===- Cache.h - compiled models, found again by their content ------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HEED_TARGET_CPU_CACHE_H
#define HEED_TARGET_CPU_CACHE_H

#include "heed/Support/ErrorOr.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/SHA256.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace heed {

/// What an artefact depends on: the text of every source file, the facts that the program reads
/// from its weights' header, options, instruction sets, and the compiler itself (its identity is
/// part of every key). Parts are told apart: ("ab", "c") and ("a", "bc") give different keys.
class CacheKey {
public:
  CacheKey();

  CacheKey &add(llvm::StringRef label, llvm::StringRef value);
  CacheKey &add(llvm::StringRef label, int64_t value);

  /// 64 hexadecimal digits. The key can be added to afterwards.
  std::string digest() const;

private:
  llvm::SHA256 hash;
};

/// A folder of artefacts. Several processes may use it at once: files appear by rename, and
/// nothing else is ever assumed to be there. An artefact that another process removes stays valid
/// for whoever has opened it.
class ArtifactCache {
public:
  static constexpr uint64_t kDefaultBytes = uint64_t{1} << 30;

  /// The user's: $XDG_CACHE_HOME/heed, else ~/.cache/heed. An error where neither is known.
  static ErrorOr<ArtifactCache> openDefault();

  explicit ArtifactCache(std::string folder, uint64_t maxBytes = kDefaultBytes);

  const std::string &path() const { return folder; }

  /// The artefact's path, if there is one; `extension` is such as ".so". Marks it as used.
  std::optional<std::string> lookup(const CacheKey &key, llvm::StringRef extension) const;

  /// Keeps an artefact, which `write` creates at the path it is given (it should be renamed into
  /// place), and removes those unused for longest while all together are above the bound. Returns
  /// its path.
  ErrorOr<std::string> store(const CacheKey &key, llvm::StringRef extension,
                             const std::function<ErrorOr<void>(llvm::StringRef path)> &write) const;

private:
  std::string pathOf(const CacheKey &key, llvm::StringRef extension) const;
  void evict(llvm::StringRef kept) const;

  std::string folder;
  uint64_t maxBytes;
};

} // namespace heed

#endif // HEED_TARGET_CPU_CACHE_H
