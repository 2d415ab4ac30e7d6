//===- FileContents.h - what a weights file says it holds -----------------===//
//
// Part of the Heed project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The parsers' result, before files are joined into one WeightsFile, and the
// checks that both formats need.
//
//===----------------------------------------------------------------------===//

#ifndef HEED_LIB_WEIGHTS_FILECONTENTS_H
#define HEED_LIB_WEIGHTS_FILECONTENTS_H

#include "heed/Support/ErrorOr.h"
#include "heed/Weights/WeightsFile.h"

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace heed {

/// One file's tensors, in its order, and metadata. Names are unique, bytes lie in the file and
/// overlap nowhere.
struct FileContents {
  std::vector<TensorInfo> tensors;
  std::map<std::string, MetaValue, std::less<>> metadata;
};

/// Reads the header of a GGUF file, given all of its bytes. Errors don't name the file.
ErrorOr<FileContents> parseGguf(std::span<const std::byte> file);

/// Reads the header of a safetensors file, given all of its bytes. Errors don't name the file.
ErrorOr<FileContents> parseSafetensors(std::span<const std::byte> file);

/// Multiplies the extents of `tensor` and compares rows with the block length: fails where the
/// product or its bytes overflow. Returns the bytes that the tensor takes, 0 where the size of the
/// format is unknown.
ErrorOr<uint64_t> storedBytes(const TensorInfo &tensor, const StorageInfo &info);

/// Tensors ordered by where their bytes begin, as indices; the order of a linear scan for overlap.
std::vector<size_t> orderByOffset(const std::vector<TensorInfo> &tensors);

/// Fails where two tensors share bytes or two have the same name.
ErrorOr<void> checkDisjoint(const std::vector<TensorInfo> &tensors);
ErrorOr<void> checkUniqueNames(const std::vector<TensorInfo> &tensors);

} // namespace heed

#endif // HEED_LIB_WEIGHTS_FILECONTENTS_H
