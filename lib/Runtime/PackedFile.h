//===- PackedFile.h - packed weights kept in a file -------------*- C++ -*-===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   packed weights, as they lie in memory
//   zeros up to a multiple of 4096
//   the description, in words: all that the bytes before it follow from
//
// Whoever opens the file knows the description that it must have, to the byte,
// and how many bytes come before it. So nothing in the file is ever parsed: it is
// the one wanted, or it isn't used. The description is written last.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_RUNTIME_PACKEDFILE_H
#define HEED_LIB_RUNTIME_PACKEDFILE_H

#include "heed/Runtime/Memory.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace heed {

/// A file of a folder that other processes may use at the same time: files appear there by rename,
/// and one that is replaced or removed stays valid for whoever has mapped it.
class PackedFile {
public:
  /// All files of a folder together are kept below this.
  static constexpr int64_t kMostBytes = int64_t{16} << 30;

  /// The file of `folder` for what `subject` names, which is to hold `bytes` > 0 described by
  /// `description`. Touches no disk.
  PackedFile(std::string folder, std::string_view subject, std::string description, int64_t bytes);

  /// Maps the packed weights into `memory`. False where there is no such file, it is another's than
  /// this user's, others may write to it, or it isn't exactly as described.
  bool map(Region &memory) const;

  /// Writes the file, in the place of one that is stale, and removes those unused for longest while
  /// the folder holds too much. Makes the folder where it is missing. False, and nothing left
  /// behind, where that fails or would take more than half of what the disk has left.
  bool write(const Region &memory) const;

  const std::string &path() const { return filePath; }

private:
  bool fill(int descriptor, const Region &memory) const;
  void evict() const;

  std::string folder, description, filePath;
  int64_t bytes, descriptionOffset;
};

/// FNV-1a of `bytes`, going on from `hash`. It tells things apart; nothing is safe because of it.
uint64_t fingerprint(std::string_view bytes, uint64_t hash = 0xcbf29ce484222325);

} // namespace heed

#endif // HEED_LIB_RUNTIME_PACKEDFILE_H
